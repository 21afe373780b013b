"""Whether a model file came whole, told by its form and without reading all of it."""

from pathlib import Path

from ..containers import SAFETENSORS, check_pickle, read_header
from ..errors import UserError
from ..files.json_file import read_json
from .model_files import MODEL_INDEX, SVD_PARTS, svd_weights

ARCHIVES = (".tar", ".bin", ".pt", ".pth")  # what torch.save writes: a zip or, of old, a pickle
STARTS = (b"PK", b"\x80")  # of a zip and of a pickle


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
    suffix = suffix.lower()
    if not path.is_file():  # a folder; or a pipe or a device, which may never end
        return False
    try:
        if suffix == ".json":
            read_json(path, expected="settings")
        with open(path, "rb") as opened:
            start = opened.read(2)
            opened.seek(0)
            if suffix in SAFETENSORS:
                read_header(opened, name=str(path))
            if suffix in ARCHIVES:
                check_pickle(opened, name=str(path))
                return start.startswith(STARTS)
        return start != b"" and start[:1] != b"<"
    except (OSError, UserError):  # nothing that may be read, or not what its name says
        return False
