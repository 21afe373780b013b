"""Pickled weights -> a .safetensors file beside them, which opens fast and can hold no code."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...catalogue.integrity import check_name
from ...containers import METADATA, SAFETENSORS
from ...errors import UserError
from ...failures import free_room, is_disk_full
from ...files.weight_files import read_pickle
from ...files.writing import write_aside
from ...quoting import unquoted
from ...weights import unwrap

PICKLES = (".tar", ".pth", ".pt", ".bin", ".ckpt")
MAX_GROWTH = 8  # tensors that share memory in a pickle are written one by one


def convert(path: Path) -> tuple[Path, list[str]]:
    """Rewrite a file's weights, value for value, and leave the file as it is.

    Args:
        path: a file that torch.save wrote. From a training checkpoint only the weights are used.

    Returns:
        The new file, and the names of all entries that are left out: entries that are no weights,
        or not weights of the model.

    Raises:
        UserError: the file was not written by torch.save, the new file exists, or a .safetensors
            file can't hold these weights.
    """
    if path.suffix.lower() in SAFETENSORS:
        raise UserError(f"{path} is a .safetensors file already.")
    if path.suffix.lower() not in PICKLES:
        raise UserError(f"{path} is no pickled model file: expected {', '.join(PICKLES)}.")
    check_name(path)
    target = path.with_suffix(".safetensors")
    _refuse_existing(target)
    tensors, left_out = _tensors(read_pickle(path), path)
    _write(tensors, path, target)
    return target, left_out


def _write(tensors: dict[str, Tensor], path: Path, target: Path) -> None:
    """Write the whole file or no file, with the access rights of `path`."""
    from safetensors.torch import save_file

    try:
        with write_aside(target) as part:
            save_file(_apart(tensors), part, metadata={"format": "pt"})
            shutil.copymode(path, part)
            _refuse_existing(target)  # writing takes a while
    except UserError:
        raise
    # The library raises errors of its own for sparse tensors, which it can't write, and for a full
    # disk.
    except Exception as error:
        room = f"{free_room(target)} Make room there." if is_disk_full(error) else ""
        raise UserError(
            f"{target} can't be written: {error}.{room} {path} is not changed."
        ) from error


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise UserError(f"{target} exists already and is not changed: move it away first.")


def _tensors(found: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """The weights of a file, and the names of its other entries."""
    found, left_out = unwrap(found)
    if not isinstance(found, Mapping):
        raise UserError(f"{path} holds {type(found).__name__} and no list of weights.")
    named = [(str(key), value) for key, value in found.items() if isinstance(value, Tensor)]
    tensors = dict(named)
    if not tensors:
        raise UserError(f"{path} holds no weights.")
    if len(tensors) < len(named) or METADATA in tensors:
        raise UserError(f"{path} has two weights of one name, or one called {METADATA}.")
    size, became = path.stat().st_size, sum(x.numel() * x.element_size() for x in tensors.values())
    if became > MAX_GROWTH * size:
        raise UserError(
            f"{path} would become {became / size:.0f} times as large, because many of its tensors "
            "share the same values. A file of weights does not do this."
        )
    return tensors, left_out + [
        unquoted(key) for key, value in found.items() if not isinstance(value, Tensor)
    ]


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous tensors that share no memory, which a .safetensors file can't express."""
    seen, result = set(), {}
    for key, tensor in tensors.items():
        tensor = tensor.resolve_conj().resolve_neg()
        place = tensor.untyped_storage().data_ptr()
        shared = place in seen or tensor.untyped_storage().nbytes() != tensor.nbytes
        seen.add(place)
        whole = tensor.contiguous()
        result[key] = whole.clone(memory_format=torch.contiguous_format) if shared else whole
    return result
