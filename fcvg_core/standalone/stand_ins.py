"""Tiny models in the official layouts, for tests and demos where no weights are.

Frames that they paint are noise. Every value is a function of its tensor's name and shape, so
that the files are the same on every machine.
"""

import json
import logging
import zlib
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ..errors import UserError
from ..models.fcvg import Config, ControlNeXt

FILES = (
    "svd/unet/diffusion_pytorch_model.safetensors", "svd/vae/diffusion_pytorch_model.safetensors",
    "svd/image_encoder/model.safetensors", "unet.safetensors", "controlnext.safetensors",
)  # fmt: skip
MARK = {"stand_in": "random values, not trained: frames will be noise"}
# SVD's attention has heads of 64 channels, whatever the width.
UNET = {
    "in_channels": 8, "out_channels": 4, "sample_size": 16, "num_frames": 25,
    "block_out_channels": [64, 64, 64, 64], "num_attention_heads": [1, 1, 1, 1],
    "layers_per_block": 2, "transformer_layers_per_block": 1, "cross_attention_dim": 64,
    "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 768,
    "down_block_types": ["CrossAttnDownBlockSpatioTemporal"] * 3 + ["DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal"] + ["CrossAttnUpBlockSpatioTemporal"] * 3,
}  # fmt: skip
VAE = {
    "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2,
    "block_out_channels": [32, 32, 32, 32], "down_block_types": ["DownEncoderBlock2D"] * 4,
    "sample_size": 64, "scaling_factor": 0.18215, "force_upcast": True,
}  # fmt: skip
IMAGE_ENCODER = {
    "hidden_size": 64, "intermediate_size": 128, "projection_dim": 64, "num_hidden_layers": 2,
    "num_attention_heads": 1, "num_channels": 3, "image_size": 224, "patch_size": 32,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5,
}  # fmt: skip
# SVD's scheduler/scheduler_config.json.
SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler", "num_train_timesteps": 1000,
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "interpolation_type": "linear", "prediction_type": "v_prediction",
    "sigma_min": 0.002, "sigma_max": 700.0, "steps_offset": 1,
    "timestep_spacing": "leading", "timestep_type": "continuous", "use_karras_sigmas": True,
}  # fmt: skip
# SVD's feature_extractor/preprocessor_config.json.
FEATURE_EXTRACTOR = {
    "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
    "size": {"shortest_edge": 224}, "resample": 3, "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224}, "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}  # fmt: skip
MODEL_INDEX = {
    "_class_name": "StableVideoDiffusionPipeline",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
    "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
}


def write_stand_ins(folder: Path) -> None:
    """Write `svd/` (diffusers layout), `unet.safetensors` and `controlnext.safetensors`.

    Raises:
        UserError: the folder holds other things; they are left as they are.
    """
    _check_folder(folder)
    from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    svd = folder / "svd"
    unet = UNetSpatioTemporalConditionModel(**UNET)
    _save_part(svd / "unet", unet, "diffusion_pytorch_model", salt="svd ")
    vae = AutoencoderKLTemporalDecoder(**VAE)
    _save_part(svd / "vae", vae, "diffusion_pytorch_model", salt="")
    encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**IMAGE_ENCODER))
    _save_part(svd / "image_encoder", encoder, "model", salt="")
    _write_json(svd / "scheduler" / "scheduler_config.json", SCHEDULER)
    _write_json(svd / "feature_extractor" / "preprocessor_config.json", FEATURE_EXTRACTOR)
    _write_json(svd / "model_index.json", MODEL_INDEX)
    controlnext = ControlNeXt(Config(out_channels=UNET["block_out_channels"][0]))
    _save(folder / "unet.safetensors", fill(unet, salt="fcvg "))
    _save(folder / "controlnext.safetensors", fill(controlnext))
    logging.info("Stand-ins written to %s.", folder)


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which something else than stand-ins would be written over."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is no folder: name another.")
    there = [folder / name for name in FILES if (folder / name).exists()]
    for path in there:
        if not is_stand_in_file(path):
            raise UserError(
                f"{path} is there, and is no stand-in or only half of one: name another folder, "
                "or remove it."
            )
    if not there and folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty, and has no stand-ins: name another folder.")


def is_stand_in_file(path: Path) -> bool:
    """Whether a .safetensors file says of itself that it is a stand-in."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as opened:
            return "stand_in" in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False


def fill(module: nn.Module, salt: str = "") -> dict[str, Tensor]:
    """Values that keep activations bounded: variance 1 / fan-in for matrices, scales about 1."""
    return {
        key: _values(salt + key, value.shape)
        for key, value in module.state_dict().items()
        if value.is_floating_point()
    }


def _values(name: str, shape: torch.Size) -> Tensor:
    """Uniform values of a tensor, from a generator of its own."""
    generator = torch.Generator("cpu").manual_seed(zlib.crc32(name.encode()))
    values = torch.rand(shape, generator=generator) * 2 - 1
    if len(shape) >= 2:
        values *= (3 / shape[1:].numel()) ** 0.5
    else:
        values = values * 0.1 + float(name.endswith("weight"))
    # What half precision can hold, so that all devices and hosts see the same numbers.
    return values.half().float()


def _save_part(folder: Path, model, stem: str, *, salt: str) -> None:
    """One network of a diffusers folder: its config.json and its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    write_config = getattr(model, "save_config", None) or model.config.save_pretrained
    write_config(folder)
    _save(folder / f"{stem}.safetensors", fill(model, salt))


def _save(path: Path, state_dict: dict[str, Tensor]) -> None:
    halves = {key: value.half().contiguous() for key, value in state_dict.items()}
    content = save(halves, metadata={"format": "pt", **MARK})  # save_file lets nobody else read it
    path.write_bytes(content)


def _write_json(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
