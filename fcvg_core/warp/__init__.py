"""Two keyframes -> the frames between them, without any network: a preview of the motion.

The pixels of both keyframes move along the matched lines and people, and are blended. This room
stands above `lines` and `pose`, and opens no file.
"""

from .preview import preview_motion

__all__ = ["preview_motion"]
