"""DynamiCrafter without ComfyUI: its files -> its networks -> the frames of a clip."""

from .denoising import ClipSettings
from .files import CHOOSE_MODEL, CheckedModels, DynamiCrafterFiles, check_files
from .pipeline import ClipPipeline, ClipRequest

__all__ = [
    "CHOOSE_MODEL",
    "CheckedModels",
    "ClipPipeline",
    "ClipRequest",
    "ClipSettings",
    "DynamiCrafterFiles",
    "check_files",
]
