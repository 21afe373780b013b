"""Boxes that a tracker has found in videos, against the boxes that were asked for."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...boxes import BoxForm, BoxReading, BoxTrack, BoxTracks
from ...boxes.placing import to_numbers
from ...canvas import MAX_SIDE
from ...choices import PIXELS, SHARES, XYWH
from ...errors import UserError
from ...measures import agreement, mean_value, overlaps
from ...quoting import in_short
from ..media.box_file import read_tracks
from ..media.pictures import read_frame
from .smcd_files import is_official, read_lines, read_official, written_picture

LINES = (".txt", ".csv")
ENDINGS = (*LINES, ".json")
# Where a tracker leaves what it has found in a video; the last one is that of GOT-10k's toolkit.
PLACES = (*(f"{{0}}{ending}" for ending in ENDINGS), "{0}", "{0}/{0}_001.txt")
OBJECT = "object"  # the label of boxes without one


def compare_boxes(found: Path, truth: Path, *, form: str) -> dict[str, Any]:
    """How well boxes agree, as values for JSON.

    A path is a file of boxes, the folder of a video that `write_official` has written, or a folder
    that holds one of these for each video. Lines of numbers above 1 are pixels of the written
    video, or of any one size if both paths are such files.

    Args:
        found: what a tracker has found.
        truth: what was asked for.
        form: of lines of numbers: xyxy or xywh.

    Returns:
        "mean" over videos and "per_video", each with `BoxAgreement`'s values: of all frames in
        which a true object is there. A found object that is absent there overlaps by 0. A video
        in which no true object is ever there is left out.

    Raises:
        UserError: a path is missing, a file can't be read, or two files have different numbers of
            frames or objects, or no true object is ever there in any of them.
    """
    rows = {}
    for name, pair in _pairs(found, truth).items():
        size = _size(*pair, form)
        boxes = (_read(path, form, size) for path in pair)
        compared = _overlaps(*boxes, size, name=pair)
        if compared.size:
            rows[name] = asdict(agreement(compared))
        else:
            logging.warning("%s holds no box to compare with: it is left out.", pair[1])
    if not rows:
        raise UserError(f"{truth} holds no box; expected one at least to compare with.")
    keys = [key for key in next(iter(rows.values())) if key != "frames"]
    means = {key: mean_value(np.array([row[key] for row in rows.values()])) for key in keys}
    return {"found": str(found), "truth": str(truth), "mean": means, "per_video": rows}


def agreement_lines(content: dict[str, Any]) -> list[str]:
    """The values of `compare_boxes` as lines for people."""
    mean = content["mean"]
    count = len(content["per_video"])
    frames = sum(row["frames"] for row in content["per_video"].values())
    return [
        f"{frames} boxes in {count} video{'' if count == 1 else 's'}:",
        f"  average overlap (AO): {mean['average_overlap']:.4f}",
        f"  success rates: SR50 {mean['success_50']:.4f}, SR75 {mean['success_75']:.4f}",
    ]


def _pairs(found: Path, truth: Path) -> dict[str, tuple[Path, Path]]:
    """What was found and the truth of each video, by its name."""
    for path in (found, truth):
        if not path.exists():
            raise UserError(f"There is no file or folder {path}; expected boxes.")
    if truth.is_file() or is_official(truth):
        return {truth.name: (found, truth)}
    true = {x.name: x for x in sorted(truth.iterdir()) if is_official(x)}
    true |= {x.stem: x for x in sorted(truth.iterdir()) if x.suffix in ENDINGS and x.is_file()}
    true.pop("measures", None)
    true.pop("run", None)
    places = {name: [found / place.format(name) for place in PLACES] for name in true}
    pairs = {
        name: (next((x for x in places[name] if x.is_file() or is_official(x)), None), path)
        for name, path in true.items()
    }
    lacking = [name for name, (place, _) in pairs.items() if place is None]
    if lacking or not pairs:
        what = f"lacks {in_short(lacking, between=', ')} of" if lacking else "has no videos in"
        raise UserError(
            f"{found} {what} {truth}; expected for each video a file with the video's name, such "
            "as VIDEO.txt."
        )
    return pairs


def _size(found: Path, truth: Path, form: str) -> tuple[int, int] | None:
    """(height, width) that pixels in one of both belong to; None: it is not known."""
    written = _written_size(truth) or _written_size(found)
    return written or _extent((found, truth), form)


def _written_size(path: Path) -> tuple[int, int] | None:
    """(height, width) of the pictures in the folder of a video."""
    picture = written_picture(path)
    return read_frame(picture).shape[:2] if picture.exists() else None


def _read(path: Path, form: str, size: tuple[int, int] | None) -> BoxTracks:
    """The boxes of a file or of the folder of a video."""
    if path.is_dir():
        return read_official(path)
    lines = path.suffix in LINES
    unit = PIXELS if lines and _rows(path).max(initial=0) > 1 else SHARES
    reading = BoxReading(label=OBJECT, form=form, unit=unit, size=size if lines else None)
    return read_tracks(path, reading)


def _rows(path: Path) -> np.ndarray:
    """The boxes of a file of lines, [N, 4]; other lines are left out."""
    rows = [row for row in read_lines(path) if len(row) == 4]
    rows = np.array(rows, np.float64).reshape(-1, 4)
    return rows[np.isfinite(rows).all(1)]


def _extent(paths: Sequence[Path], form: str) -> tuple[int, int] | None:
    """A (height, width) that holds the pixels of two files of lines; None if one is no such file.

    Overlaps are the same in every size.
    """
    if not all(path.is_file() and path.suffix in LINES for path in paths):
        return None
    rows = np.concatenate([_rows(path) for path in paths])
    far = rows[:, 2:] + (rows[:, :2] if form == XYWH else 0)
    width, height = np.ceil(far.max(0, initial=1)).clip(1, MAX_SIDE).astype(int).tolist()
    return height, width


def _overlaps(
    found: BoxTracks, truth: BoxTracks, size: tuple[int, int] | None, *, name: tuple[Path, Path]
) -> np.ndarray:
    """The overlap of every true box with the found one."""
    counts = [(x.num_frames, len(x.tracks)) for x in (found, truth)]
    if counts[0] != counts[1]:
        said = [f"{objects} objects in {frames} frames" for frames, objects in counts]
        raise UserError(
            f"{name[0]} holds {said[0]}, and {name[1]} {said[1]}; expected as many of both."
        )
    labels = [track.label for track in found.tracks]
    tracks = found.tracks
    if len(set(labels)) == len(labels) and sorted(labels) == sorted(truth.labels):
        tracks = [found.tracks[labels.index(label)] for label in truth.labels]
    pairs = zip(truth.tracks, tracks, strict=True)
    rows = [overlaps(_exact(x, size), _exact(y, size))[x.present] for x, y in pairs]
    return np.concatenate([np.zeros(0), *rows])


def _exact(track: BoxTrack, size: tuple[int, int] | None) -> np.ndarray:
    """The boxes [T, 4] float64 with the numbers of the file, which float32 shares only come near.

    Otherwise an overlap of half of the area would now and then be a success, which begins above.
    """
    if size is None:
        return track.boxes.astype(np.float64).round(6)
    return to_numbers(track, BoxForm(size=size)).round(3)
