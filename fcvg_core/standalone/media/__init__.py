"""Pictures, videos, files of matches and of poses: read and written."""
