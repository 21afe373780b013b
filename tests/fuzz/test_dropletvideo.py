"""Whatever DropletVideo's files hold, its readers take it or say what is wrong."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from network_checks import Header

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.config import TransformerConfig, VaeConfig
from fcvg_core.models.dropletvideo.keys import transformer_config, vae_config
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer
from fcvg_core.models.dropletvideo.settings import (
    FILES,
    SAMPLING,
    SCHEDULER,
    TRANSFORMER,
    VAE,
    describe_settings,
    model_settings,
)
from fcvg_core.models.dropletvideo.vae import VideoVae

RULES = {"transformer": TRANSFORMER, "vae": VAE, "scheduler": {**SCHEDULER, **SAMPLING}}
SIZES = st.sampled_from([0, 1, 3, 16, 33, 48, 64, 1920, 2**40])
SHAPES = st.lists(SIZES, max_size=5).map(tuple)
TINY = TransformerConfig(layers=1, heads=3, head_channels=16, time_channels=12, text_channels=8)
READERS = {
    "transformer": (transformer_config, DropletVideoTransformer(TINY, device="meta").state_dict()),
    "vae": (
        vae_config,
        VideoVae(
            VaeConfig(block_channels=(8, 8, 8, 8), layers=1, norm_groups=8), device="meta"
        ).state_dict(),
    ),
}
# What tells sizes is damaged more often than other tensors.
TELLING = (
    "norm_q.weight",
    "proj.weight",
    "proj_out.weight",
    "linear_1.weight",
    "conv_in.conv.weight",
    "resnets.0.conv1.conv.weight",
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
VALUES = st.recursive(
    SCALARS | st.sampled_from([1, 3, 8, 16, 33, 48, 0.7, "silu", "trailing"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
SIZE_KEYS = [
    "num_layers",
    "in_channels",
    "norm_num_groups",
    "block_out_channels",
    "latent_channels",
]


@given(part=st.sampled_from(sorted(READERS)), data=st.data())
def test_damaged_names_and_shapes(part: str, data: st.DataObject) -> None:
    reader, whole = READERS[part]
    names = st.sampled_from(sorted(whole))
    names |= st.sampled_from([name for name in whole if name.endswith(TELLING)])
    dropped = data.draw(st.sets(names, max_size=2))
    state = {name: value for name, value in whole.items() if name not in dropped}
    for name, shape in data.draw(st.dictionaries(names, SHAPES, max_size=2)).items():
        state[name] = Header(shape)
    renamed = data.draw(st.dictionaries(names, st.text(max_size=8) | names, max_size=1))
    state |= {new: state.pop(old) for old, new in renamed.items() if old in state}
    try:
        reader(state, name="x.safetensors")
    except UserError as error:
        assert "x.safetensors" in str(error) and len(str(error)) < 1000


@given(part=st.sampled_from(sorted(READERS)), data=st.data())
def test_config_files_and_tensors(part: str, data: st.DataObject) -> None:
    reader, whole = READERS[part]
    told = data.draw(st.dictionaries(st.sampled_from(SIZE_KEYS), VALUES, max_size=2) | VALUES)
    try:
        reader(whole, name="x.safetensors", told=told)
    except UserError as error:
        assert FILES[part] in str(error) and len(str(error)) < 1000


def test_more_layers_than_any_network_has() -> None:
    """A few names must not ask for a network that takes minutes to make."""
    state = READERS["transformer"][1] | {
        f"transformer_blocks.{i}.attn1.norm_q.weight": Header((16,)) for i in range(4000)
    }
    with pytest.raises(UserError, match="x.safetensors"):
        transformer_config(state, name="x.safetensors")
    block = "encoder.down_blocks.0.resnets.{}.conv1.conv.weight"
    state = READERS["vae"][1] | {block.format(i): torch.empty(1) for i in range(4000)}
    with pytest.raises(UserError, match="x.safetensors"):
        vae_config(state, name="x.safetensors")


@given(part=st.sampled_from(sorted(RULES)), data=st.data())
def test_config_files(part: str, data: st.DataObject) -> None:
    keys = st.sampled_from([*RULES[part], "more"])
    content = data.draw(st.dictionaries(keys, VALUES, max_size=4) | VALUES)
    try:
        assert len(describe_settings(model_settings({part: content}))) < 300
    except UserError as error:
        assert FILES[part] in str(error) and len(str(error)) < 1000
