"""Keyframes at any frames of a video, and how far the motion is between them."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from ..choices import REFERENCE
from ..errors import UserError
from ..quoting import in_short
from ..timeline import inbetween_times

SPAN = 25  # frames from one keyframe to the next, both included; FCVG was trained at 25
SHORTEST_SPAN = 4  # both keyframes included; a single span may be shorter
SHOWN = 8  # numbers in a message


def check_keyframes(at: Sequence[int], num_frames: int) -> tuple[int, ...]:
    """The frames of the keyframes, if a video can have keyframes there.

    Args:
        at: number of each keyframe's frame; the first frame of the video is 0.
        num_frames: of the video.

    Raises:
        UserError: there are fewer than two frames or keyframes, two keyframes are at one frame,
            the numbers do not rise, a keyframe lies outside of the video, the video does not
            begin and end with a keyframe, or one of several spans is shorter than 4 frames.
    """
    at, last = tuple(at), num_frames - 1
    if last < 1:
        raise UserError(f"expected at least 2 frames (both keyframes), got {num_frames}")
    if len(at) < 2:
        raise UserError(f"expected at least 2 keyframes, the first and the last; got {len(at)}")
    twice = [frame for i, frame in enumerate(at) if frame in at[:i]]
    if twice:
        raise UserError(f"Two keyframes are at frame {twice[0]}: give each keyframe its own frame.")
    outside = [frame for frame in at if not 0 <= frame <= last]
    if outside:
        raise UserError(
            f"A keyframe is at frame {outside[0]}, but the video has {num_frames} frames, 0 to "
            f"{last}: move the keyframe, or make the video longer."
        )
    if sorted(at) != list(at):
        raise UserError(f"The keyframes are at frames {_listed(at)}: sort them by their frames.")
    if at[0] != 0 or at[-1] != last:
        raise UserError(
            f"The first keyframe is at frame {at[0]} and the last at frame {at[-1]}, but a video "
            f"of {num_frames} frames begins and ends with a keyframe: put these two at 0 and "
            f"{last}."
        )
    for begin, end in itertools.pairwise(at):
        if len(at) > 2 and end - begin + 1 < SHORTEST_SPAN:
            raise UserError(
                f"From the keyframe at frame {begin} to the keyframe at frame {end} there are "
                f"{end - begin + 1} frames, both included, but {SHORTEST_SPAN} are needed: move "
                "one of these keyframes, or leave one out."
            )
    return at


def spread_keyframes(count: int, num_frames: int | None = None) -> tuple[int, ...]:
    """Frames of so many keyframes, spread evenly over a video.

    Args:
        count: number of keyframes, at least 2.
        num_frames: of the video; None: 25 frames from keyframe to keyframe, both included, so
            25 + 24 * (count - 2) in all.

    Raises:
        UserError: see `check_keyframes`; the video is too short for so many keyframes.
    """
    spans = count - 1
    last = (SPAN - 1) * spans if num_frames is None else num_frames - 1
    if count > 2 and last < (SHORTEST_SPAN - 1) * spans:
        raise UserError(
            f"{count} keyframes need at least {(SHORTEST_SPAN - 1) * spans + 1} frames, "
            f"{SHORTEST_SPAN} from each keyframe to the next, but the video has {num_frames}: give "
            "more frames or fewer keyframes."
        )
    return check_keyframes([round(last * i / spans) for i in range(count)], last + 1)


def whole_times(at: Sequence[int], timing: str | Sequence[float] = REFERENCE) -> Tensor:
    """Progress of the motion over the whole video; each span keeps to its own part of it.

    Args:
        at: frames of the keyframes, as `check_keyframes` returns them.
        timing: see `inbetween_times`. With several spans it must rise from keyframe to keyframe;
            where it leaves the part of a span, the first or the last moment of the span is held.

    Returns:
        [T] float64, of a single span exactly `inbetween_times`.

    Raises:
        UserError: the timing is not valid, or it does not rise from keyframe to keyframe.
    """
    times = inbetween_times(at[-1] + 1, timing)
    if len(at) == 2:
        return times
    marks = times[list(at)]
    if (marks.diff() <= 0).any():
        raise UserError(
            f"The times of the motion do not rise from keyframe to keyframe: at the frames "
            f"{_listed(at)} they are {_listed([f'{mark:g}' for mark in marks.tolist()])}. Change "
            "the timing, or move a keyframe."
        )
    parts = [
        times[begin:end].clamp(marks[i], marks[i + 1])
        for i, (begin, end) in enumerate(itertools.pairwise(at))
    ]
    return torch.cat([*parts, marks[-1:]])


def span_times(at: Sequence[int], timing: str | Sequence[float] = REFERENCE) -> list[Tensor]:
    """Progress of the motion inside each span, for all frames of the span, keyframes included.

    Args:
        at, timing: see `whole_times`.

    Returns:
        One [frames of the span] float64 for each span, 0 at its first keyframe and 1 at its last;
        of a single span exactly `inbetween_times`.

    Raises:
        UserError: see `whole_times`.
    """
    times = whole_times(at, timing)
    if len(at) == 2:
        return [times]
    parts = [times[begin : end + 1] for begin, end in itertools.pairwise(at)]
    return [(part - part[0]) / (part[-1] - part[0]) for part in parts]


def _listed(values: Sequence[object]) -> str:
    return in_short([*map(str, values)], most=SHOWN, between=", ")
