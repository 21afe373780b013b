"""Tiny models in the official layouts, for tests without real weights.

The frames that they generate are noise. All values depend only on the name and shape of their
tensor, so the files are the same on every machine.

Both families run with these files: `inbetween` finds them by their names, and `animate`, whose
own models have other names, is given them with --unet and --controlnext. DWPose, which `animate`
needs too, has its stand-ins in tests/golden/dwpose.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from fcvg_core.catalogue.stand_ins import MARK
from fcvg_core.containers import METADATA
from fcvg_core.models.controlnext import V2, ControlNeXt
from fcvg_core.models.svd import SCHEDULER

# SVD's attention has 64 channels per head for every width.
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
    "architectures": ["CLIPVisionModelWithProjection"], "model_type": "clip_vision_model",
    "hidden_size": 64, "intermediate_size": 128, "projection_dim": 64, "num_hidden_layers": 2,
    "num_attention_heads": 1, "num_channels": 3, "image_size": 224, "patch_size": 32,
    "hidden_act": "gelu", "layer_norm_eps": 1e-5,
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


def levels(count: int) -> dict[str, Any]:
    """Sizes of a UNet of so many levels; SVD has four."""
    crossing = count - 1  # the last level has no cross-attention
    return {
        **UNET,
        "block_out_channels": [64] * count,
        "num_attention_heads": [1] * count,
        "down_block_types": UNET["down_block_types"][:crossing] + UNET["down_block_types"][-1:],
        "up_block_types": UNET["up_block_types"][: crossing + 1],
    }


def write_unet(path: Path, sizes: Mapping[str, Any]) -> None:
    """Write FCVG's UNet alone, in the layout of diffusers."""
    from diffusers import UNetSpatioTemporalConditionModel

    path.write_bytes(packed(fill(UNetSpatioTemporalConditionModel(**sizes), salt="fcvg ")))


def write_stand_ins(folder: Path, unet: Mapping[str, Any] = UNET) -> None:
    """Write `svd/` (diffusers layout), `unet.safetensors` and `controlnext.safetensors`.

    Args:
        unet: sizes of the UNet.
    """
    for name, content in _contents(unet).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _contents(sizes: Mapping[str, Any]) -> dict[str, bytes]:
    """Path inside the folder -> contents, for every file."""
    from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    unet = UNetSpatioTemporalConditionModel(**sizes)
    vae = AutoencoderKLTemporalDecoder(**VAE)
    encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**IMAGE_ENCODER))
    controlnext = ControlNeXt(replace(V2, out_channels=sizes["block_out_channels"][0]))
    weights = "diffusion_pytorch_model.safetensors"
    return {
        "svd/unet/config.json": _json({"_class_name": type(unet).__name__, **sizes}),
        f"svd/unet/{weights}": packed(fill(unet, salt="svd ")),
        "svd/vae/config.json": _json({"_class_name": type(vae).__name__, **VAE}),
        f"svd/vae/{weights}": packed(fill(vae)),
        "svd/image_encoder/config.json": _json(IMAGE_ENCODER),
        "svd/image_encoder/model.safetensors": packed(fill(encoder)),
        "svd/scheduler/scheduler_config.json": _json(
            {"_class_name": "EulerDiscreteScheduler", **SCHEDULER}
        ),
        "svd/feature_extractor/preprocessor_config.json": _json(FEATURE_EXTRACTOR),
        "svd/model_index.json": _json(MODEL_INDEX),
        "unet.safetensors": packed(fill(unet, salt="fcvg ")),
        "controlnext.safetensors": packed(fill(controlnext)),
    }


def fill(module: nn.Module, salt: str = "") -> dict[str, Tensor]:
    """Values for all tensors of a module that keep activations bounded.

    Matrices have the variance 1 / fan-in; scales are about 1.
    """
    return {
        key: tensor_values(salt + key, value.shape)
        for key, value in module.state_dict().items()
        if value.is_floating_point()
    }


def tensor_values(name: str, shape: torch.Size) -> Tensor:
    """Uniform random values of a tensor; the seed of the generator depends on the name."""
    generator = torch.Generator("cpu").manual_seed(zlib.crc32(name.encode()))
    values = torch.rand(shape, generator=generator) * 2 - 1
    if len(shape) >= 2:
        values *= (3 / shape[1:].numel()) ** 0.5
    else:
        values = values * 0.1 + float(name.endswith("weight"))
    # Rounded to half precision, so that all devices and hosts use the same numbers.
    return values.half().float()


def packed(state_dict: dict[str, Tensor]) -> bytes:
    """Contents of a .safetensors file in half precision, whose metadata says what it is."""
    return marked({key: value.half() for key, value in state_dict.items()})


def marked(state_dict: Mapping[str, Tensor]) -> bytes:
    """Contents of a .safetensors file, whose metadata says what it is."""
    content = save({key: value.contiguous() for key, value in state_dict.items()})
    # The library writes metadata in a random order, but the file must be the same every time.
    length = int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8 : 8 + length])
    header = json.dumps(
        {
            METADATA: {"format": "pt", MARK: "random values, not trained: frames will be noise"},
            **tensors,
        }
    ).encode()
    header += b" " * (-len(header) % 8)  # the numbers start at a multiple of 8
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _json(content: dict) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
