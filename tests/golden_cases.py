"""Golden cases of the reference, for the tests of both faces."""

import functools
import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

_OWN = Path(__file__).parent / "golden"
_FILL = _OWN / "fill.py"
FOLDER = Path(os.environ.get("FCVG_GOLDEN") or _OWN)


def each_case(rooms: str | tuple[str, ...], *kinds: str):
    """Run a test once for each case of some kinds in one or more folders of the golden cases."""
    rooms = (rooms,) if isinstance(rooms, str) else rooms
    cases = [case for room in rooms for kind in kinds for case in find_cases(FOLDER / room, kind)]
    return pytest.mark.parametrize(("meta", "tensors"), cases, ids=[m["name"] for m, _ in cases])


def find_cases(folder: Path, kind: str) -> list[tuple[dict, dict]]:
    """Every case of a kind: what its .json says, and its tensors."""
    cases = find_documents(folder)
    return [({**meta, "name": name}, x) for name, meta, x in cases if meta.get("kind") == kind]


def find_documents(folder: Path) -> list[tuple[str, dict, dict]]:
    """Every case of a folder: its name, what its .json says, and its tensors."""
    return [
        (path.stem, json.loads(path.read_text(encoding="utf-8")), load_file(tensors))
        for path in sorted(folder.glob("*.json"))
        if (tensors := path.with_suffix(".safetensors")).exists()
    ]


def fill(shapes: dict, meta: dict) -> dict[str, torch.Tensor]:
    """The weights of a case under the official names; cases that share them share tensors."""
    return dict(_fill(tuple(shapes.items()), meta.get("gain", 1.0), meta.get("salt", "")))


@functools.cache
@torch.inference_mode(False)  # a later test may put them into a network outside of this mode
def _fill(shapes: tuple, gain: float, salt: str) -> dict[str, torch.Tensor]:
    spec = importlib.util.spec_from_file_location("golden_fill", _FILL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    values = module.fill(dict(shapes), gain=gain, salt=salt)
    return {key: torch.from_numpy(value) for key, value in values.items()}


def unet_weights(meta: dict) -> dict[str, torch.Tensor]:
    """Weights of the UNet that a case describes, in diffusers' names."""
    return fill(_shapes(empty_unet(meta)), meta)


def controlnext_weights(meta: dict) -> dict[str, torch.Tensor]:
    """Weights of the ControlNeXt that a case describes; its kind tells the version."""
    from fcvg_core.models.controlnext import V1, V2, ControlNeXt

    config = V1 if "v1" in meta["kind"] else V2
    channels = meta.get("controlnext_out_channels", config.out_channels)
    network = ControlNeXt(replace(config, out_channels=channels), device="meta")
    weights = fill(_shapes(network), meta)
    if "learned_scale" in meta:  # fill's are so small that both halves' levels are the same
        weights["scale"] = torch.tensor(meta["learned_scale"])
    return weights


def empty_unet(meta: dict):
    """diffusers' UNet of a case, without memory."""
    from accelerate import init_empty_weights
    from diffusers import UNetSpatioTemporalConditionModel

    with init_empty_weights():
        return UNetSpatioTemporalConditionModel.from_config(meta["unet_config"])


def unet(meta: dict):
    """diffusers' UNet of a case, with its weights."""
    network = empty_unet(meta)
    network.load_state_dict(unet_weights(meta), assign=True)
    return network.eval()


def controlnext(meta: dict):
    """The ControlNeXt of a case, with its weights."""
    from fcvg_core.models.controlnext import ControlNeXt, controlnext_config

    weights = controlnext_weights(meta)
    network = ControlNeXt(controlnext_config(weights, name="golden"))
    network.load_state_dict(weights)
    return network.eval()


def _shapes(module: torch.nn.Module) -> dict:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a case in numpy's format; the test is skipped where a set of cases lacks it."""
    if not path.exists():
        pytest.skip(f"no golden case {path}")
    return dict(np.load(path))
