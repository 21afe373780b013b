"""FCVG: Stable Video Diffusion, steered by ControlNeXt between two keyframes."""

from .conditioning import (
    augment_keyframe,
    check_size,
    clip_pixels,
    normalize_for_clip,
)
from .controlnext import Config, ControlNeXt, add_control, prepare_control
from .keys import (
    check_keys,
    controlnext_config,
    describe,
    rename_image_encoder,
    rename_unet,
    rename_vae,
)

__all__ = [
    "Config",
    "ControlNeXt",
    "add_control",
    "augment_keyframe",
    "check_keys",
    "check_size",
    "clip_pixels",
    "controlnext_config",
    "describe",
    "normalize_for_clip",
    "prepare_control",
    "rename_image_encoder",
    "rename_unet",
    "rename_vae",
]
