"""Key boxes, or boxes of another number of frames -> a box in every frame."""

import logging
from collections.abc import Sequence

import numpy as np

from ..choices import BOX_FILLS, HELD, INTERPOLATED
from ..errors import UserError
from ..quoting import quote
from ..timeline import inbetween_times
from .placing import clip_track
from .types import MAX_FRAMES, BoxTrack, BoxTracks, KeyBoxes

UNIFORM = "uniform"


def interpolate_boxes(
    keys: KeyBoxes,
    num_frames: int,
    *,
    timing: str | Sequence[float] = UNIFORM,
    between: str = INTERPOLATED,
) -> BoxTrack:
    """A box in every frame from the boxes of some frames.

    Before the first key box and after the last one the object stays where they are. An object
    whose key box is absent is absent from there until the next key box. What lies outside of the
    frame on the way is clipped, or absent, which is logged.

    Args:
        keys: N >= 1 boxes, in the order of time.
        num_frames: number of frames of the result.
        timing: see `inbetween_times`; it holds between every two neighbouring key boxes.
        between: interpolated: the corners move straight from key box to key box. held: each key
            box stays until the next one.

    Raises:
        UserError: there is no key box, the numbers do not rise or lie beyond the frames, or the
            timing is not valid.
        ValueError: `between` is unknown.
    """
    check_fill(between)
    check_frames(num_frames)
    frames = keys.frames
    _check_keys(frames, num_frames)
    inbetween_times(2, timing)  # its errors, also if no box moves
    index = np.searchsorted(frames, np.arange(num_frames), side="right").clip(1) - 1
    parts = np.zeros(num_frames)
    if between == INTERPOLATED:
        for i, (start, end) in enumerate(zip(frames[:-1], frames[1:], strict=True)):
            parts[start : end + 1] = inbetween_times(end - start + 1, timing).numpy()
            index[start:] = i
            parts[end:] = parts[end]  # the curve, not the key box, says where the motion ends
    boxes, present = _boxes_at(keys, index, parts)
    return clip_track(keys.label, boxes, present, name=f"Box track {quote(keys.label)}")


def resample_boxes(
    tracks: BoxTracks,
    num_frames: int,
    *,
    timing: str | Sequence[float] = UNIFORM,
    fill: str = INTERPOLATED,
) -> BoxTracks:
    """The tracks over another number of frames.

    Args:
        tracks: of at least one frame.
        num_frames: number of frames of the result.
        timing: see `inbetween_times`; it holds over the whole video.
        fill: interpolated: the boxes are spread over the frames, from the first to the last. held:
            the boxes stay in their frames, and the last box stays to the end; boxes beyond the
            last frame are left out, which is logged.

    Raises:
        UserError: the tracks have no frame, `num_frames` is not from 1 to 65536, or the timing is
            not valid.
        ValueError: `fill` is unknown.
    """
    check_fill(fill)
    check_frames(num_frames)
    known = tracks.num_frames
    if not known:
        raise UserError("The box tracks have no frame; expected boxes of at least one frame.")
    if fill == HELD:
        if known > num_frames:
            logging.info("Box tracks: the last %d of %d are left out.", known - num_frames, known)
        index, parts = np.minimum(np.arange(num_frames), known - 1), np.zeros(num_frames)
    elif known == num_frames and timing == UNIFORM:
        return tracks
    else:
        times = inbetween_times(num_frames, timing).numpy() if num_frames > 1 else np.zeros(1)
        at = np.round(times * (known - 1), 9)  # a place on a box is on it in spite of rounding
        index = np.minimum(at.astype(int), max(known - 2, 0))
        parts = at - index
    found = (BoxTrack(x.label, *_boxes_at(x, index, parts)) for x in tracks.tracks)
    return BoxTracks(tuple(found), num_frames)


def check_fill(fill: str) -> None:
    """Raise ValueError unless a word is one of BOX_FILLS."""
    if fill not in BOX_FILLS:
        raise ValueError(f"expected one of {', '.join(BOX_FILLS)}; got {fill!r}")


def check_frames(num_frames: int) -> None:
    """Raise UserError unless a number of frames is possible."""
    if not 1 <= num_frames <= MAX_FRAMES:
        raise UserError(f"Boxes for {num_frames} frames: expected 1 to {MAX_FRAMES} frames.")


def _check_keys(frames: Sequence[int], num_frames: int) -> None:
    if not frames:
        raise UserError("There is no key box; expected at least one.")
    rising = list(frames) == sorted(set(frames))
    if not rising or frames[0] < 0:
        raise UserError(
            f"The key boxes stand at the frames {quote(list(frames))}; expected different numbers "
            "from 0 on, in the order of time."
        )
    if frames[-1] >= num_frames:
        raise UserError(
            f"A key box stands at frame {frames[-1]}, but the video has the frames 0 to "
            f"{num_frames - 1}: move the key box, or make the video longer."
        )


def _boxes_at(
    boxes: BoxTrack | KeyBoxes, index: np.ndarray, parts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [T, 4] and present [T] at places `index` + `parts` [T], both from a box to the next.

    An object comes and goes at a box of its own.
    """
    after = np.minimum(index + 1, len(boxes.boxes) - 1)
    both = boxes.present[index] & boxes.present[after]
    part = parts[:, None]
    moving = boxes.boxes[index] * (1 - part) + boxes.boxes[after] * part
    own = np.where(parts >= 1, after, index)
    return np.where(both[:, None], moving, boxes.boxes[own]), both | boxes.present[own]
