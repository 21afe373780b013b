"""SVD's two encoders of a folder in diffusers' layout, as the host's CLIP_VISION and VAE."""

import os
from pathlib import Path

import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.sd
from comfy.model_patcher import ModelPatcher

from ....fcvg_core.files.json_file import read_json
from ....fcvg_core.models.kinds import check_keys, describe_kind
from ....fcvg_core.models.svd import QUANT_CONV, rename_image_encoder, rename_vae
from ....fcvg_core.models.svd.configs import IMAGE_ENCODER, check_image_encoder, read_config
from ....fcvg_core.quoting import in_short
from ....fcvg_core.weights import misfits
from ..encoders import (
    build_image_encoder,
    read_autoencoder_sizes,
    smallest_autoencoder,
)
from ..files import building, load_weights, weights_file
from ..patchers import (
    can_load_again,
    converted,
    fill,
    make_patcher,
    meant_tensors,
    shapes,
    without_streaming,
)
from ..quantised import refuse_quantised


def load_image_encoder(folder: str) -> comfy.clip_vision.ClipVisionModel:
    """CLIP with the sizes in its config.json."""
    path = weights_file(folder, "image_encoder")
    name = f"image_encoder/{os.path.basename(path)}"
    config = os.path.join(folder, "image_encoder", "config.json")
    found = read_json(Path(config), expected="a config file of SVD: the download is incomplete")
    settings = read_config(found, IMAGE_ENCODER, name=config)
    check_image_encoder(settings, name=config)
    encoder = build_image_encoder(settings, config)
    state_dict, notes = load_weights(path)
    refuse_quantised(state_dict, notes, name=name)
    state_dict = rename_image_encoder(state_dict)
    meant = meant_tensors(encoder.model)
    check_keys(state_dict, shapes(meant), name=name, sizes=config)
    encoder.load_sd(converted(state_dict, meant))
    can_load_again(encoder.patcher, _load_image_encoder_patcher, folder)
    return encoder


def _load_image_encoder_patcher(folder: str, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the image encoder again, and return its patcher."""
    return without_streaming(load_image_encoder(folder), disable_dynamic).patcher


def _load_vae_patcher(folder: str, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the VAE again, and return its patcher."""
    return load_vae(folder, disable_dynamic).patcher


def load_vae(folder: str, disable_dynamic: bool = False) -> comfy.sd.VAE:
    """The host's VAE around SVD's temporal decoder.

    The host's own detection knows only one size, see `smallest_autoencoder`.

    Args:
        disable_dynamic: see `can_load_again`.
    """
    path = weights_file(folder, "vae")
    name = f"vae/{os.path.basename(path)}"
    state_dict, notes = load_weights(path)
    refuse_quantised(state_dict, notes, name=name)
    last = {key: value for key, value in state_dict.items() if key in QUANT_CONV}
    if wrong := misfits(last, QUANT_CONV, partial=True):
        raise ValueError(f"{name} does not fit: {in_short(wrong)}.")
    state_dict = rename_vae(state_dict)
    vae = comfy.sd.VAE(**smallest_autoencoder())
    engine = _temporal_autoencoder(state_dict, name).eval().to(vae.vae_dtype)
    meant = meant_tensors(engine, default=vae.vae_dtype)
    check_keys(state_dict, shapes(meant), name=name)
    offload = vae.patcher.offload_device
    vae.first_stage_model = engine
    vae.patcher = make_patcher(engine, vae.device, offload, disable_dynamic=disable_dynamic)
    fill(vae.patcher, engine, state_dict, meant)
    vae.size = None  # the host has counted the small network
    can_load_again(vae.patcher, _load_vae_patcher, folder)
    return vae


def _temporal_autoencoder(state_dict: dict, name: str) -> autoencoder.AutoencodingEngine:
    """The host's network of the file's sizes, without the file's weights."""
    first = state_dict.get("encoder.conv_in.weight")
    if first is None or first.ndim != 4 or "decoder.mid.block_1.mix_factor" not in state_dict:
        raise ValueError(
            f"{name} is {describe_kind(state_dict)}, but SVD's VAE with its temporal decoder is "
            "needed (AutoencoderKLTemporalDecoder)."
        )
    models, posterior = "comfy.ldm.modules.", "comfy.ldm.models.autoencoder."
    with building(name):
        sizes = read_autoencoder_sizes(state_dict)
        return autoencoder.AutoencodingEngine(
            regularizer_config={"target": posterior + "DiagonalGaussianRegularizer"},
            encoder_config={"target": models + "diffusionmodules.model.Encoder", "params": sizes},
            decoder_config={
                "target": models + "temporal_ae.VideoDecoder",
                "params": {**sizes, "video_kernel_size": [3, 1, 1], "alpha": 0.0},
            },
        )
