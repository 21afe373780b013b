"""What is wrong with a state dict, in words.

A file of weights holds tensors by name. It may also hold other things, or numbers of an unexpected
type. Both faces check a file here before a network gets its tensors.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .errors import UserError
from .quoting import in_short, shown

StateDict = dict[str, Tensor]
Shapes = Mapping[str, tuple[int, ...]]

NESTED = ("state_dict", "model", "module")  # where a training checkpoint keeps its weights
MAX_NESTING = 4
# Number types of weights; a tensor of another type is a counter, quantised or a mistake.
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
COUNTERS = ("num_batches_tracked", "position_ids")  # endings of names whose tensors count


def unwrap(found: Any) -> tuple[Any, list[str]]:
    """The innermost table of a training checkpoint, and the names of the entries beside it."""
    left = []
    for _ in range(MAX_NESTING):
        key = next(
            (
                key
                for key in NESTED
                if isinstance(found, Mapping) and isinstance(found.get(key), Mapping)
            ),
            None,
        )
        if key is None:
            break
        left += [shown(name) for name in found if name != key]
        found = found[key]
    return found, left


def plain_tensors(found: Any, *, name: str) -> StateDict:
    """The tensors in what a file holds, by name, without gradients.

    Args:
        found: a table of tensors, or a training checkpoint that holds such a table.
        name: of the file, for the message.

    Raises:
        UserError: the file holds other things, or tensors that are no plain arrays of numbers.
    """
    found, _ = unwrap(found)
    if not isinstance(found, Mapping):
        raise UserError(
            f"{name} holds no plain list of tensors, which a model file should: it holds "
            f"a {type(found).__name__}."
        )
    wrong = [
        f"{shown(key)} {fault}" for key, value in found.items() if (fault := _fault(key, value))
    ]
    if wrong:
        raise UserError(
            f"{name} holds no plain list of tensors, which a model file should: "
            f"{in_short(wrong)}. Take the original file."
        )
    return {key: value.detach() for key, value in found.items()}


def _fault(key: Any, value: Any) -> str | None:
    """What keeps an entry from being a plain tensor with a name."""
    if not isinstance(key, str):
        return f"is a {type(key).__name__} where a name should be"
    if not isinstance(value, Tensor):
        return f"is a {type(value).__name__} and no tensor"
    if value.is_quantized:
        return f"is quantised by torch ({kind_of(value)})"
    if value.layout != torch.strided or value.is_nested:
        return "is sparse, and should be dense"
    if value.is_meta:
        return "has a shape and no values"
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return "repeats values that are stored once"
    if value.ndim > 1 and value.numel() == 0:
        return f"is empty: its shape is {tuple(value.shape)}"
    return None


def misfits(state: Mapping, expected: Shapes, *, partial: bool = False) -> list[str]:
    """What is wrong with each tensor of a state dict, in words; empty if all fit.

    Args:
        state: tensors by name; a tensor on the meta device is checked by its shape and type.
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
    return wrong + [f"{shown(key)} is unknown" for key in state if key not in expected]


def _misfit(key: str, value: Any, shape: tuple[int, ...]) -> str | None:
    """What keeps a tensor from being a network's tensor of this shape."""
    without_values = isinstance(value, Tensor) and value.is_meta
    if not without_values and (fault := _fault(key, value)):
        return fault
    if tuple(value.shape) != shape:
        return f"is {tuple(value.shape)} and should be {shape}"
    if value.dtype not in FLOATS and not is_counter(key, value):
        return (
            f"holds {kind_of(value)} numbers where floating-point weights are expected: take "
            "the original file"
        )
    return None


def is_counter(key: str, value: Tensor) -> bool:
    """Whether a tensor counts something: such tensors hold whole numbers in every network."""
    return key.endswith(COUNTERS) and not value.is_complex()


def kind_of(value: Tensor) -> str:
    """Type of a tensor's numbers, such as "int64"."""
    return str(value.dtype).removeprefix("torch.")
