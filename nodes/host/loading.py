"""Model files -> the host's own MODEL, VAE, CLIP_VISION, and a managed ControlNeXt.

Layer sizes come from the tensors' shapes, so a tiny model takes the same path as the real one.
"""

import json
import logging
import os
import pickle

import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.model_base
import comfy.model_detection
import comfy.model_management as mm
import comfy.ops
import comfy.sd
import comfy.supported_models
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher
from safetensors import SafetensorError

from ...fcvg_core.models.fcvg import (
    build_controlnext,
    check_keys,
    controlnext_config,
    describe,
    rename_image_encoder,
    rename_unet,
    rename_vae,
)

UNET_PREFIX = "diffusion_model."
WEIGHT_DTYPES = {
    "default": None,
    "fp8_e4m3fn": torch.float8_e4m3fn,
    "fp8_e5m2": torch.float8_e5m2,
}
# What readers raise for a file that is not what its name says.
_UNREADABLE = (
    ValueError, RuntimeError, EOFError, OSError, SafetensorError, KeyError, IndexError, TypeError,
)  # fmt: skip
# Without these a file can't be asked for the sizes of the network.
_UNET_MARKS = (
    "input_blocks.0.0.weight",
    "input_blocks.1.0.time_stack.in_layers.0.weight",
    "label_emb.0.0.weight",
    "middle_block.0.in_layers.0.weight",
    "out.2.weight",
)


def load_state_dict(path: str) -> dict[str, torch.Tensor]:
    """Tensors of a .safetensors, .bin, .pt or .pth file.

    Raises:
        ValueError: see `read_file`; or the file holds other things.
    """
    found = read_file(path)
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(torch.is_tensor(x) for x in found.values()):
        name = os.path.basename(path)
        raise ValueError(f"{name} holds no plain list of tensors, which a model file should.")
    return found


def read_file(path: str):
    """What a file of weights holds; code in a pickle is never executed.

    Raises:
        ValueError: the file is empty, cut off or not of its kind.
    """
    name = os.path.basename(path)
    try:
        if path.lower().endswith((".safetensors", ".sft")):
            return comfy.utils.load_torch_file(path, safe_load=True)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{name} is not a plain file of weights (code in it is never run). Take the "
            ".safetensors file of the model instead."
        ) from error
    except _UNREADABLE as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{name} ({size} bytes) can't be read as model weights: it is empty, cut off or not "
            f"a {os.path.splitext(name)[1]} file. Download it again."
        ) from error


def load_unet(path: str, base: ModelPatcher | None, weight_dtype: str) -> ModelPatcher:
    """FCVG's or ControlNeXt-SVD's UNet as the host's SVD model.

    Args:
        path: a whole file, or a partial one whose missing tensors stay those of `base`.
        base: an SVD model; it is cloned, never changed.
        weight_dtype: a key of WEIGHT_DTYPES, for a whole file.
    """
    name = os.path.basename(path)
    state_dict = rename_unet(load_state_dict(path))
    if base is None:
        return _build_unet(state_dict, name, WEIGHT_DTYPES[weight_dtype])
    if not isinstance(base.model, comfy.model_base.SVD_img2vid):
        raise ValueError(f"The base model is {type(base.model).__name__}, but it has to be SVD.")
    shapes = _shapes(base.model.diffusion_model)
    check_keys(state_dict, shapes, name=name, partial=True)
    if state_dict.keys() == shapes.keys():
        logging.info("%s is a whole UNet: it replaces the base model.", name)
        return _build_unet(state_dict, name, WEIGHT_DTYPES[weight_dtype])
    logging.info("%s replaces %d of %d tensors.", name, len(state_dict), len(shapes))
    model = base.clone()
    model.add_patches({UNET_PREFIX + k: ("set", (v,)) for k, v in state_dict.items()})
    return model


def load_svd_unet(folder: str) -> ModelPatcher:
    """SVD's own UNet of a folder in diffusers' layout, as the host's MODEL."""
    return load_unet(_weights_file(folder, "unet", "diffusion_pytorch_model"), None, "default")


def load_svd_encoders(folder: str) -> tuple[comfy.clip_vision.ClipVisionModel, comfy.sd.VAE]:
    """CLIP image encoder and VAE of a folder in diffusers' layout."""
    vae = _weights_file(folder, "vae", "diffusion_pytorch_model")
    return (
        _load_image_encoder(folder),
        _build_vae(rename_vae(load_state_dict(vae)), os.path.basename(vae)),
    )


def load_controlnext(path: str) -> ModelPatcher:
    """A ControlNeXt file (v2 or v1) as a model that the host loads and frees beside the UNet."""
    name = os.path.basename(path)
    state_dict = load_state_dict(path)
    config = controlnext_config(state_dict, name=name)
    device = mm.get_torch_device()
    dtype = mm.unet_dtype(weight_dtype=comfy.utils.weight_dtype(state_dict))
    cast = mm.unet_manual_cast(dtype, device)
    operations = comfy.ops.pick_operations(dtype, cast, load_device=device)
    network = build_controlnext(config, operations=operations, dtype=dtype)
    check_keys(state_dict, _shapes(network), name=name)
    network.load_state_dict(state_dict)
    network.compute_dtype = cast or dtype
    return ModelPatcher(network.eval(), load_device=device, offload_device=mm.unet_offload_device())


