"""The layout of tiny models: SVD and a ControlNeXt of few channels, made from nothing, and saved.

The files have the official layouts, so both faces load them as they load the released models:

    svd/                      SVD in diffusers' layout; of the UNet its config alone
    unet.safetensors          the whole UNet
    controlnext.safetensors   the ControlNeXt
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from fcvg_core.models.controlnext import V2, ControlNeXt
from fcvg_core.models.svd import SCHEDULER
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.one_token import use_one_token

HEAD = 64  # channels of an attention head of SVD
WEIGHTS = "diffusion_pytorch_model.safetensors"
# The VAE's latents and the images beside them: SVD's have these deviations, so a network from
# nothing would listen to the images most.
IMAGE_DEVIATION = 1 / 0.18215
CLIP = {
    "architectures": ["CLIPVisionModelWithProjection"], "model_type": "clip_vision_model",
    "hidden_size": 64, "intermediate_size": 128, "projection_dim": 64, "num_hidden_layers": 1,
    "num_attention_heads": 1, "num_channels": 3, "image_size": 224, "patch_size": 16,
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
INDEX = {
    "_class_name": "StableVideoDiffusionPipeline",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
    "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
}


@dataclass(frozen=True)
class Widths:
    """Channels of the blocks.

    Attributes:
        unet: multiples of 64, from the finest block to the coarsest.
        vae: multiples of 32, likewise.
    """

    unet: Sequence[int] = (64, 64, 64, 64)
    vae: Sequence[int] = (32, 32, 32, 64)

    def unet_config(self) -> dict[str, Any]:
        """Values of `svd/unet/config.json`."""
        return {
            "in_channels": 8, "out_channels": 4, "sample_size": 16, "num_frames": 25,
            "block_out_channels": [*self.unet],
            "num_attention_heads": [width // HEAD for width in self.unet],
            "layers_per_block": 2, "transformer_layers_per_block": 1,
            "cross_attention_dim": CLIP["projection_dim"],
            "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 768,
            "down_block_types": ["CrossAttnDownBlockSpatioTemporal"] * 3
            + ["DownBlockSpatioTemporal"],
            "up_block_types": ["UpBlockSpatioTemporal"]
            + ["CrossAttnUpBlockSpatioTemporal"] * 3,
        }  # fmt: skip

    def vae_config(self) -> dict[str, Any]:
        """Values of `svd/vae/config.json`: two layers a block, which ComfyUI's network has."""
        return {
            "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2,
            "block_out_channels": [*self.vae], "down_block_types": ["DownEncoderBlock2D"] * 4,
            "sample_size": 64, "scaling_factor": 0.18215, "force_upcast": True,
        }  # fmt: skip


def make_vae(widths: Widths, seed: int) -> nn.Module:
    """SVD's VAE from nothing."""
    from diffusers import AutoencoderKLTemporalDecoder

    torch.manual_seed(seed)
    return AutoencoderKLTemporalDecoder(**widths.vae_config())


def make_networks(widths: Widths, vae: nn.Module, seed: int) -> Models:
    """A UNet, a ControlNeXt and a CLIP from nothing, beside a VAE; CLIP is never trained.

    Args:
        vae: from `make_vae`, trained.
    """
    from diffusers import UNetSpatioTemporalConditionModel
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(seed)
    unet = UNetSpatioTemporalConditionModel(**widths.unet_config())
    with torch.no_grad():
        unet.conv_in.weight[:, 4:] /= IMAGE_DEVIATION
    use_one_token(unet)
    return Models(
        unet=unet,
        vae=vae.requires_grad_(False).eval(),
        image_encoder=CLIPVisionModelWithProjection(CLIPVisionConfig(**CLIP))
        .requires_grad_(False)
        .eval(),
        controlnext=ControlNeXt(replace(V2, out_channels=widths.unet[0])),
    )


def write_svd(folder: Path, widths: Widths, models: Models, made_by: str) -> None:
    """Write SVD's folder, without the UNet's weights, in half precision.

    Args:
        made_by: what the metadata of the weights say of them.
    """
    content = {
        "model_index.json": INDEX,
        "unet/config.json": {"_class_name": type(models.unet).__name__, **widths.unet_config()},
        "vae/config.json": {"_class_name": type(models.vae).__name__, **widths.vae_config()},
        "image_encoder/config.json": CLIP,
        "scheduler/scheduler_config.json": {"_class_name": "EulerDiscreteScheduler", **SCHEDULER},
        "feature_extractor/preprocessor_config.json": FEATURE_EXTRACTOR,
    }
    for name, values in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    save_half(folder / "vae" / WEIGHTS, models.vae.state_dict(), made_by)
    encoder = models.image_encoder.state_dict()
    save_half(folder / "image_encoder" / "model.safetensors", encoder, made_by)


def save_half(path: Path, tensors: Mapping[str, torch.Tensor], made_by: str) -> None:
    """Write tensors in half precision; buffers of whole numbers are left out."""
    halves = {
        key: value.detach().half().cpu().contiguous()
        for key, value in tensors.items()
        if value.is_floating_point()
    }
    save_file(halves, path, metadata={"format": "pt", "made_by": made_by})
