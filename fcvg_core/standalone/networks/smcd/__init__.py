"""SMCD without ComfyUI: its files -> its networks -> the frames of a video."""

from .encoders import EncoderFiles, LabelEncoder, check_encoders, load_label_encoder
from .files import CheckedSmcd, SmcdFiles, check_smcd
from .pipeline import SmcdPipeline, SmcdRequest, SmcdSettings

__all__ = [
    "CheckedSmcd",
    "EncoderFiles",
    "LabelEncoder",
    "SmcdFiles",
    "SmcdPipeline",
    "SmcdRequest",
    "SmcdSettings",
    "check_encoders",
    "check_smcd",
    "load_label_encoder",
]
