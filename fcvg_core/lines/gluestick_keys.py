"""The official files of GlueStick and SuperPoint -> weights for `GlueStickNetwork`, `SuperPoint`.

The input is the result of torch.load(..., weights_only=True). `checkpoint_GlueStick_MD.tar` is a
whole training checkpoint; a file with its state dict alone is also accepted.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from ..quoting import first_names, in_short
from ..weights import Shapes, StateDict, misfits, plain_tensors, unwrap
from .gluestick import Config
from .superpoint import LAYERS

GLUESTICK_FILE, SUPERPOINT_FILE = "checkpoint_GlueStick_MD.tar", "superpoint_v1.pth"
SOURCES = {
    GLUESTICK_FILE: "https://github.com/cvg/GlueStick/releases/download/v0.1_arxiv/"
    "checkpoint_GlueStick_MD.tar (112,588,421 bytes)",
    SUPERPOINT_FILE: "https://github.com/cvg/GlueStick/raw/main/resources/weights/"
    "superpoint_v1.pth (its licence allows non-commercial research only)",
}
NORM_EPSILON = 1e-5
NORM_KEYS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def read_gluestick(state: Any, *, name: str, config: Config | None = None) -> StateDict:
    """Weights of GlueStickNetwork from the official file.

    Args:
        state: contents of the file; None if the file is missing.
        name: name of the file, for messages.
        config: sizes of the network.

    Raises:
        UserError: the file is missing, or it is a different file.
    """
    config = config or Config()
    official = _table(state, GLUESTICK_FILE, name)
    official = {
        key.replace("matcher.", "").replace("module.", ""): value
        for key, value in official.items()
        if isinstance(key, str) and "matcher." in key
    } or official
    return fold(
        check_weights(official, gluestick_shapes(config), name=name, wanted=GLUESTICK_FILE), config
    )


def read_superpoint(state: Any, *, name: str) -> StateDict:
    """Weights of SuperPoint from its official file; arguments and errors as in `read_gluestick`."""
    official = _table(state, SUPERPOINT_FILE, name)
    return check_weights(official, superpoint_shapes(), name=name, wanted=SUPERPOINT_FILE)


def fold(official: StateDict, config: Config) -> StateDict:
    """Official weights of GlueStick -> weights of GlueStickNetwork, in float32.

    Args:
        official: the 453 tensors that `gluestick_shapes` lists.
        config: sizes of the network.
    """
    weights = {key: value.double().cpu() for key, value in official.items()}
    folded = {
        "bin_score": weights["bin_score"],
        "line_bin_score": weights["line_bin_score"],
        **_fold_mlp(weights, "kenc.encoder", "kenc", len(config.encoder)),
        **_fold_mlp(weights, "lenc.encoder", "lenc", len(config.encoder)),
    }
    for i in range(2 * config.rounds):
        folded |= _fold_attention(weights, i, config)
    for i in range(config.rounds):
        folded |= _fold_mlp(weights, f"gnn.line_layers.{i}.mlp", f"line_layers.{i}", 1)
    for key in ("final_proj", "final_line_proj"):
        folded |= _named(key, weights[f"{key}.weight"][:, :, 0], weights[f"{key}.bias"])
    return {key: value.float().contiguous() for key, value in folded.items()}


def _fold_attention(weights: StateDict, i: int, config: Config) -> StateDict:
    """One attention layer: heads made contiguous, the merging projection folded into the MLP."""
    old, new, dim = f"gnn.layers.{i}.update", f"layers.{i}", config.dim
    # The official code's channel d * heads + h is channel h * (dim / heads) + d here.
    order = torch.arange(dim).reshape(-1, config.heads).T.flatten()
    projections = [f"{old}.attn.proj.{j}" for j in range(3)]
    weight = torch.cat([weights[f"{key}.weight"][order, :, 0] for key in projections])
    bias = torch.cat([weights[f"{key}.bias"][order] for key in projections])
    folded = _fold_mlp(weights, f"{old}.mlp", f"{new}.mlp", 1)
    first = folded[f"{new}.mlp.0.weight"]
    own, message = first[:, :dim], first[:, dim:]
    merge = weights[f"{old}.attn.merge.weight"][:, order, 0]
    folded[f"{new}.mlp.0.weight"] = torch.cat([own, message @ merge], dim=1)
    folded[f"{new}.mlp.0.bias"] += message @ weights[f"{old}.attn.merge.bias"]
    return folded | _named(f"{new}.qkv", weight, bias)


def _fold_mlp(weights: StateDict, old: str, new: str, hidden: int) -> StateDict:
    """Convolution, normalisation, ReLU, ..., convolution -> linear, ReLU, ..., linear."""
    folded = {}
    for i in range(hidden + 1):
        weight = weights[f"{old}.{3 * i}.weight"][:, :, 0]
        bias = weights[f"{old}.{3 * i}.bias"]
        if i < hidden:
            scale, shift, mean, var = (weights[f"{old}.{3 * i + 1}.{key}"] for key in NORM_KEYS[:4])
            scale = scale / (var + NORM_EPSILON).sqrt()
            weight, bias = weight * scale[:, None], (bias - mean) * scale + shift
        folded |= _named(f"{new}.{2 * i}", weight, bias)
    return folded


def _named(name: str, weight: Tensor, bias: Tensor) -> StateDict:
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def gluestick_shapes(config: Config) -> Shapes:
    """Official names and shapes of GlueStick's tensors."""
    dim = config.dim
    shapes: dict[str, tuple[int, ...]] = {"bin_score": (), "line_bin_score": ()}
    shapes |= _mlp_shapes("kenc.encoder", (3, *config.encoder, dim))
    shapes |= _mlp_shapes("lenc.encoder", (5, *config.encoder, dim))
    for i in range(2 * config.rounds):
        for part in ("merge", "proj.0", "proj.1", "proj.2"):
            shapes |= _conv_shapes(f"gnn.layers.{i}.update.attn.{part}", dim, dim)
        shapes |= _mlp_shapes(f"gnn.layers.{i}.update.mlp", (2 * dim, 2 * dim, dim))
    for i in range(config.rounds):
        shapes |= _mlp_shapes(f"gnn.line_layers.{i}.mlp", (3 * dim, 2 * dim, dim))
    for key in ("final_proj", "final_line_proj"):
        shapes |= _conv_shapes(key, dim, dim)
    return shapes


