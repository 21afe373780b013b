"""Whatever a file names its tensors, DynamiCrafter's readers take it or say what is wrong."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from network_checks import Header
from unet3d_cases import TINY

from fcvg_core.errors import UserError
from fcvg_core.models.dynamicrafter.keys import (
    find_variant,
    projector_config,
    split_checkpoint,
    unet3d_config,
)
from fcvg_core.models.dynamicrafter.projector import ImageProjector, ProjectorConfig
from fcvg_core.models.unet3d import UNet3D

SIZES = st.sampled_from([0, 1, 3, 32, 63, 64, 128, 2**40])
SHAPES = st.lists(SIZES, max_size=5).map(tuple)
PROJECTOR = ProjectorConfig(
    in_channels=8, channels=8, out_channels=24, num_tokens=32, depth=1, heads=1
)


def checkpoint() -> dict[str, torch.Tensor]:
    unet = UNet3D(replace(TINY, channel_mult=(1,), head_channels=64), device="meta").state_dict()
    projector = ImageProjector(PROJECTOR, device="meta").state_dict()
    return {
        **{f"model.diffusion_model.{name}": value for name, value in unet.items()},
        **{f"image_proj_model.{name}": value for name, value in projector.items()},
        "scale_arr": torch.linspace(1, 0.7, 1400),
    }


WHOLE = checkpoint()
NAMES = sorted(WHOLE)
# What tells sizes is damaged more often than other tensors.
TELLING = [name for name in NAMES if name.endswith(("proj_in.weight", "to_k.weight", "latents"))]
TELLING += [name for name in NAMES if ".0.0.weight" in name or "in_layers.2" in name]
NAME = st.sampled_from(NAMES) | st.sampled_from(TELLING)


@given(
    dropped=st.sets(NAME, max_size=2),
    reshaped=st.dictionaries(NAME, SHAPES, max_size=2),
    renamed=st.dictionaries(NAME, st.text(max_size=8) | NAME, max_size=1),
    scales=st.lists(st.floats(width=32), max_size=2),
)
def test_damaged_names_and_shapes(dropped, reshaped, renamed, scales):
    state = {name: value for name, value in WHOLE.items() if name not in dropped}
    state |= {name: Header(shape) for name, shape in reshaped.items()}
    state |= {new: state.pop(old) for old, new in renamed.items() if old in state}
    state["scale_arr"] = torch.tensor(scales)
    try:
        parts = split_checkpoint(state, name="x.ckpt")
        find_variant(parts, name="dynamicrafter_512.ckpt")
        unet3d_config(parts.unet, name="x.ckpt")
        projector_config(parts.projector, name="x.ckpt")
    except UserError as error:
        assert ".ckpt" in str(error) and len(str(error)) < 1000


def test_more_blocks_than_any_network_has() -> None:
    """A few names must not ask for a network that takes minutes to make."""
    count = 4000
    parts, half = split_checkpoint(WHOLE, name="x.ckpt"), count // 2
    blocks = {f"input_blocks.{1 + i}.0.in_layers.2.weight" for i in range(half)}
    levels = {f"input_blocks.{1 + half + i}.0.op.weight" for i in range(half)}
    for names in (blocks, blocks | levels):
        with pytest.raises(UserError, match=r"x\.ckpt"):
            unet3d_config(parts.unet | dict.fromkeys(names, Header((64, 64, 3, 3))), name="x.ckpt")
    layers = {f"layers.{i}.0.to_q.weight": Header((64, 8)) for i in range(count)}
    with pytest.raises(UserError, match=r"x\.ckpt"):
        projector_config(parts.projector | layers, name="x.ckpt")
