"""Tensors -> a .safetensors file, one tensor in memory at a time.

The library's own function holds the bytes of all tensors at once, which are 6 GB for a whole UNet.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor

from ..containers import KINDS, METADATA, SAFETENSORS
from ..errors import UserError
from .weight_files import WeightFile

_NAMES = {torch_name: name for name, (torch_name, _) in KINDS.items()}
_ALIGNED = 8  # bytes; the first tensor begins at a multiple of this


def write_tensors(
    path: Path,
    shapes: Mapping[str, Tensor],
    read: Callable[[Iterable[str]], Iterator[tuple[str, Tensor]]],
    metadata: Mapping[str, str],
) -> None:
    """Write a .safetensors file; call this with the temporary path of `write_aside`.

    Args:
        shapes: every tensor by name, with the shape and the number format that it is written in;
            the meta device is enough.
        read: gives names and tensors in the order of the names that it is given.
        metadata: texts by name.

    Raises:
        ValueError: `read` gives another tensor than `shapes` says.
    """
    # Readers map tensors from the file, so each must begin at a multiple of its numbers' size.
    names = sorted(shapes, key=lambda name: -shapes[name].element_size())
    header = _header({name: shapes[name] for name in names}, metadata)
    with open(path, "wb") as opened:
        opened.write(len(header).to_bytes(8, "little") + header)
        for expected, (name, tensor) in zip(names, read(names), strict=True):
            found, wanted = (name, tensor.shape, tensor.dtype), shapes[expected]
            if found != (expected, wanted.shape, wanted.dtype):
                raise ValueError(f"expected {expected} as {wanted.dtype}, got {found}")
            opened.write(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())


def in_format(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    """A tensor's shape on the meta device, in a number format; None and integers: its own."""
    kept = dtype is None or not tensor.is_floating_point()
    return torch.empty(tensor.shape, dtype=tensor.dtype if kept else dtype, device="meta")


def check_target(path: Path) -> None:
    """Raise UserError unless a path can become a new file of weights."""
    if path.suffix.lower() not in SAFETENSORS:
        raise UserError(f"{path} should be a file of weights: give it the ending .safetensors.")
    refuse_existing(path)
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent}: make it, or choose another place.")


def refuse_existing(path: Path) -> None:
    """Raise UserError if there is a file: nothing is overwritten."""
    if path.exists():
        raise UserError(f"{path} exists already, and nothing is overwritten: name a new place.")


def read_in_formats(
    file: WeightFile, shapes: Mapping[str, Tensor], names: Iterable[str]
) -> Iterator[tuple[str, Tensor]]:
    """Tensors in the order of their names, each in its own number format."""
    for dtype, some in groupby(names, lambda name: shapes[name].dtype):
        yield from file.read(list(some), dtype)


def _header(shapes: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """The JSON before the numbers, filled up with spaces."""
    table, place = {METADATA: dict(metadata)}, 0
    for name, tensor in shapes.items():
        end = place + tensor.numel() * tensor.element_size()
        kind = _NAMES[str(tensor.dtype).removeprefix("torch.")]
        table[name] = {
            "dtype": kind,
            "shape": list(tensor.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(table).encode()
    return text + b" " * (-len(text) % _ALIGNED)
