"""DropletVideo without ComfyUI: its files -> its networks -> the frames of a video."""

from .files import CheckedDroplet, DropletFiles, check_droplet
from .pipeline import DropletPipeline, DropletRequest, DropletSettings

__all__ = [
    "CheckedDroplet",
    "DropletFiles",
    "DropletPipeline",
    "DropletRequest",
    "DropletSettings",
    "check_droplet",
]