def _build_unet(state_dict: dict, name: str, dtype: torch.dtype | None) -> ModelPatcher:
    """The host's SVD of the file's own sizes, in the number format that suits the device."""
    config = _svd_config(state_dict, name)
    device, offload = mm.get_torch_device(), mm.unet_offload_device()
    if dtype is None:
        dtype = mm.unet_dtype(
            model_params=comfy.utils.calculate_parameters(state_dict),
            supported_dtypes=config.supported_inference_dtypes,
            weight_dtype=comfy.utils.weight_dtype(state_dict),
        )
    cast = mm.unet_manual_cast(dtype, device, config.supported_inference_dtypes)
    config.set_inference_dtype(dtype, cast)
    model = config.get_model(state_dict, "", device=offload)
    check_keys(state_dict, _shapes(model.diffusion_model), name=name)
    model.load_model_weights(state_dict, "")
    return ModelPatcher(model, load_device=device, offload_device=offload)


def _svd_config(state_dict: dict, name: str) -> comfy.supported_models.SVD_img2vid:
    missing = [mark for mark in _UNET_MARKS if mark not in state_dict]
    try:
        sizes = None if missing else comfy.model_detection.detect_unet_config(state_dict, "")
    except (KeyError, IndexError, TypeError, ValueError):
        sizes = None
    if sizes is None:
        raise ValueError(
            f"{name} is {describe(state_dict)}, but a whole SVD or FCVG UNet is needed. If it is "
            "a part of one, connect the SVD model that it belongs to as base_model."
        )
    return comfy.supported_models.SVD_img2vid(sizes)


def _load_image_encoder(folder: str) -> comfy.clip_vision.ClipVisionModel:
    """CLIP of the sizes that its own config.json names."""
    path = _weights_file(folder, "image_encoder", "model")
    config = os.path.join(folder, "image_encoder", "config.json")
    try:
        encoder = comfy.clip_vision.ClipVisionModel(config)
    except (OSError, json.JSONDecodeError, KeyError) as error:
        raise ValueError(f"{config} does not describe a CLIP image encoder: {error}.") from error
    state_dict = rename_image_encoder(load_state_dict(path))
    check_keys(state_dict, _shapes(encoder.model), name=f"image_encoder/{os.path.basename(path)}")
    encoder.load_sd(state_dict)
    return encoder


def _build_vae(state_dict: dict, name: str) -> comfy.sd.VAE:
    """The host's VAE around SVD's temporal decoder.

    The host's own detection knows one size only. So it is given the smallest network that it
    can build, and that is exchanged for the real one; all else (devices, number formats,
    memory estimates) stays the host's.
    """
    engine = _temporal_autoencoder(state_dict, name)
    small = {"embed_dim": 4, "ddconfig": _vae_sizes(32, (1,), 1)}
    vae = comfy.sd.VAE(sd=autoencoder.AutoencoderKL(**small).state_dict(), config={"params": small})
    vae.first_stage_model = engine.to(vae.vae_dtype).eval()
    vae.patcher = ModelPatcher(
        engine, load_device=vae.device, offload_device=vae.patcher.offload_device
    )
    return vae


def _temporal_autoencoder(state_dict: dict, name: str) -> autoencoder.AutoencodingEngine:
    first = state_dict.get("encoder.conv_in.weight")
    if first is None or "decoder.mid.block_1.mix_factor" not in state_dict:
        raise ValueError(
            f"vae/{name} is {describe(state_dict)}, but SVD's VAE with its temporal decoder is "
            "needed (AutoencoderKLTemporalDecoder)."
        )
    base = first.shape[0]
    widths = _count(state_dict, "encoder.down.{}.block.0.conv2.weight")
    depth = len(_count(state_dict, "encoder.down.0.block.{}.conv2.weight"))
    sizes = _vae_sizes(base, tuple(width // base for width in widths), depth)
    models = "comfy.ldm.modules."
    engine = autoencoder.AutoencodingEngine(
        regularizer_config={"target": "comfy.ldm.models.autoencoder.DiagonalGaussianRegularizer"},
        encoder_config={"target": models + "diffusionmodules.model.Encoder", "params": sizes},
        decoder_config={
            "target": models + "temporal_ae.VideoDecoder",
            "params": {**sizes, "video_kernel_size": [3, 1, 1], "alpha": 0.0},
        },
    )
    check_keys(state_dict, _shapes(engine), name=f"vae/{name}")
    engine.load_state_dict(state_dict)
    return engine


def _vae_sizes(base: int, multiples: tuple[int, ...], depth: int) -> dict:
    """Sizes of an SD autoencoder, under the host's names."""
    return {
        "double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3,
        "ch": base, "ch_mult": list(multiples), "num_res_blocks": depth,
        "attn_resolutions": [], "dropout": 0.0,
    }  # fmt: skip


def _count(state_dict: dict, pattern: str) -> list[int]:
    """First sizes of the tensors that `pattern` numbers from 0 on."""
    found = []
    while (key := pattern.format(len(found))) in state_dict:
        found.append(state_dict[key].shape[0])
    return found


def _shapes(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def _weights_file(folder: str, part: str, stem: str) -> str:
    """The weights of one part of a diffusers folder; half precision where there is a choice."""
    for name in (f"{stem}.fp16.safetensors", f"{stem}.safetensors", f"{stem}.bin"):
        path = os.path.join(folder, part, name)
        if os.path.isfile(path):
            return path
    if part == "unet":
        raise ValueError(
            f"{folder} holds no UNet, which FCVG and ControlNeXt-SVD do not need: switch with_unet "
            "off, or add unet/ to the folder."
        )
    raise ValueError(f"{folder} holds no {part}/{stem}.safetensors: the download is not complete.")
