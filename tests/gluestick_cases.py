"""Golden cases of GlueStick: lists them, and loads their tensors and weights."""

import json
import os
from pathlib import Path

import numpy as np
import torch
from golden_cases import fill
from safetensors.torch import load_file

OWN_FOLDER = Path(__file__).parent / "golden" / "gluestick"
FOLDER = Path(os.environ.get("FCVG_GOLDEN") or OWN_FOLDER.parent) / "gluestick"
# Kind of case -> one of its tensors. A case is of the first kind whose tensor it has.
MARKS = {
    "e2e": "lsd_lines0",
    "gnn": "in_keypoints0",
    "wireframe": "sp_keypoints",
    "superpoint": "dense_scores",
}


def cases(kind: str) -> list[Path]:
    """The .json files of a kind."""
    return [path for path in sorted(FOLDER.glob("*.json")) if _kind(path) == kind]


def _kind(path: Path) -> str | None:
    meta = json.loads(path.read_text(encoding="utf-8"))
    tensors = meta.get("tensors", {}) if path.with_suffix(".safetensors").exists() else {}
    return next((kind for kind, mark in MARKS.items() if mark in tensors), None)


def load(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Configuration and tensors of a case; the configuration's "tensors" tell about these."""
    meta = json.loads(path.read_text(encoding="utf-8"))
    return {**meta["config"], "tensors": meta["tensors"]}, load_file(
        path.with_suffix(".safetensors")
    )


def weights(network: str, config: dict) -> dict[str, torch.Tensor]:
    """Official weights of "gluestick" or "superpoint" for a case."""
    names = json.loads((OWN_FOLDER / "keys.json").read_text(encoding="utf-8"))[network]
    short = {"gluestick": "matcher", "superpoint": "superpoint"}[network]
    gain = config.get(f"{short}_gain", config.get("gain", 1.0))
    shapes = {key: tuple(shape) for key, shape in names.items()}
    filled = fill(shapes, {"gain": gain, "salt": config.get("salt", "")})
    # Where one case holds both networks, the scales are the matcher's.
    scaled = network == "gluestick" or "matcher_gain" not in config
    for suffix, factor in (config.get("scale", {}) if scaled else {}).items():
        for key in filled:
            if key.endswith(suffix):
                filled[key] = filled[key] * np.float32(factor)
    return filled
