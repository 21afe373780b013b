"""What the layouts of both data sets share: folders of videos, embedded labels, file checks."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..boxes import BoxTrack, BoxTracks
from ..errors import UserError
from ..files.json_file import read_json
from ..quoting import in_short, quote

MOST_OBJECTS = 8  # of a video: further ones are left out, as by the official code
MAX_JSON = 2**31  # bytes: annotations of YouTube-VIS hold outlines, which are left out
MAX_TEXT = 2**26  # bytes
OUTLINES = ("segmentations",)
PREPARE = "python -m fcvg_core smcd-prepare --dataset"


def find_set(root: Path, names: tuple[str, ...]) -> Path:
    """The folder of a data set.

    Args:
        root: the folder that holds it, or it itself.
        names: that it may have; the first one comes first.

    Raises:
        UserError: there is none.
    """
    if root.name in names and not any((root / name).is_dir() for name in names):
        names, root = (root.name,), root.parent
    found = next((root / name for name in names if (root / name).is_dir()), None)
    if found is None:
        said = " or ".join(names)
        raise UserError(
            f"{root} holds no folder {said}; expected the folder that holds the data sets, as the "
            f"official code has it: give the folder in which {names[0]} lies."
        )
    return found


def list_videos(
    folder: Path, least: int, *, keep: Callable[[str], bool] = lambda name: True
) -> list[Path]:
    """Folders of the videos that are used, by their names; the log says which are too short.

    Args:
        folder: that holds a folder for each video.
        least: number of frames of the shortest video that is used.
        keep: whether a video is used, by its name.

    Raises:
        UserError: the folder is missing, or no video is left.
    """
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}; expected a folder with a folder of frames (.jpg) for "
            "each video. Check the split and the data set."
        )
    found = [x for x in _sorted(folder) if x.is_dir() and not x.name.startswith(".")]
    kept = [x for x in found if keep(x.name)]
    if len(kept) < len(found):
        logging.info("%s: faulty videos are left out: %d.", folder, len(found) - len(kept))
    is_long = {x: len(list_frames(x)) >= least for x in kept}
    long = [x for x in kept if is_long[x]]
    if short := [x.name for x in kept if not is_long[x]]:
        told = in_short(short, between=", ")
        logging.info("%s: fewer than %d frames, so left out: %s.", folder, least, told)
    if not long:
        raise UserError(
            f"{folder} holds no usable video among {len(found)} folders; expected folders with at "
            f"least {least} frames (.jpg) each."
        )
    return long


def list_frames(folder: Path) -> tuple[Path, ...]:
    """The pictures of a video in the order of their names, as the official code sorts them."""
    return tuple(x for x in _sorted(folder) if x.suffix == ".jpg" and not x.name.startswith("."))


def read_values(path: Path, what: str, *, prepared_for: str | None = None) -> dict[str, Any]:
    """The values of a data set's JSON file, which is a dictionary, without outlines.

    Args:
        what: the file should be, for messages.
        prepared_for: the data set for which a command writes the file; None: it belongs to it.

    Raises:
        UserError: the file is missing, or is something else.
    """
    if not path.exists():
        raise UserError(f"There is no file {path}; expected {what}.{_remedy(path, prepared_for)}")
    values = read_json(path, expected=what, most=MAX_JSON, without=OUTLINES)
    if not isinstance(values, dict):
        raise UserError(f"{path} is {quote(values)}; expected {what}.")
    return values


def pick_embeddings(
    found: Any, labels: Iterable[str], path: Path, dataset: str
) -> dict[str, np.ndarray]:
    """The embedded label [D] float32 of each label.

    Args:
        found: [[1024 numbers]] for each label.
        path: of the file, for messages.

    Raises:
        UserError: a label has none, or it is no list of numbers.
    """
    picked = {}
    for label in dict.fromkeys(labels):
        row = found.get(label) if isinstance(found, Mapping) else None
        if row is None:
            raise UserError(
                f"{path} holds no embedding of the label {quote(label)}.{_remedy(path, dataset)}"
            )
        try:
            values = np.asarray(row, np.float32).reshape(-1)
        except (TypeError, ValueError):
            values = np.zeros(0, np.float32)
        if not values.size or not np.isfinite(values).all():
            raise UserError(
                f"The embedding of the label {quote(label)} in {path} is {quote(row)}; expected a "
                f"list of numbers.{_remedy(path, dataset)}"
            )
        picked[label] = values
    return picked


def to_length(tracks: BoxTracks, num_frames: int, name: str) -> BoxTracks:
    """Tracks of the frames that are there; the log says how many boxes have no frame.

    Args:
        num_frames: number of pictures.
        name: of the boxes, for messages.

    Raises:
        UserError: there are more frames than boxes.
    """
    if tracks.num_frames < num_frames:
        raise UserError(
            f"{name}: there are boxes for {tracks.num_frames} frames, but {num_frames} pictures; "
            "expected a box, or a mark of absence, for each picture."
        )
    if tracks.num_frames > num_frames:
        logging.warning(
            "%s: there are boxes for %d frames, but %d pictures; the last boxes are left out.",
            name,
            tracks.num_frames,
            num_frames,
        )
    return cut_tracks(tracks, slice(num_frames))


def cut_tracks(tracks: BoxTracks, frames: slice) -> BoxTracks:
    """The tracks in some of their frames."""
    cut = [BoxTrack(x.label, x.boxes[frames], x.present[frames]) for x in tracks.tracks]
    return BoxTracks(tuple(cut), len(range(tracks.num_frames)[frames]))


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: path.name)


def _remedy(path: Path, dataset: str | None) -> str:
    """What makes a missing file; a file of the data set itself is to be downloaded."""
    if dataset is None:
        return " It belongs to the data set: put it there."
    return f" Make it with {PREPARE} {dataset}."
