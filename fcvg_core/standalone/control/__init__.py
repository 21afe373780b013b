"""What steers a video: a matcher and a pose detector are opened, control frames are drawn."""
