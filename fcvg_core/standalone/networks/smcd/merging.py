"""The three files of an SMCD model -> one .safetensors file, one tensor in memory at a time."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor

from ....catalogue.stand_ins import MARK, SAID, is_stand_in
from ....failures import check_room
from ....files.weight_writing import (
    check_target,
    in_format,
    read_in_formats,
    refuse_existing,
    write_tensors,
)
from ....files.writing import write_aside
from ....progress import Progress, silent
from ..parts import CheckedPart
from .files import SmcdFiles, check_own


def merge_smcd(
    files: SmcdFiles,
    target: Path,
    *,
    dtype: torch.dtype | None = None,
    progress: Progress = silent,
) -> int:
    """Write all networks of a model into one file, which both faces load and ComfyUI streams.

    Args:
        files: of which only SMCD's own three count.
        target: a new .safetensors file.
        dtype: number format; None: that of each file.
        progress: is told how many tensors are written.

    Returns:
        How many tensors were written.

    Raises:
        UserError: a file is missing, damaged, holds another network or values that are too large
            for the number format; `target` exists or can't be written.
    """
    check_target(target)
    parts, _ = check_own(files, torch.float32)
    shapes = {
        f"{network}.{name}": in_format(part.file.shapes[piece.key], dtype)
        for network, part in parts.items()
        for name, piece in part.pieces.items()
    }
    size = sum(x.numel() * x.element_size() for x in shapes.values())
    about = {"format": "pt"}
    if any(is_stand_in(path) for part in parts.values() for path in part.file.paths):
        about[MARK] = SAID
    remedy = "Make room there, or choose a folder on another disk with -o."
    with write_aside(target) as aside:
        check_room(target.parent, size, what="the file needs", remedy=remedy)
        write_tensors(aside, shapes, lambda names: _read(parts, shapes, names, progress), about)
        refuse_existing(target)  # writing takes a while
    return len(shapes)


def _read(
    parts: Mapping[str, CheckedPart],
    shapes: Mapping[str, Tensor],
    names: Iterable[str],
    progress: Progress,
) -> Iterator[tuple[str, Tensor]]:
    """The tensors of all networks in the order of their names, each from its network's file."""
    done = 0
    for network, some in groupby(names, lambda name: name.partition(".")[0]):
        part = parts[network]
        keys = {part.pieces[name.partition(".")[2]].key: name for name in some}
        wanted = {key: shapes[name] for key, name in keys.items()}
        for key, tensor in read_in_formats(part.file, wanted, wanted):
            done += 1
            progress("writing", done, len(shapes))
            yield keys[key], tensor
