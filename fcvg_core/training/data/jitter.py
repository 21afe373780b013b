"""What moves in a clip -> its control frames: as in inference, or varied by chance.

Hand edits, other matchers and wrong joints make control frames that no matcher makes. Varied
control frames teach the networks not to rely on every stroke.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...choices import FCVG_STYLE
from ...control import ControlFrameSettings, draw_motion
from ...motion import LineTrack, MotionTrack, track_motion
from ...pose import STYLES, Poses
from ...pose.skeleton import FACE, LEFT_HAND, RIGHT_HAND
from ...standalone.spec import Motion as MotionChoice
from ..config import Conditions
from .motion import ClipMotion

INFERENCE = MotionChoice()  # what `inbetween` does if the user chooses nothing
EVENLY = "uniform"  # the timing of frames that follow the clip's own frames
SEEDS = 2**31
# A hand is shifted with its wrist and a face with its nose: they are small, and their shape is
# what they show.
FOLLOWS = ((LEFT_HAND, 7), (RIGHT_HAND, 4), (FACE, 0))


def draw_control(
    motion: ClipMotion, conditions: Conditions, frames: int, chance: torch.Generator | None
) -> np.ndarray:
    """Control frames of a clip.

    Args:
        frames: of the clip, T.
        chance: decides whether the frames follow the clip's own frames (see
            `conditions.true_share`), which lines and people are left out, how ends and joints are
            shifted, and the colours of lines; on the CPU. None varies nothing: the frames are
            those that `inbetween` draws of the clip's ends.

    Returns:
        uint8 [T, H, W, 3].
    """
    moving, at, timing, seed = motion.ends, (0, frames - 1), conditions.timing, INFERENCE.color_seed
    if chance is not None:
        seed = int(torch.randint(SEEDS, (), generator=chance))
        is_true = bool(_evenly((), chance) < conditions.true_share)
        if is_true and motion.chain is not None:
            moving, at, timing = motion.chain, motion.at, EVENLY
    if at[-1] != frames - 1:
        raise ValueError(f"expected a motion of {frames} frames, got one of {at[-1] + 1}")
    settings = ControlFrameSettings(
        num_frames=frames,
        timing=timing,
        line_width=conditions.line_width,
        seed=seed,
        pose_style=STYLES[FCVG_STYLE],
        missing_joints=INFERENCE.missing_joints,
        missing_people=INFERENCE.missing_people,
    )
    track = track_motion(
        moving,
        at,
        timing,
        missing_joints=settings.missing_joints,
        missing_people=settings.missing_people,
    )
    if chance is not None:
        track = leave_out(track, conditions.dropped, chance)
        track = shift(track, at, conditions.jitter, chance)
    return draw_motion(track, settings)


def leave_out(track: MotionTrack, share: float, chance: torch.Generator) -> MotionTrack:
    """The motion without some of its lines and people, each left out with the same probability.

    If everything would be left out, nothing is: black control frames are another lesson.
    """
    lines, people = track.lines, track.people
    if lines is not None:
        kept = _evenly((len(lines.ids),), chance) >= share
        lines = replace(lines, lines=lines.lines[:, kept], ids=lines.ids[kept])
    if people is not None:
        kept = _evenly((people.num_people,), chance) >= share
        people = people.people(kept)
    if not (lines and len(lines.ids)) and not (people and people.num_people):
        return track
    return replace(track, lines=lines, people=people)


def shift(
    track: MotionTrack, at: Sequence[int], deviation: float, chance: torch.Generator
) -> MotionTrack:
    """The motion with the ends of lines and the joints of people shifted.

    Each end and each joint has its own shift at each keyframe; hands and faces keep their shape.
    Between keyframes shifts change evenly, so everything moves as smoothly as before.

    Args:
        at: frames of the keyframes.
        deviation: standard deviation of a shift to either side, in pixels.
    """
    lines, people = track.lines, track.people
    shares = _shares(at)
    if lines is not None:
        moved = lines.lines + _shifts(shares, lines.lines, chance) * deviation
        lines = LineTrack(moved.to(lines.lines), lines.ids, lines.num_matched)
    if people is not None:
        pixels = people.keypoints.new_tensor(track.size[::-1])
        moved = _shifts(shares, people.keypoints, chance)
        for part, joint in FOLLOWS:
            moved[..., part, :] = moved[..., [joint], :]
        moved = moved * deviation / pixels
        people = Poses(people.keypoints + moved, people.scores, people.brightness)
    return replace(track, lines=lines, people=people)


def _evenly(shape: tuple[int, ...], chance: torch.Generator) -> Tensor:
    """Numbers float64 in 0..1."""
    return torch.rand(shape, generator=chance, dtype=torch.float64)


def _shares(at: Sequence[int]) -> Tensor:
    """[T, K] float64, how much each keyframe counts in each frame; the sum is 1."""
    marks = np.eye(len(at))
    numbers = np.arange(at[-1] + 1)
    return torch.from_numpy(np.stack([np.interp(numbers, at, mark) for mark in marks], axis=1))


def _shifts(shares: Tensor, points: Tensor, chance: torch.Generator) -> Tensor:
    """Shifts of points [T, ...] with a deviation of 1 at the keyframes, [T, ...] float64."""
    at_keyframes = torch.randn(
        shares.shape[1], *points.shape[1:], generator=chance, dtype=torch.float64
    )
    return torch.einsum("tk,k...->t...", shares, at_keyframes)
