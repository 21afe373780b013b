"""Reads and writes videos frame by frame, so memory does not grow with their length."""

from .folder import read_image_folder
from .reading import read_video
from .writing import VideoWriter

__all__ = ["VideoWriter", "read_image_folder", "read_video"]
