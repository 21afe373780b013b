"""FCVG and ControlNeXt-SVD: Stable Video Diffusion, steered by ControlNeXt."""

from .conditioning import (
    augment_keyframe,
    check_size,
    clip_pixels,
    normalize_for_clip,
)
from .controlnext import CONTROL_SCALE, Config, ControlNeXt, add_control, prepare_control
from .controlnext_v1 import ConfigV1, ControlNeXtV1, build_controlnext, check_fit, check_version
from .keys import (
    QUANT_CONV,
    check_keys,
    controlnext_config,
    describe,
    rename_image_encoder,
    rename_unet,
    rename_vae,
)

__all__ = [
    "CONTROL_SCALE",
    "Config",
    "ConfigV1",
    "ControlNeXt",
    "ControlNeXtV1",
    "QUANT_CONV",
    "add_control",
    "augment_keyframe",
    "build_controlnext",
    "check_fit",
    "check_keys",
    "check_size",
    "check_version",
    "clip_pixels",
    "controlnext_config",
    "describe",
    "normalize_for_clip",
    "prepare_control",
    "rename_image_encoder",
    "rename_unet",
    "rename_vae",
]
