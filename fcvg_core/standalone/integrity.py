"""Whether a model file came whole, told by its form and without reading all of it."""

import json
import zipfile
from pathlib import Path

from ..errors import UserError
from .catalogue import MODEL_INDEX, SVD_PARTS, svd_weights

ARCHIVES = (".tar", ".bin", ".pt", ".pth")  # what torch.save writes: a zip or, of old, a pickle
PICKLE = b"\x80"


def find_damage(path: Path) -> Path | None:
    """A file that is empty, cut off or no weights at all; None where all is well.

    Args:
        path: a model file; the index of SVD's folder stands for the weights beside it.
    """
    parts = [path]
    if path.name == MODEL_INDEX:
        parts += [file for part in SVD_PARTS for file in svd_weights(path.parent / part)]
    return next((file for file in parts if not is_whole(file, file.suffix)), None)


def check_name(path: Path) -> None:
    """Raise UserError where no library that reads models can open a file of that name."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{path} can't be opened by the libraries that read models, as its name or that of a "
            "folder above it is no text in UTF-8: rename it."
        ) from error


def is_whole(path: Path, suffix: str) -> bool:
    """Whether a file has the form that its ending promises and is not cut off; told quickly.

    Args:
        suffix: as .safetensors; what can't be told by its form is whole if it holds anything but
            a page of the web.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as opened:
            start = opened.read(2)
            if suffix == ".safetensors":
                return size > 8 and _safetensors_size(path, size) == size
            if suffix in ARCHIVES:
                return start == b"PK" and zipfile.is_zipfile(path) or start[:1] == PICKLE
            if suffix == ".json":
                json.loads(start + opened.read())
        return size > 0 and start[:1] != b"<"
    except (OSError, ValueError):  # a folder, or nothing that may be read; or no JSON
        return False


def _safetensors_size(path: Path, size: int) -> int:
    """Bytes that the header of a .safetensors file promises; -1 where it is none."""
    with open(path, "rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        try:
            header = json.loads(opened.read(length)) if length < size else {}
            ends = [entry["data_offsets"][1] for key, entry in header.items()
                    if key != "__metadata__"]  # fmt: skip
            return 8 + length + max(ends, default=0)
        except (ValueError, AttributeError, KeyError, TypeError, IndexError):
            return -1
