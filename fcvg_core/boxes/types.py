"""The types that pass between the modules of this folder: labelled boxes in every frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..quoting import quote

MAX_FRAMES = 65_536  # of what is read
MAX_TRACKS = 3_000
MAX_BOXES = 8_000_000  # tracks times frames; the largest file of MOT20 has 4 million
MAX_LABEL = 200  # characters; a text encoder reads 77 tokens


@dataclass(frozen=True, eq=False)
class BoxTrack:
    """An object with a label, and its box in every frame.

    A box that is NaN or has no area counts as absent, and absent boxes are zeros.

    Attributes:
        label: what the object is, in words.
        boxes: [T, 4] float32 corners x1, y1, x2, y2 as shares of the frame, 0..1; x1 is left of
            x2, and y1 is above y2.
        present: [T] bool, the frames in which the object is there; None: all.
    """

    label: str
    boxes: np.ndarray
    present: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_label(self.label, "a track")
        boxes = np.asarray(self.boxes, np.float32)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"expected boxes [T, 4], got {list(boxes.shape)}")
        present = np.ones(len(boxes), bool) if self.present is None else np.asarray(self.present)
        if present.shape != boxes.shape[:1] or present.dtype != bool:
            raise ValueError(
                f"expected present [{len(boxes)}] bool, got {list(present.shape)} {present.dtype}"
            )
        present = present & (boxes[:, :2] != boxes[:, 2:]).all(1) & ~np.isnan(boxes).any(1)
        boxes = np.where(present[:, None], boxes, np.float32(0))
        if (boxes[:, :2] > boxes[:, 2:]).any() or ((boxes < 0) | (boxes > 1)).any():
            raise ValueError("expected boxes x1 < x2, y1 < y2 in 0..1")
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "present", present)

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.boxes)


@dataclass(frozen=True, eq=False)
class KeyBoxes:
    """An object with a label, and its box in some frames; `interpolate_boxes` makes a track of it.

    Attributes:
        label: what the object is, in words.
        frames: the frame of each box: N numbers from 0 on.
        boxes: [N, 4] float64 corners x1, y1, x2, y2 as shares of the frame, x1 <= x2, y1 <= y2;
            they may lie outside of the frame, where an object comes from.
        present: [N] bool; where it is False, the object is absent from there to the next box.
    """

    label: str
    frames: tuple[int, ...]
    boxes: np.ndarray
    present: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_label(self.label, "key boxes")
        boxes = np.asarray(self.boxes, np.float64)
        count = len(self.frames)
        present = np.ones(count, bool) if self.present is None else np.asarray(self.present)
        if boxes.shape != (count, 4) or present.shape != (count,) or present.dtype != bool:
            raise ValueError(
                f"expected boxes [{count}, 4] and present [{count}] bool, got "
                f"{list(boxes.shape)}, {list(present.shape)} {present.dtype}"
            )
        boxes = np.where(present[:, None], boxes, 0)
        if not np.isfinite(boxes).all() or (boxes[:, :2] > boxes[:, 2:]).any():
            raise ValueError("expected finite boxes x1 <= x2, y1 <= y2")
        object.__setattr__(self, "frames", tuple(self.frames))
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "present", present)


@dataclass(frozen=True, eq=False)
class BoxTracks:
    """The objects of a video, N >= 0, each with a box in every frame.

    Attributes:
        tracks: one for each object.
        num_frames: T of every track.
    """

    tracks: tuple[BoxTrack, ...]
    num_frames: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tracks", tuple(self.tracks))
        if others := {track.num_frames for track in self.tracks} - {self.num_frames}:
            raise ValueError(f"expected tracks of {self.num_frames} frames, got {sorted(others)}")

    @property
    def labels(self) -> list[str]:
        """What each object is, in words."""
        return [track.label for track in self.tracks]


def join_tracks(parts: Sequence[BoxTracks]) -> BoxTracks:
    """The objects of several parts in one.

    Raises:
        UserError: there is no part, or the parts have different numbers of frames.
    """
    counts = sorted({part.num_frames for part in parts})
    if len(counts) != 1:
        found = f"{', '.join(map(str, counts))} frames" if counts else "no tracks"
        raise UserError(
            f"Found box tracks of {found}; expected tracks of one number of frames: give all of "
            "them the same number of frames."
        )
    return BoxTracks(tuple(track for part in parts for track in part.tracks), counts[0])


def stack_padded(tracks: BoxTracks, least: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The boxes of all objects, filled up with absent objects.

    Args:
        least: number of objects after filling up; at least one is there, so that a video without
            objects has an absent one.

    Returns:
        boxes [T, n, 4] float32, and present [T, n] bool, n >= 1.
    """
    shape = tracks.num_frames, max(len(tracks.tracks), least, 1)
    boxes, present = np.zeros((*shape, 4), np.float32), np.zeros(shape, bool)
    for i, track in enumerate(tracks.tracks):
        boxes[:, i], present[:, i] = track.boxes, track.present
    return boxes, present


def check_count(tracks: BoxTracks, most: int, *, name: str) -> None:
    """Raise UserError if there are more objects than what is called `name` takes."""
    if len(tracks.tracks) > most:
        raise UserError(
            f"There are {len(tracks.tracks)} box tracks, but {name} takes {most} objects at most: "
            "leave out the least important ones."
        )


def check_label(label: str, name: str) -> None:
    """Raise UserError unless the label of what is called `name` is a short text."""
    if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL:
        raise UserError(
            f"The label of {name} is {quote(label)}; expected the object in a few words, at most "
            f"{MAX_LABEL} characters, for example dog."
        )


def check_amount(num_tracks: int, num_frames: int, name: str) -> None:
    """Raise UserError if what is called `name` has more tracks or frames than any video needs."""
    if num_tracks > MAX_TRACKS or num_frames > MAX_FRAMES or num_tracks * num_frames > MAX_BOXES:
        raise UserError(
            f"{name} has {num_tracks} objects in {num_frames} frames; expected at most "
            f"{MAX_TRACKS} objects, {MAX_FRAMES} frames and {MAX_BOXES} boxes: cut it into parts."
        )
