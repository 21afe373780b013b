"""The frames of a clip, and of the guide that belongs to it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

import numpy as np

from ...errors import UserError
from ...frames import fit_frame
from ...shell import shell_words
from ...standalone.media.video import (
    count_video_frames,
    list_pictures,
    read_image_folder,
    read_timed,
)
from ..config import Clips
from .item import Item

STEADY = 0.1  # share by which the time between two frames may differ from the usual time
ROUNDED = 0.001  # seconds that may be lost when a file stores times
LENGTHS = 25  # frames by which guide and clip differ less, as in the official code
FEWEST = 2  # frames of a clip

Timed = Iterator[tuple[float | None, np.ndarray]]


def read_clip(item: Item, clips: Clips, count: int | None, *, exact: bool = True) -> np.ndarray:
    """The frames of a clip at the size of training.

    Args:
        item: the clip.
        clips: size and fit.
        count: how many frames; None: all that there are, 2 at least.
        exact: whether there must be `count` frames; otherwise it is the most, and 2 are enough.

    Returns:
        [T, height, width, 3] uint8.

    Raises:
        UserError: a file is missing or damaged, there are too few frames, they have two sizes, or
            the time between them varies.
    """
    frames, times = [], []
    for time, frame in _read(item.source, item, count):
        frames.append(fit_frame(frame, clips.size, clips.fit))
        times.append(time)
    least = count if exact and count else FEWEST
    if len(frames) < least:
        every = f", one of {item.stride}" if item.stride > 1 else ""
        raise UserError(
            f"{item.source} has only {len(frames)} of {least} frames from frame {item.start} on"
            f"{every}. Use a longer clip, a smaller start or stride, or fewer frames in [data]."
        )
    _check_times(times, item)
    return np.stack(frames)


def read_guide(item: Item, clips: Clips, count: int) -> np.ndarray:
    """The frames of a clip's guide, which lie where those of `read_clip` lie.

    Args:
        item: a clip that has a guide.
        clips: size and fit.
        count: how many frames of the clip were read.

    Returns:
        [T, height, width, 3] uint8; T is `count`, or less if the guide ends a little earlier.

    Raises:
        UserError: a file is missing or damaged, or guide and clip are of different lengths.
    """
    lengths = _length(item.guide), _length(item.source)
    if abs(lengths[0] - lengths[1]) >= LENGTHS:
        raise UserError(
            f"The guide {item.guide} has {lengths[0]} frames, but {item.source} has {lengths[1]}. "
            "Use the guide that was drawn for this clip, with a frame for each of its frames."
        )
    frames = [
        fit_frame(frame, clips.size, clips.fit) for _, frame in _read(item.guide, item, count)
    ]
    if len(frames) < FEWEST:
        raise UserError(
            f"The guide {item.guide} has {len(frames)} frames from frame {item.start} on; expected "
            f"{count}, as the clip has. Use a longer guide or a smaller start."
        )
    guide = np.stack(frames)
    return guide[..., ::-1].copy() if item.swapped else guide


def source_size(item: Item) -> tuple[int, int]:
    """(height, width) in pixels of a clip's frames as they are stored.

    Raises:
        UserError: the file is missing or damaged.
    """
    _, frame = next(_read(item.source, replace(item, start=0), 1))
    return frame.shape[:2]


def _read(source: Path, item: Item, count: int | None) -> Timed:
    """Frames of a clip or of its guide at their own size, each with its second if it has one."""
    place = {"start": item.start, "stride": item.stride}
    if source.is_dir() or source == item.frames:
        pictures = read_image_folder(source, max_frames=count, **place)
        yield from ((None, picture) for picture in pictures)
        return
    with closing(read_timed(source, **place)) as frames:
        yield from islice(frames, count)


def _length(source: Path) -> int:
    return len(list_pictures(source)) if source.is_dir() else count_video_frames(source)


def _check_times(times: list[float | None], item: Item) -> None:
    """Raise UserError if frames are not shown for equal times: motion would seem to jump."""
    if None in times:
        return
    spans = [after - before for before, after in pairwise(times)]
    usual = median(spans)
    if any(abs(span - usual) > STEADY * usual + ROUNDED for span in spans):
        rate = max(round(item.stride / usual), 1) if usual > 0 else 24
        words = ("ffmpeg", "-i", item.source.name, "-r", str(rate), "steady.mp4")
        raise UserError(
            f"{item.source} has a variable frame rate: from one frame to the next it takes "
            f"{min(spans) / item.stride:.3f} to {max(spans) / item.stride:.3f} seconds. Save it "
            f"with a fixed rate: {shell_words(*words)}"
        )
