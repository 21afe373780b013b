"""Stable Video Diffusion: the base that FCVG and ControlNeXt-SVD steer."""

from .conditioning import augment_keyframe, check_size
from .keys import QUANT_CONV, rename_image_encoder, rename_unet, rename_vae

__all__ = [
    "QUANT_CONV",
    "augment_keyframe",
    "check_size",
    "rename_image_encoder",
    "rename_unet",
    "rename_vae",
]
