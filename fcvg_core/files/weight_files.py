"""Files of weights -> their tensors; each tensor is read only when it is needed."""

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..containers import SAFETENSORS, Entry, check_pickle, read_header
from ..errors import UserError
from ..weights import kind_of, plain_tensors
from .plain_file import check_file

WEIGHTS = "a file of weights"
WEIGHT_FILES = (*SAFETENSORS, ".bin", ".pt", ".pth", ".ckpt")
# Pages read from a memory-mapped file count as used memory until the file is closed, so it is
# reopened after this many bytes.
REOPEN_BYTES = 128 * 2**20


class WeightFile:
    """The tensors of a file; each tensor is read only when it is needed.

    Attributes:
        shapes: every tensor by name, on the meta device.

    Raises:
        UserError: the file is missing, empty, incomplete or in another format, or it is a pickle
            that holds more than tensors (code in a pickle is never executed).
    """

    def __init__(self, path: Path):
        check_file(path, expected=WEIGHTS)
        if path.suffix.lower() not in WEIGHT_FILES:
            raise UserError(
                f"{path} is not a model file: expected one of {', '.join(WEIGHT_FILES)}."
            )
        self.path = path
        self.shapes, self._read = _open(path)

    def read(self, keys: Iterable[str], dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """Yield tensors one at a time; floating-point tensors are converted to `dtype`.

        A tensor that already has this format is not copied: it is the memory-mapped file.

        Raises:
            UserError: a tensor holds values that are NaN, infinite, or too large for `dtype`.
        """
        read = 0
        for key in keys:
            if read > REOPEN_BYTES and _is_mapped(self.path):
                self._read = None  # closes the file before it is opened again
                read, self._read = 0, _reopen(self.path)
            tensor = self._read(key)
            read += tensor.nbytes
            yield key, self._converted(key, tensor, dtype)

    def _converted(self, key: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        converted = tensor.to(dtype)
        # The sum is finite only if all values are; it reads each value once and needs no memory.
        if not converted.sum(dtype=torch.float32).isfinite():
            raise UserError(
                f"{self.path} does not fit: {key} holds NaN, infinite values, or values too large "
                f"for {kind_of(converted)}. Use the original file, or try --dtype fp32."
            )
        return converted


def read_pickle(path: Path) -> Any:
    """Contents of a file from torch.save: tensors in dicts and lists. Code is never executed.

    Raises:
        UserError: the file is missing, damaged or compressed, or holds other objects.
    """
    check_file(path, expected=WEIGHTS)
    try:
        with open(path, "rb") as opened:
            check_pickle(opened, name=str(path))
        return _load(path)
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is damaged or holds more than weights (code in it is never run). Use the "
            "model's .safetensors file."
        ) from error
    except Exception as error:  # torch raises many types for damaged files
        raise _unreadable(path) from error


def read_weights(path: Path) -> Any:
    """Contents of a file: the tensors of a .safetensors file, or `read_pickle` of other files."""
    if path.suffix.lower() not in SAFETENSORS:
        return read_pickle(path)
    file = WeightFile(path)
    return dict(file.read(file.shapes, torch.float32))


def _open(path: Path) -> tuple[dict[str, Tensor], Callable[[str], Tensor]]:
    """The tensors of a file without their values, and a function that reads a tensor by name."""
    if path.suffix.lower() not in SAFETENSORS:
        tensors = plain_tensors(read_pickle(path), name=str(path))
        return {key: value.to("meta") for key, value in tensors.items()}, tensors.__getitem__
    try:
        with open(path, "rb") as opened:
            entries = read_header(opened, name=str(path)).items()
        return {key: _meta(entry) for key, entry in entries}, _reopen(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path) from error


def _reopen(path: Path) -> Callable[[str], Tensor]:
    """A function that reads a tensor by name; the file was checked before."""
    if path.suffix.lower() in SAFETENSORS:
        return safe_open(path, "pt").get_tensor
    return plain_tensors(_load(path), name=str(path)).__getitem__


def _load(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_mapped(path))


def _meta(entry: Entry) -> Tensor:
    # torch before 2.7 lacks float8_e8m0fnu. uint8 stands in for it: neither is a format of weights.
    kind = getattr(torch, entry.kind, torch.uint8)
    return torch.empty(entry.shape, dtype=kind, device="meta")


def _is_mapped(path: Path) -> bool:
    """Whether a file is memory-mapped; a file in torch's older format is read as a whole."""
    with open(path, "rb") as opened:
        return path.suffix.lower() in SAFETENSORS or opened.read(2) == b"PK"


def _unreadable(path: Path) -> UserError:
    if not os.access(path, os.R_OK):
        return UserError(f"You may not read {path}: change its permissions.")
    return UserError(
        f"{path} ({path.stat().st_size} bytes) can't be read as model weights. It is empty, "
        f"incomplete or not a {path.suffix} file: download it again."
    )
