"""Reads and writes videos frame by frame, so memory does not grow with their length."""

from .folder import list_pictures, read_image_folder
from .reading import (
    count_video_frames,
    read_audio,
    read_every_frame,
    read_timed,
    read_video,
)
from .writing import VideoWriter

__all__ = [
    "VideoWriter",
    "count_video_frames",
    "list_pictures",
    "read_audio",
    "read_every_frame",
    "read_image_folder",
    "read_timed",
    "read_video",
]
