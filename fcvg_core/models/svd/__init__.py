"""Stable Video Diffusion: the base that FCVG and ControlNeXt-SVD steer."""

from ..sizes import check_size
from .conditioning import augment_keyframe
from .keys import QUANT_CONV, rename_image_encoder, rename_unet, rename_vae, vae_key
from .prediction import SCHEDULER, SIGMA_MAX, SIGMA_MIN, denoise_latents, noisy_deviation, timestep

__all__ = [
    "QUANT_CONV",
    "SCHEDULER",
    "SIGMA_MAX",
    "SIGMA_MIN",
    "augment_keyframe",
    "check_size",
    "denoise_latents",
    "noisy_deviation",
    "rename_image_encoder",
    "rename_unet",
    "rename_vae",
    "timestep",
    "vae_key",
]
