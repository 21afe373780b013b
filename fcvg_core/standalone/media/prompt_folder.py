"""A folder of pictures and prompts, as the official code of DynamiCrafter takes it."""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ...files.plain_file import check_file
from ...quoting import in_short

PICTURES = (".jpg", ".jpeg", ".png")
MAX_BYTES = 2**20  # of the text file
TOGETHER = 2  # pictures of a prompt that leads from picture to picture


@dataclass(frozen=True)
class Task:
    """A video to make.

    Attributes:
        name: for its file, unlike the name of any other task of the folder.
        pictures: one picture, or the first and the last.
        prompt: what happens.
        source: the text file of the prompt.
    """

    name: str
    pictures: tuple[Path, ...]
    prompt: str
    source: Path


def read_prompt_folder(folder: Path, *, in_pairs: bool) -> list[Task]:
    """The videos of a folder: the first prompt belongs to the first picture by name, and so on.

    The prompts are the lines of the first text file by name; empty lines are left out.

    Args:
        in_pairs: two pictures after each other belong to one prompt.

    Raises:
        UserError: there is no such folder, it has no prompts, or fewer pictures than prompts.

    Source: Doubiiu/DynamiCrafter scripts/evaluation/inference.py:65 load_data_prompts.
    Differs: pictures without a prompt are named in the log; endings of files may be in capitals.
    """
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}: give --prompt_dir a folder of pictures and a text file "
            "with a prompt on each line."
        )
    source = _find_text(folder)
    prompts = _read_prompts(source)
    pictures = _list(folder, PICTURES)
    count = TOGETHER if in_pairs else 1
    if len(pictures) < count * len(prompts):
        raise UserError(
            f"{folder} has {len(prompts)} prompts and {len(pictures)} pictures (.jpg, .jpeg or "
            f".png), but each prompt needs {count}: add pictures, or take prompts out."
        )
    used = [tuple(pictures[i * count : (i + 1) * count]) for i in range(len(prompts))]
    if unused := [path.name for path in pictures[count * len(prompts) :]]:
        names = in_short(unused, between=", ")
        logging.warning("%s: there is no prompt for these pictures: %s.", folder, names)
    names = _names([group[0] for group in used])
    return [Task(*each, source) for each in zip(names, used, prompts, strict=True)]


def _list(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Files with one of these endings, by name; hidden files are no part of a folder."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in endings)
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _find_text(folder: Path) -> Path:
    """The first text file of a folder by name."""
    files = _list(folder, (".txt",))
    if not files:
        raise UserError(
            f"{folder} has no text file: put a file such as prompts.txt there, with a prompt on "
            "each line."
        )
    if len(files) > 1:
        logging.warning("%s has %d text files: %s is used.", folder, len(files), files[0].name)
    return files[0]


def _read_prompts(file: Path) -> list[str]:
    """The lines of a text file that are not empty."""
    check_file(file)
    if file.stat().st_size > MAX_BYTES:
        raise UserError(f"{file} has more than {MAX_BYTES >> 20} MiB; expected a list of prompts.")
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not text in UTF-8: save it in this encoding.") from error
    lines = text.replace("\r", "\n").split("\n")
    prompts = [line.strip() for line in lines if line.strip()]
    if not prompts:
        raise UserError(f"{file} is empty: write a prompt on each line.")
    return prompts


def _names(pictures: list[Path]) -> list[str]:
    """A name for each picture: up to its first point, as in the official code, if that tells.

    Otherwise it is the whole name of the file, whose point no short name has.
    """
    short = [path.name.partition(".")[0] for path in pictures]
    counts = Counter(short)
    return [
        name if counts[name] == 1 else path.name for name, path in zip(short, pictures, strict=True)
    ]
