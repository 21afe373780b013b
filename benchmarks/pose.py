"""Seconds for drawing and detecting people, compared with the reference: python benchmarks/pose.py

One thread. 25 frames of 576 x 1024 with two people are drawn by this project, and in the way of
the reference, which darkens the whole canvas in floating point between limbs and joints. Both
results are compared. Then people are detected in a frame by tiny stand-in networks, so that the
time is that of the code around the networks. Nothing is asserted.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from pose_cases import detector  # noqa: E402

from fcvg_core.pose import STYLES, Poses, draw_poses, interpolate_poses  # noqa: E402
from fcvg_core.pose import draw as drawing  # noqa: E402
from fcvg_core.timeline import inbetween_times  # noqa: E402

SIZE = (576, 1024)
NUM_FRAMES = 25
REPEATS = 5


def draw_people_plainly(canvas: np.ndarray, points: np.ndarray, scores: np.ndarray, *more) -> None:
    """Draw in the reference's order: bright limbs, then darken the whole canvas, then the rest."""
    empty = np.where(np.arange(scores.shape[-1]) < 18, scores, 0)
    bright = replace(more[-1].palette, limb_level=1.0)
    joints_off = replace(more[-1], min_joint_score=np.inf, palette=bright)
    _draw(canvas, points, empty, more[0], joints_off)
    canvas[:] = (canvas * 0.6).astype(np.uint8)
    limbs, drawing.LIMBS = drawing.LIMBS, ()
    _draw(canvas, points, scores, *more)
    drawing.LIMBS = limbs


_draw = drawing.draw_people


def draw_plainly(track: Poses) -> np.ndarray:
    """The same frames, drawn by `draw_people_plainly`."""
    drawing.draw_people = draw_people_plainly
    try:
        return draw_poses(track, SIZE, style=STYLES["fcvg"])
    finally:
        drawing.draw_people = _draw


def two_people() -> tuple[Poses, Poses]:
    """Two keyframes, each with two people of random points with high scores."""
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[[0.3, 0.5]], [[0.7, 0.5]]])
    frames = []
    for _ in range(2):
        spread = torch.rand(2, 134, 2, generator=generator) - 0.5
        scores = torch.rand(2, 134, generator=generator) * 0.5 + 0.5
        frames.append(Poses(middles + spread * 0.5, scores))
    return frames[0], frames[1]


def best(function: Callable, *arguments) -> tuple[float, object]:
    """Seconds of the fastest of REPEATS runs, and the result."""
    seconds, result = [], None
    for _ in range(REPEATS):
        begun = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - begun)
    return min(seconds), result


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    poses = two_people()
    times = inbetween_times(NUM_FRAMES)

    def track() -> Poses:
        return interpolate_poses(*poses, times, missing_joints="hide", missing_people="fade")

    moved, people = best(track)
    ours, frames = best(lambda: draw_poses(people, SIZE, style=STYLES["fcvg"]))
    plain, plain_frames = best(draw_plainly, people)
    print(f"two people, {NUM_FRAMES} frames of {SIZE[0]} x {SIZE[1]}, one thread")
    print(f"  matched and moved      {moved:7.3f} s")
    print(f"  drawn                  {ours:7.3f} s   {ours / NUM_FRAMES * 1000:.1f} ms a frame")
    print(f"  drawn plainly          {plain:7.3f} s   {plain / ours:.1f} times as long")
    print(f"  same pictures          {np.array_equal(frames, plain_frames)}")
    find = detector(ROOT / "tests" / "golden", "dwpose_odd.npz")
    frame = np.full((*SIZE, 3), 128, np.uint8)
    seconds, found = best(find, frame)
    print(f"  found, tiny networks   {seconds:7.3f} s   {found.num_people} people")


if __name__ == "__main__":
    main()
