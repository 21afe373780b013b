"""Paths and cameras in the preview against the truth: python benchmarks/preview_motion.py

A drawn disc follows a curve, and a picture is moved by the camera alone. Times are ratios to a
preview of the same keyframes with lines alone, of one run. Nothing is asserted.
"""

import sys
from pathlib import Path as File
from time import perf_counter

import cv2
import numpy as np
import torch

ROOT = File(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from fcvg_core.lines import ClassicLineMatcher  # noqa: E402
from fcvg_core.measures import psnr  # noqa: E402
from fcvg_core.motion import Camera, Motion, Span, move_picture, unseen_mask  # noqa: E402
from fcvg_core.paths import Path, path_points  # noqa: E402
from fcvg_core.standalone.demo.scene import draw_scene  # noqa: E402
from fcvg_core.warp import preview_keyframes  # noqa: E402

SIZE, NUM_FRAMES = (288, 512), 25
TIMES = torch.linspace(0, 1, NUM_FRAMES)
CURVE = Path(0, torch.tensor([[100.0, 200], [150, 20], [330, 20], [400, 200]]))
YELLOW = (250, 230, 40)
CAMERAS = {
    "pan": Camera(pan=(0.3, 0.1)),
    "zoom in": Camera(zoom=1.6),
    "zoom out": Camera(zoom=0.6),
    "rotate": Camera(rotate=60),
    "tilt": Camera(tilt=(15, 5)),
    "all": Camera(pan=(0.1, 0.0), zoom=1.3, rotate=20, tilt=(5, 0)),
}


def main() -> None:
    measure_paths()
    measure_cameras()


def measure_paths() -> None:
    """Print how far a disc is from its curve, by its radius."""
    places = path_points([CURVE], TIMES)[:, 0].numpy()
    empty = draw_wall(None, 0)
    print("A disc on a curve: pixels from the curve, mean and largest; PSNR; time")
    for radius in (6, 12, 20, 40, 60):
        truth = np.stack([draw_wall(place, radius) for place in places])
        matches = ClassicLineMatcher()(truth[0], truth[-1])
        _, alone = preview(truth, Span(matches=matches))
        frames, seconds = preview(truth, Span(matches=matches, paths=(CURVE,)))
        pairs = zip(frames[1:-1], truth[1:-1], strict=True)
        apart = [np.hypot(*(middle(frame, empty) - middle(true, empty))) for frame, true in pairs]
        level = psnr(truth[1:-1], frames[1:-1]).mean()
        print(
            f"radius {radius:3d}: {np.mean(apart):6.2f} {np.max(apart):6.2f}   {level:5.1f} dB"
            f"   {seconds / alone:4.2f} x"
        )


def draw_wall(place: np.ndarray | None, radius: int) -> np.ndarray:
    """A wall with smooth noise, and a disc before it."""
    noise = np.random.default_rng(0).normal(size=SIZE).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 6)
    gray = np.rint(64 + 20 * noise / noise.std()).clip(5, 122).astype(np.uint8)
    frame = np.repeat(gray[..., None], 3, axis=-1)
    frame[..., 2] += 60
    if place is not None:
        at = tuple(round(float(value) * 16) for value in place)
        cv2.circle(frame, at, radius * 16, YELLOW, -1, cv2.LINE_AA, 4)
    return frame


def middle(frame: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """(x, y) of what is yellow."""
    yellow = (frame[..., :2].mean(-1) - frame[..., 2] - 120.0).clip(0)
    places = np.indices(empty.shape[:2])[::-1]
    return (places * yellow).sum((1, 2)) / yellow.sum()


def measure_cameras() -> None:
    """Print how near the preview of a moved picture is to the picture moved in between."""
    picture = draw_scene(7, SIZE)
    print("A picture moved by the camera: PSNR where it is seen, camera and lines alone; time")
    for name, camera in CAMERAS.items():
        truth = [move_picture(picture, camera, time, "reflect") for time in TIMES.tolist()]
        matches = ClassicLineMatcher()(truth[0], truth[-1])
        frames, seconds = preview(truth, Span(camera=camera))
        plain, alone = preview(truth, Span(matches=matches))
        levels = [
            np.mean([level(true, frame, camera, i) for i, (true, frame) in between(truth, result)])
            for result in (frames, plain)
        ]
        print(f"{name:10s} {levels[0]:5.1f} dB {levels[1]:5.1f} dB   {seconds / alone:4.2f} x")


def between(truth: list[np.ndarray], frames: np.ndarray) -> list:
    """Numbers of the frames between the keyframes, and their pairs."""
    return list(enumerate(zip(truth, frames, strict=True)))[1:-1]


def level(true: np.ndarray, frame: np.ndarray, camera: Camera, i: int) -> float:
    """PSNR in dB of the pixels that show the picture."""
    seen = unseen_mask(SIZE, camera, float(TIMES[i])) == 0
    return float(psnr(true[seen][None, None], frame[seen][None, None])[0])


def preview(truth: np.ndarray | list, span: Span) -> tuple[np.ndarray, float]:
    """The preview between the ends of a clip, and its seconds."""
    begun = perf_counter()
    at = (0, len(truth) - 1)
    frames = preview_keyframes((truth[0], truth[-1]), at, "uniform", Motion(SIZE, (span,)))
    return frames, perf_counter() - begun


if __name__ == "__main__":
    main()
