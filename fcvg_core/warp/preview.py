"""Keyframes, lines and people -> frames in which the keyframes' own pixels move."""

import logging

import cv2
import numpy as np
import torch
from torch import Tensor

from ..frames import check_frame
from ..lines import LineMatches
from ..lines.filter import select_matches
from ..pose import Poses
from ..progress import Progress, silent
from .blending import Blend
from .grid import enlarge, is_near, look_up
from .layers import find_layers
from .limbs import pair_limbs

# Motions are found in frames whose longer side is at most so long: they are smooth, and the
# numbers of this room, in pixels, fit frames of this size.
LONGEST = 512
MIN_SIDE = 32  # pixels; optical flow needs so many
MOSTLY = 0.7  # mean trust below which the log says that much is a plain blend


def preview_motion(
    keyframes: tuple[np.ndarray, np.ndarray],
    times: Tensor,
    *,
    matches: LineMatches | None = None,
    people: tuple[Poses, Poses] | None = None,
    progress: Progress = silent,
) -> np.ndarray:
    """Frames between two keyframes, made of the keyframes' own pixels.

    Every pixel moves with the layer that agrees best: the camera's motion, which the lines say;
    the same corrected by optical flow; optical flow alone; objects; people. Where the layers do
    not explain what moves, both keyframes are blended in place.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        times: [T] progress of the motion, 0..1, see `inbetween_times`; T is at least 2.
        matches: lines of both keyframes, of the keyframes' size; None: no line is known. Lines
            far outside of the frame, or with numbers that are not finite, do not count.
        people: people of the first and of the last keyframe, [P, ...] each; None: nobody. People
            count where both keyframes show the same limb.
        progress: is told the stage, how many frames are done, and how many frames there are.

    Returns:
        [T, H, W, 3] uint8. The first frame and the last are the keyframes, bit for bit, whatever
        their times are; so is each frame of time 0 or 1. Without lines and people all frames are
        plain blends, and the log says so.

    Raises:
        ValueError: the keyframes or the matches are of different sizes, or a shape is wrong.

    Source: made for this project; docs/preview.md says what it was chosen from.
    """
    first, last = keyframes
    _check(first, last, times, matches)
    blend = _blend_of(keyframes, matches, people)
    frames = np.empty((len(times), *first.shape), np.uint8)
    for i, time in enumerate([0.0, *times.tolist()[1:-1], 1.0]):
        if time in (0.0, 1.0):
            frames[i] = keyframes[int(time)]
        elif blend is None:
            frames[i] = cv2.addWeighted(first, 1 - time, last, time, 0)
        else:
            frames[i] = _paint(keyframes, blend, time)
        progress("preview", i + 1, len(times))
    return frames


def _check(first: np.ndarray, last: np.ndarray, times: Tensor, matches: LineMatches | None) -> None:
    check_frame(first)
    check_frame(last)
    if first.shape != last.shape:
        raise ValueError(
            f"expected keyframes of one size, got {list(first.shape)} and {list(last.shape)}"
        )
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"expected times [T] of at least 2 frames, got {list(times.shape)}")
    if matches is not None and tuple(matches.size) != first.shape[:2]:
        raise ValueError(
            f"expected matches of the keyframes' size {first.shape[:2]}, got {tuple(matches.size)}"
        )


def _blend_of(
    keyframes: tuple[np.ndarray, np.ndarray],
    matches: LineMatches | None,
    people: tuple[Poses, Poses] | None,
) -> Blend | None:
    """How the layers are blended; None if nothing moves, or nothing says how."""
    size = keyframes[0].shape[:2]
    if matches is not None:
        matches = _near_lines(matches)
    if not _show_motion(matches, people, size):
        logging.warning(
            "No line and no person is in both keyframes: the preview is a plain blend of both."
        )
        return None
    if min(size) < MIN_SIDE or np.array_equal(*keyframes):
        return None
    blend = _look(keyframes, matches, people)
    if blend.trust.mean() < MOSTLY:
        logging.warning(
            "Lines, objects and people explain only %d %% of what changes between the keyframes: "
            "much of the preview is a plain blend of both.",
            round(100 * blend.explained),
        )
    return blend


def _near_lines(matches: LineMatches) -> LineMatches:
    """The lines that lie in the frame or near it, in both keyframes."""
    ends = torch.stack([matches.lines0, matches.lines1])
    near = is_near(ends.numpy(), matches.size).all(axis=(0, 2))
    return select_matches(matches, torch.from_numpy(near))


def _show_motion(
    matches: LineMatches | None, people: tuple[Poses, Poses] | None, size: tuple[int, int]
) -> bool:
    """Whether a line, or a limb of a person, is in both keyframes."""
    lines = matches is not None and len(matches.lines0) > 0
    return lines or (people is not None and pair_limbs(people, size).size > 0)


def _look(
    keyframes: tuple[np.ndarray, np.ndarray],
    matches: LineMatches | None,
    people: tuple[Poses, Poses] | None,
) -> Blend:
    """The layers of both keyframes, found in smaller frames."""
    height, width = keyframes[0].shape[:2]
    scale = min(LONGEST / max(height, width), 1)
    size = max(round(height * scale), MIN_SIDE), max(round(width * scale), MIN_SIDE)
    small = tuple(
        cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA) for frame in keyframes
    )
    if matches is not None:
        ratio = matches.lines0.new_tensor([size[1] / width, size[0] / height])
        # Pixel centres are whole numbers.
        lines = ((lines + 0.5) * ratio - 0.5 for lines in (matches.lines0, matches.lines1))
        matches = LineMatches(*lines, size=size, scores=matches.scores)
    return Blend(small, find_layers(small, matches, people))


def _paint(keyframes: tuple[np.ndarray, np.ndarray], blend: Blend, time: float) -> np.ndarray:
    """The frame at a time between 0 and 1: [H, W, 3] uint8."""
    size = keyframes[0].shape[:2]
    shares = blend.shares(time)
    trust = np.sum([share.weight0 + share.weight1 for share in shares], axis=0)
    doubt = cv2.resize(np.float32(1 - trust), size[::-1])
    total = keyframes[0] * ((1 - time) * doubt)[..., None]
    total += keyframes[1] * (time * doubt)[..., None]
    for share in shares:
        for keyframe, places, weight in zip(
            keyframes, (share.to0, share.to1), (share.weight0, share.weight1), strict=True
        ):
            moved = look_up(keyframe, enlarge(places, size), cv2.INTER_CUBIC)
            total += moved * cv2.resize(np.float32(weight), size[::-1])[..., None]
    return np.rint(total).astype(np.uint8)
