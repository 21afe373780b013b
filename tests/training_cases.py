"""Clips of random values and networks for the tests of training."""

import copy
import functools
from dataclasses import replace

import torch
from stand_ins import UNET, fill

from fcvg_core.models.controlnext import V2, ControlNeXt
from fcvg_core.standalone.networks.one_token import use_one_token
from fcvg_core.standalone.networks.passes import EncodedImage
from fcvg_core.training.clips import Clip
from fcvg_core.training.steps import SteeredUnet

SIZE = (32, 64)
LATENT = (4, SIZE[0] // 8, SIZE[1] // 8)
FRAMES = 3
IDS = (6.0, 127.0, 0.02)
# The stand-in UNet with two blocks of four, and one layer in each: all kinds of layers are there.
SHALLOW = UNET | {
    "block_out_channels": [64, 64],
    "num_attention_heads": [1, 1],
    "layers_per_block": 1,
    "down_block_types": ["CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"],
}


def random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_clip(seed: int = 0, **changes) -> Clip:
    """A clip with two images and control frames; what is not named is random."""
    images = tuple(EncodedImage(random(seed + i, 1, 1, 64), random(i, 1, *LATENT)) for i in (1, 2))
    given = {
        "latents": random(seed, FRAMES, *LATENT),
        "images": images,
        "control": random(seed + 3, FRAMES, 3, *SIZE).sigmoid(),
        "ids": IDS,
    }
    return Clip(**{**given, **changes})


def make_network(**changes) -> SteeredUnet:
    """A shallow UNet, as the loader would make it, under a ControlNeXt."""
    return SteeredUnet(*copy.deepcopy(_networks()), **changes).requires_grad_(False)


@functools.cache
def _networks() -> tuple[torch.nn.Module, ControlNeXt]:
    from diffusers import UNetSpatioTemporalConditionModel

    unet = UNetSpatioTemporalConditionModel(**SHALLOW)
    unet.load_state_dict(fill(unet))
    use_one_token(unet)
    controlnext = ControlNeXt(replace(V2, out_channels=SHALLOW["block_out_channels"][0]))
    controlnext.load_state_dict(fill(controlnext))
    return unet.eval(), controlnext.eval()
