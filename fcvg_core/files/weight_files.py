"""Files of weights -> their tensors, and what is wrong with a file, in words.

Both faces read weights inside `checked_weights`, so both refuse the same files in the same words.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import safe_open
from torch import Tensor

from ..containers import SAFETENSORS, Entry, check_pickle, read_header
from ..errors import UserError
from ..weights import number_format, plain_tensors
from .plain_file import check_file

WEIGHTS = "a file of weights"
WEIGHT_FILES = (*SAFETENSORS, ".bin", ".pt", ".pth", ".ckpt")
# Pages read from a memory-mapped file count as used until the file is closed. So the file is
# opened again after this many bytes. To open a pickle takes a tenth of a second for 2,500 tensors,
# therefore a large file is read in parts of equal size.
REOPEN_BYTES = 128 * 2**20
MOST_PARTS = 20
GGUF = b"GGUF"  # first bytes of a file of weights that llama.cpp has quantised


@contextmanager
def checked_weights(path: Path, *, name: str) -> Iterator[dict[str, Entry]]:
    """Check a file of weights; then a library may read it in the `with` block.

    The block yields the tensors of a .safetensors file, from its header; for other files, nothing.
    The block must read a pickle without running the code in it.

    Args:
        name: name of the file, for messages.

    Raises:
        UserError: the file is missing, not a regular file, empty, incomplete, compressed, a GGUF
            file, or not in the format of its ending; the user may not read it; or the library
            can't read it.
    """
    check_file(path, expected=WEIGHTS)
    try:
        with open(path, "rb") as opened:
            entries = _check_container(opened, path.suffix, name)
        yield entries
    except UserError:
        raise
    except PermissionError as error:
        raise UserError(
            f"You have no permission to read {name}: give yourself the right to read this file."
        ) from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{name} is damaged or holds more than weights (code in it is never run). Use the "
            "model's .safetensors file."
        ) from error
    except Exception as error:  # a damaged file can make a reader raise anything
        raise UserError(
            f"{name} ({path.stat().st_size} bytes) can't be read as model weights: it is empty, "
            f"incomplete or not a {path.suffix} file. Download it again."
        ) from error


def _check_container(opened: BinaryIO, suffix: str, name: str) -> dict[str, Entry]:
    """The tensors in the header of a .safetensors file; for a harmless pickle, an empty table."""
    if suffix.lower() in SAFETENSORS:
        return read_header(opened, name=name)
    if opened.read(len(GGUF)) == GGUF:
        raise UserError(
            f"{name} is a GGUF file of quantised weights, which can't be read here. Use the "
            ".safetensors file of the model instead."
        )
    opened.seek(0)
    check_pickle(opened, name=name)
    return {}


class WeightFile:
    """The tensors of a file; each tensor is read when `read` comes to it.

    Attributes:
        path: the file.
        paths: the same, as `ShardedWeights` has its files.
        shapes: every tensor by name, on the meta device: shapes and number formats only.

    Raises:
        UserError: see `checked_weights`; or the file holds more than tensors.
    """

    def __init__(self, path: Path):
        check_file(path, expected=WEIGHTS)
        if path.suffix.lower() not in WEIGHT_FILES:
            raise UserError(f"{path} is no model file: expected one of {', '.join(WEIGHT_FILES)}.")
        self.path, self.paths = path, (path,)
        self.shapes, self._read = _open(path)

    def read(self, keys: Iterable[str], dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """Names and tensors, one at a time; floating-point tensors are converted to `dtype`.

        A tensor that already has this number format is not copied: it is mapped from the file.

        Raises:
            UserError: a tensor holds NaN, infinite values or values too large for `dtype`.
        """
        num_bytes, enough = 0, max(REOPEN_BYTES, self.path.stat().st_size // MOST_PARTS)
        for key in keys:
            if num_bytes > enough and _is_mapped(self.path):
                self._read = None  # closes the file before it is opened again
                num_bytes, self._read = 0, _reopen(self.path)
            tensor = self._read(key)
            num_bytes += tensor.nbytes
            yield key, self._converted(key, tensor, dtype)

    def _converted(self, key: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        converted = tensor.to(dtype)
        # The sum is finite only if all values are; it reads each value once and needs no memory.
        if not converted.sum(dtype=torch.float32).isfinite():
            raise UserError(
                f"{self.path} does not fit: {key} holds NaN, infinite values or values too "
                f"large for {number_format(converted)}. Use the original file, or try --dtype fp32."
            )
        return converted


def read_pickle(path: Path) -> Any:
    """The content of a file from torch.save: tensors in tables and lists. Its code is never run.

    Raises:
        UserError: see `checked_weights`.
    """
    with checked_weights(path, name=str(path)):
        return load_pickle(path)


def load_pickle(path: Path) -> Any:
    """The content of a file from torch.save that was checked before; its code is never run.

    The numbers of a zip archive, which torch has written since 1.6, stay in the file: each tensor
    is mapped to memory, and its pages are read when they are used. Older files are read at once.
    """
    return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_mapped(path))


def read_weights(path: Path) -> Any:
    """The content of a file: the tensors of a .safetensors file in float32, else `read_pickle`."""
    if path.suffix.lower() not in SAFETENSORS:
        return read_pickle(path)
    file = WeightFile(path)
    return dict(file.read(file.shapes, torch.float32))


def _open(path: Path) -> tuple[dict[str, Tensor], Callable[[str], Tensor]]:
    """A file's tensors without their values, and a function that reads one."""
    if path.suffix.lower() not in SAFETENSORS:
        tensors = plain_tensors(read_pickle(path), name=str(path))
        return {key: value.to("meta") for key, value in tensors.items()}, tensors.__getitem__
    with checked_weights(path, name=str(path)) as entries:
        return {key: _meta(entry) for key, entry in entries.items()}, _reopen(path)


def _reopen(path: Path) -> Callable[[str], Tensor]:
    """A function that reads one tensor of a file that was checked before."""
    if path.suffix.lower() in SAFETENSORS:
        return safe_open(path, "pt").get_tensor
    return plain_tensors(load_pickle(path), name=str(path)).__getitem__


def _meta(entry: Entry) -> Tensor:
    # torch before 2.7 lacks float8_e8m0fnu. No weights have that type, and no weights have uint8.
    kind = getattr(torch, entry.kind, torch.uint8)
    return torch.empty(entry.shape, dtype=kind, device="meta")


def _is_mapped(path: Path) -> bool:
    """Whether torch maps a file to memory; it reads the older kind of pickle at once."""
    with open(path, "rb") as opened:
        return path.suffix.lower() in SAFETENSORS or opened.read(2) == b"PK"
