"""Files of boxes, see `boxes.reading`; and the folder that the official code of SMCD takes."""

import logging
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...boxes import BoxReading, BoxTracks, join_tracks, read_boxes
from ...boxes.types import MAX_LABEL
from ...errors import UserError
from ...files.plain_file import read_bytes
from ...quoting import in_short, quote
from .video.folder import list_pictures

PICTURE, BOXES = "img", ("bbox.txt", "boxes.json")  # without the ending; the first that is there


def read_all(
    paths: Sequence[Path], labels: Sequence[str] | None, reading: BoxReading, *, prompt: str
) -> BoxTracks:
    """The objects of several files.

    Args:
        labels: what the objects are: one for all files, or one for each; an empty text: the file
            or the prompt tells.
        reading: how the files are read; its label is not used, and its number of frames is needed.
        prompt: stands for an object whose label neither `labels` nor the file tells.

    Raises:
        UserError: there is another number of labels than files, an object has no label, or see
            `read_tracks`.
    """
    if not paths and not labels:
        return BoxTracks((), reading.num_frames)
    if not paths:
        raise UserError(
            f"The label {quote(labels[0])} has no boxes: give a file of boxes with --boxes, or "
            "leave out --label."
        )
    given = list(labels or [""])
    if len(given) not in (1, len(paths)):
        raise UserError(
            f"Found {len(given)} labels for {len(paths)} files of boxes; expected one label for "
            "all, or one for each file: give --label as often, or write --boxes LABEL=FILE."
        )
    given *= 1 if len(given) == len(paths) else len(paths)
    return join_tracks([_read(*each, reading, prompt) for each in zip(paths, given, strict=True)])


def _read(path: Path, label: str, reading: BoxReading, prompt: str) -> BoxTracks:
    """The objects of a file."""
    words = textwrap.shorten(prompt, MAX_LABEL, placeholder="") or prompt.strip()[:MAX_LABEL]
    if not label and not words and path.suffix.lower() != ".json":
        raise UserError(
            f"The boxes of {path} need a label: give --label with what the object is, for example "
            "--label dog, or a --prompt."
        )
    tracks = read_tracks(path, replace(reading, label=label or words))
    if label and label not in tracks.labels:
        logging.info("%s has labels of its own: the label %s is not used.", path, label)
    elif not label and words in tracks.labels:
        logging.info(
            "%s: the prompt stands for the object; a word for it, such as --label dog, may steer "
            "better.",
            path,
        )
    return tracks


def read_tracks(path: Path, reading: BoxReading) -> BoxTracks:
    """The boxes of a file.

    Raises:
        UserError: the file is missing or larger than 64 MiB, or see `read_boxes`.
    """
    return read_boxes(read_bytes(path, expected="a file of boxes"), reading, name=str(path))


def find_picture(folder: Path) -> Path:
    """The picture img.png of a folder; without it, img with the ending of another format.

    Raises:
        UserError: there is no such folder, no such picture, or there are several of other formats.
    """
    _check_folder(folder)
    if (official := folder / f"{PICTURE}.png").exists():
        return official
    found = [path for path in list_pictures(folder) if path.stem.lower() == PICTURE]
    if len(found) != 1:
        said = f"{in_short([x.name for x in found], between=', ')}" if found else "no img.png"
        raise UserError(
            f"{folder} has {said}; expected a picture img.png, or img with the ending of another "
            "format: leave one there, or name a picture on the command line."
        )
    return found[0]


def find_boxes(folder: Path) -> tuple[Path, ...]:
    """The file bbox.txt of a folder, otherwise boxes.json; none, which is logged, without either.

    Raises:
        UserError: there is no such folder.
    """
    _check_folder(folder)
    found = next((path for name in BOXES if (path := folder / name).exists()), None)
    if found is None:
        logging.warning("%s has no %s.", folder, " and no ".join(BOXES))
    return () if found is None else (found,)


def _check_folder(folder: Path) -> None:
    """Raise UserError unless a folder is there."""
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}; expected a folder with a picture img.png and its boxes, "
            "bbox.txt: correct --input_data_path."
        )
