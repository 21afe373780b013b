"""Checks of state dicts; faults are described in words for error messages.

A file of weights should hold tensors by name. It can also hold other objects, or numbers in a
wrong format. ComfyUI's nodes and the command line both make these checks before a network loads
weights.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .errors import UserError
from .quoting import in_short, unquoted

StateDict = dict[str, Tensor]
Shapes = Mapping[str, tuple[int, ...]]

NESTED = ("state_dict", "model", "module")  # keys under which a training checkpoint holds weights
MAX_NESTING = 4
# Number formats of weights. A tensor in another format is a counter, quantised, or a mistake.
FLOATS = frozenset(
    getattr(torch, name)
    for name in (
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3fnuz",
        "float8_e5m2fnuz",
    )
)
COUNTERS = ("num_batches_tracked", "position_ids")  # endings of the names of integer tensors


@dataclass(frozen=True)
class Piece:
    """Where a tensor of a network lies in a file.

    Attributes:
        key: name of the file's tensor.
        index, count: which of how many equal parts of this tensor, along its first axis.
    """

    key: str
    index: int = 0
    count: int = 1


def find_prefix(names: Iterable[str], name: str) -> str | None:
    """What precedes a tensor's name in a file: "" or text that ends with a dot; None: no tensor."""
    prefixes = (key.removesuffix(name) for key in names if key.endswith(name))
    return next((prefix for prefix in prefixes if prefix[-1:] in ("", ".")), None)


def unwrap(content: Any) -> tuple[Any, list[str]]:
    """The innermost table of a training checkpoint, and the names of all entries beside it."""
    beside = []
    for _ in range(MAX_NESTING):
        key = next(
            (
                key
                for key in NESTED
                if isinstance(content, Mapping) and isinstance(content.get(key), Mapping)
            ),
            None,
        )
        if key is None:
            break
        beside += [unquoted(name) for name in content if name != key]
        content = content[key]
    return content, beside


def plain_tensors(content: Any, *, name: str) -> StateDict:
    """The tensors of a file by name, without gradients.

    Args:
        content: what the file holds: a table of tensors, or a training checkpoint that contains
            a table of tensors.
        name: name of the file, for the message.

    Raises:
        UserError: the table holds other objects, or tensors that are not plain arrays of numbers.
    """
    table, _ = unwrap(content)
    if not isinstance(table, Mapping):
        raise UserError(
            f"{name} is not a model file: it holds a {type(table).__name__}, but a table of "
            "tensors was expected. Use the original file."
        )
    wrong = [
        f"{unquoted(key)} {fault}" for key, value in table.items() if (fault := _fault(key, value))
    ]
    if wrong:
        raise UserError(
            f"{name} is not a plain table of tensors, as a model file should be: "
            f"{in_short(wrong)}. Use the original file."
        )
    return {key: value.detach() for key, value in table.items()}


def _fault(key: Any, value: Any) -> str | None:
    """Reason why an entry is not a plain tensor with a name; None if it is."""
    if not isinstance(key, str):
        return f"is a {type(key).__name__}, but a name is expected"
    if not isinstance(value, Tensor):
        return f"is a {type(value).__name__}, not a tensor"
    if value.is_quantized:
        return f"is quantised by torch ({number_format(value)})"
    if value.layout != torch.strided or value.is_nested:
        return "is sparse, but a dense tensor is expected"
    if value.is_meta:
        return "has a shape but no values"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return "repeats values that are stored only once"
    if value.ndim > 1 and value.numel() == 0:
        return f"is empty: its shape is {tuple(value.shape)}"
    return None


def misfits(state: Mapping, expected: Shapes, *, partial: bool = False) -> list[str]:
    """Faults of a state dict, one per tensor, in words; an empty list if it fits.

    Args:
        state: tensors by name; tensors on the meta device are allowed.
        expected: shape of every tensor of the network.
        partial: whether tensors may be missing.
    """
    wrong = [
        f"{key} {fault}"
        for key, value in state.items()
        if key in expected and (fault := _misfit(key, value, tuple(expected[key])))
    ]
    if not partial:
        wrong += [f"{key} is missing" for key in expected if key not in state]
    return wrong + [f"{unquoted(key)} is unknown" for key in state if key not in expected]


def _misfit(key: str, value: Any, shape: tuple[int, ...]) -> str | None:
    """Reason why a tensor does not fit a network's tensor of this shape; None if it fits."""
    without_values = isinstance(value, Tensor) and value.is_meta
    if not without_values and (fault := _fault(key, value)):
        return fault
    if tuple(value.shape) != shape:
        return f"has the shape {tuple(value.shape)}, but {shape} is expected"
    if value.dtype not in FLOATS and not is_counter(key, value):
        return (
            f"holds {number_format(value)} numbers, but floating-point weights are expected: use "
            "the original file"
        )
    return None


def is_counter(key: str, value: Tensor) -> bool:
    """Whether a tensor holds integers in every network, judged by its name."""
    return key.endswith(COUNTERS) and not value.is_complex()


def number_format(value: Tensor) -> str:
    """The number format of a tensor, for example "int64"."""
    return str(value.dtype).removeprefix("torch.")
