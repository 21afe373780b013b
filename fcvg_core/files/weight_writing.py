"""Tensors -> a .safetensors file, one tensor in memory at a time.

The library's own function holds the bytes of all tensors at once, which are 6 GB for a whole UNet.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..containers import KINDS, METADATA

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