def superpoint_shapes() -> Shapes:
    """Official names and shapes of SuperPoint's tensors."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (channels, out_channels, size) in LAYERS.items():
        shapes |= _conv_shapes(name, channels, out_channels, (size, size))
    return shapes


def _mlp_shapes(name: str, widths: tuple[int, ...]) -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {}
    last = len(widths) - 2
    for i in range(last + 1):
        shapes |= _conv_shapes(f"{name}.{3 * i}", widths[i], widths[i + 1])
        if i < last:
            for key in NORM_KEYS:
                scalar = key == "num_batches_tracked"
                shapes[f"{name}.{3 * i + 1}.{key}"] = () if scalar else (widths[i + 1],)
    return shapes


def _conv_shapes(name: str, channels: int, out: int, kernel: tuple[int, ...] = (1,)) -> Shapes:
    return {f"{name}.weight": (out, channels, *kernel), f"{name}.bias": (out,)}


def check_weights(state: dict, expected: Shapes, *, name: str, wanted: str) -> StateDict:
    """The tensors of a file, if their names, shapes and values are as expected.

    Args:
        state: tensors by name, without prefixes.
        expected: shape of every tensor.
        name: name of the file, for the message.
        wanted: name of the official file that is needed.

    Raises:
        UserError: the message names the first wrong tensors.
    """
    wrong = misfits(state, expected)
    tensors = {} if wrong else plain_tensors(state, name=name)
    wrong += [
        f"{key} holds NaN or infinite values"
        for key, value in tensors.items()
        if not value.float().isfinite().all()
    ]
    if wrong:
        raise UserError(
            f"{name} does not fit: it is {describe_checkpoint(state)}. {in_short(wrong)}. "
            f"GlueStick needs {wanted}; get it from {SOURCES[wanted]}."
        )
    return tensors


def describe_checkpoint(state: Mapping) -> str:
    """Kind of a checkpoint, judged by its keys, in words for an error message."""
    keys = [key for key in state if isinstance(key, str)]
    for kind, mark in (
        ("a GlueStick checkpoint", "lenc.encoder.0.weight"),
        ("SuperPoint's weights", "convDb.weight"),
        ("a SuperGlue checkpoint", "gnn.layers.0.attn.merge.weight"),
        ("a LightGlue checkpoint", "self_attn.0.Wqkv.weight"),
    ):
        if any(key.endswith(mark) for key in keys):
            return kind
    first = first_names(state)
    return f"an unknown file of {len(state)} entries" + (f" ({first}, ...)" if first else "")


def _table(state: Any, wanted: str, name: str) -> dict:
    """The state dict of a file, which is the file itself or lies inside a training checkpoint."""
    if state is None:
        raise UserError(f"{wanted} is missing; GlueStick needs it: get it from {SOURCES[wanted]}.")
    if not isinstance(state, Mapping):
        raise UserError(
            f"{name} holds a {type(state).__name__}, not weights. "
            f"GlueStick needs {wanted}; get it from {SOURCES[wanted]}."
        )
    return dict(unwrap(state)[0])
