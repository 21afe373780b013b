"""Quick check whether a model file is complete; most of the file is not read."""

from pathlib import Path

from ..containers import SAFETENSORS, check_pickle, read_header
from ..errors import UserError
from ..files.json_file import read_json
from .model_files import MODEL_INDEX, SVD_PARTS, svd_weights

ARCHIVES = (".tar", ".bin", ".pt", ".pth")  # files from torch.save: a zip archive, or a pickle
STARTS = (b"PK", b"\x80")  # first bytes of a zip archive and of a pickle


def find_damage(path: Path) -> Path | None:
    """The file that is empty, incomplete or not a file of weights; None if there is no fault.

    Args:
        path: a model file. If it is the index of SVD's folder, the weights in the folder are
            checked as well.
    """
    parts = [path]
    if path.name == MODEL_INDEX:
        parts += [file for part in SVD_PARTS for file in svd_weights(path.parent / part)]
    return next((file for file in parts if not is_whole(file, file.suffix)), None)


def check_name(path: Path) -> None:
    """Raise UserError if the name of a file is not UTF-8, which libraries for models can't open."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{path} can't be opened by the libraries that read models, because its name or the "
            "name of a folder above it is not text in UTF-8: rename it."
        ) from error


def is_whole(path: Path, suffix: str) -> bool:
    """Whether a file is complete and has the format of its suffix. The check is quick.

    Args:
        path: the file.
        suffix: for example .safetensors. A file with an unknown suffix counts as complete unless
            it is empty or an HTML page.
    """
    suffix = suffix.lower()
    if not path.is_file():  # a folder, or a pipe or a device, which may never end
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
    except (OSError, UserError):  # not readable, or not in the format of its suffix
        return False
