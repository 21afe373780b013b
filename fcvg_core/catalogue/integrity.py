"""Quick check whether a model file is complete; most of the file is not read."""

from collections.abc import Iterable
from pathlib import Path

from ..containers import SAFETENSORS, check_pickle, read_header
from ..errors import UserError
from ..files.json_file import read_json

# Files from torch.save: a zip archive, or a pickle.
ARCHIVES = (".tar", ".bin", ".pt", ".pth", ".ckpt")
STARTS = (b"PK", b"\x80")  # first bytes of a zip archive and of a pickle


def find_damage(files: Iterable[Path]) -> Path | None:
    """The first file that is empty, incomplete or not a file of weights; None if all are complete.

    Args:
        files: from `ModelFile.files_at`.
    """
    return next((file for file in files if not is_whole(file, file.suffix)), None)


def check_name(path: Path) -> None:
    """Raise UserError if the libraries that read models can't open a file of this name."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{path} can't be opened by the libraries that read models, because its name or the "
            "name of a folder above it is not text in UTF-8: rename it."
        ) from error


def is_whole(path: Path, suffix: str) -> bool:
    """Whether a file is complete and in the format of its ending.

    Args:
        suffix: the ending, such as .safetensors. A file with another ending counts as complete
            unless it is empty or begins like a web page.
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
