"""Whatever a file names its tensors, the sizes of CLIP's encoders are read or refused."""

import json
from types import SimpleNamespace

import pytest
from dynamicrafter_stand_ins import MANIFEST, TEXT, VISION
from hypothesis import given
from hypothesis import strategies as st

from fcvg_core.clip import CLIP_SIZE
from fcvg_core.errors import UserError
from fcvg_core.models.clip_towers import (
    MOST_TOKENS,
    TEXT_MARK,
    VISION_MARK,
    find_tower,
    text_sizes,
    vision_sizes,
)
from fcvg_core.models.kinds import MOST_CHANNELS

SIZES = st.sampled_from([0, 1, 14, 32, 63, 64, 80, 128, 64 * 80 * 20, 2**17, 2**40])
SHAPES = st.lists(SIZES, max_size=5).map(tuple)


def official(prefix: str) -> dict[str, SimpleNamespace]:
    """The official tensors of an encoder without values, of the first layer."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    names = next(names for name, names in manifest.items() if "512" in name)
    return {
        key.removeprefix(prefix): SimpleNamespace(shape=shape)
        for key, shape in names.items()
        if key.startswith(prefix) and ("resblocks." not in key or "resblocks.0." in key)
    }


ENCODERS = {
    "text": (official(f"{TEXT}model."), TEXT_MARK, text_sizes),
    "vision": (official(f"{VISION}model."), VISION_MARK, vision_sizes),
}


@pytest.mark.parametrize("kind", ENCODERS)
@given(data=st.data())
def test_damaged_names_and_shapes(kind, data):
    whole, mark, sizes = ENCODERS[kind]
    name = st.sampled_from(sorted(whole))
    dropped = data.draw(st.sets(name, max_size=2))
    reshaped = data.draw(st.dictionaries(name, SHAPES, max_size=2))
    renamed = data.draw(st.dictionaries(name, st.text(max_size=8) | name, max_size=1))
    state = {key: value for key, value in whole.items() if key not in dropped}
    state |= {key: SimpleNamespace(shape=shape) for key, shape in reshaped.items()}
    state |= {new: state.pop(old) for old, new in renamed.items() if old in state}
    tower = find_tower(state, mark)
    if tower is None:
        return
    try:
        found = sizes(state, tower, name="x.ckpt")
    except UserError as error:
        assert "x.ckpt" in str(error) and len(str(error)) < 1000
    else:
        numbers = [value for value in found.values() if isinstance(value, int)]
        assert all(0 <= number <= MOST_TOKENS for number in numbers)
        assert max(found["hidden_size"], found["intermediate_size"]) <= MOST_CHANNELS
        assert found.get("patch_size", 1) <= CLIP_SIZE
