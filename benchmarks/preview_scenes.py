"""Drawn scenes with a known truth for the benchmark of the preview: python benchmarks/preview.py

A scene is a small town under a moving camera. Something may move by itself in front of the town: a
van, a balloon, or people who walk. All frames are drawn, so the truth between the keyframes is
known. The people's joints are known as well; they stand in for a pose detector, which needs
weights.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from fcvg_core.pose import Poses
from fcvg_core.pose.skeleton import NUM_POINTS
from fcvg_core.standalone.demo.scene import camera_move, draw_scene

SUBPIXEL_BITS = 4
NUM_FRAMES = 25
STILL = {"angle": 0.0, "scale": 1.0, "shift": (0.0, 0.0), "tilt": (0.0, 0.0)}
# Bones of a walker: joints by their number in OpenPose's order, width in frame heights, colour.
BONES = (
    ((5, 6), 0.030, (92, 44, 40)),
    ((6, 7), 0.024, (214, 170, 140)),
    ((11, 12), 0.040, (44, 52, 84)),
    ((12, 13), 0.032, (40, 46, 74)),
    ((1, 8), 0.060, (146, 62, 54)),
    ((1, 11), 0.060, (146, 62, 54)),
    ((8, 9), 0.042, (58, 68, 108)),
    ((9, 10), 0.034, (52, 62, 98)),
    ((2, 3), 0.032, (160, 72, 62)),
    ((3, 4), 0.025, (224, 180, 150)),
)


@dataclass(frozen=True)
class Walker:
    """A person who walks.

    Attributes:
        start, end: x of the hips in the first and the last frame, in frame heights.
        phase: place in the walking cycle in the first frame, in turns.
        turns: walking cycles (two steps each) from the first frame to the last.
        tall: height of the person, in frame heights.
    """

    start: float
    end: float
    phase: float
    turns: float
    tall: float = 0.42

    def joints(self, time: float) -> np.ndarray:
        """Places of OpenPose's 18 joints at a time 0..1: [18, 2] in frame heights."""
        swing = np.sin(2 * np.pi * (self.phase + self.turns * time))
        unit = self.tall
        hip = np.array([self.start + (self.end - self.start) * time, 0.92 - 0.5 * unit])
        neck = hip - (0, 0.34 * unit)
        joints = np.zeros((18, 2))
        joints[0] = neck - (-0.02 * unit, 0.1 * unit)
        joints[1] = neck
        for side, (shoulder, upper) in ((1, (2, 8)), (-1, (5, 11))):
            turn = side * swing
            joints[shoulder] = neck + (0.02 * side * unit, 0.02 * unit)
            elbow = joints[shoulder] + 0.17 * unit * _direction(-0.5 * turn)
            joints[shoulder + 1] = elbow
            joints[shoulder + 2] = elbow + 0.15 * unit * _direction(-0.5 * turn + 0.25)
            joints[upper] = hip + (0.015 * side * unit, 0)
            knee = joints[upper] + 0.25 * unit * _direction(0.45 * turn + 0.08)
            joints[upper + 1] = knee
            joints[upper + 2] = knee + 0.25 * unit * _direction(0.45 * turn - 0.15)
        head = joints[0]
        joints[14:18] = head + unit * np.array(
            [(0.02, -0.02), (-0.01, -0.02), (0.0, -0.01), (-0.04, -0.01)]
        )
        return joints


@dataclass(frozen=True)
class Scene:
    """A town, a camera move and what moves by itself.

    Attributes:
        name: short, for the table.
        seed: selects the town.
        size: (height, width) in pixels.
        camera: arguments of `camera_move` at the last frame; the move is even.
        balloon: (x, y) of a balloon in the first and in the last frame, in frame heights.
        van: x of a van in the first and in the last frame, in frame heights.
        walkers: people in front of the town.
    """

    name: str
    seed: int
    size: tuple[int, int] = (256, 448)
    camera: dict = field(default_factory=dict)
    balloon: tuple[tuple[float, float], tuple[float, float]] | None = None
    van: tuple[float, float] | None = None
    walkers: tuple[Walker, ...] = ()

    def frames(self, num_frames: int = NUM_FRAMES) -> np.ndarray:
        """The truth: [T, H, W, 3] uint8."""
        return np.stack([self.frame(time) for time in np.linspace(0, 1, num_frames)])

    def frame(self, time: float) -> np.ndarray:
        """The frame at a time 0..1: [H, W, 3] uint8."""
        view = self.view(time)
        balloon = None
        if self.balloon is not None:
            balloon = tuple(
                np.array(self.balloon[0]) * (1 - time) + np.array(self.balloon[1]) * time
            )
        picture = draw_scene(self.seed, self.size, view, balloon=balloon)
        if self.van is not None:
            _draw_van(picture, view, self.van[0] * (1 - time) + self.van[1] * time)
        for walker in self.walkers:
            _draw_walker(picture, view, walker.joints(time))
        return picture

    def view(self, time: float) -> np.ndarray:
        """Homography of the camera at a time 0..1."""
        last = {**STILL, **self.camera}
        return camera_move(
            self.size,
            angle=last["angle"] * time,
            scale=1 + (last["scale"] - 1) * time,
            shift=tuple(value * time for value in last["shift"]),
            tilt=tuple(value * time for value in last["tilt"]),
        )

    def people(self) -> tuple[Poses, Poses] | None:
        """Poses of the walkers in both keyframes; None if nobody walks."""
        return (self._poses(0.0), self._poses(1.0)) if self.walkers else None

    def _poses(self, time: float) -> Poses:
        points = torch.zeros(len(self.walkers), NUM_POINTS, 2, dtype=torch.float64)
        scores = torch.zeros(len(self.walkers), NUM_POINTS, dtype=torch.float64)
        for i, walker in enumerate(self.walkers):
            pixels = _to_pixels(self.view(time), self.size[0], walker.joints(time))
            points[i, :18] = torch.from_numpy(pixels / self.size[::-1])
            scores[i, :18] = 1
        return Poses(points, scores)


def _direction(angle: float) -> np.ndarray:
    """Unit vector: 0 points down, a positive angle to the right."""
    return np.array([np.sin(angle), np.cos(angle)])


def _to_pixels(view: np.ndarray, height: int, points: np.ndarray) -> np.ndarray:
    """Points in frame heights -> pixels of the moved camera: [..., 2] -> [..., 2]."""
    return cv2.perspectiveTransform(np.float64(points).reshape(-1, 1, 2) * height, view)[:, 0]


def _fixed(pixels: np.ndarray) -> np.ndarray:
    return np.rint(pixels * 2**SUBPIXEL_BITS).astype(np.int32)


def _fill(picture: np.ndarray, view: np.ndarray, color: tuple, *points: tuple) -> None:
    pixels = _to_pixels(view, len(picture), np.array(points))
    cv2.fillPoly(picture, [_fixed(pixels)], color, cv2.LINE_AA, SUBPIXEL_BITS)


def _draw_van(picture: np.ndarray, view: np.ndarray, x: float) -> None:
    """A van whose left edge is at `x`, on the road."""

    def box(color: tuple, left: float, top: float, right: float, bottom: float) -> None:
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        _fill(picture, view, color, *((x + a, b) for a, b in corners))

    box((44, 116, 150), 0, 0.62, 0.4, 0.9)
    box((232, 238, 240), 0, 0.74, 0.4, 0.765)
    box((60, 84, 100), 0.29, 0.65, 0.385, 0.72)
    box((34, 90, 120), 0.015, 0.79, 0.27, 0.87)
    for i in range(4):
        box((214, 190, 90), 0.03 + 0.06 * i, 0.66, 0.07 + 0.06 * i, 0.71)
    turn = np.linspace(0, 2 * np.pi, 24)
    for center in (0.09, 0.31):
        for radius, color in ((0.045, (30, 30, 34)), (0.02, (170, 172, 178))):
            rim = zip(x + center + radius * np.cos(turn), 0.9 + radius * np.sin(turn), strict=True)
            _fill(picture, view, color, *rim)


def _draw_walker(picture: np.ndarray, view: np.ndarray, joints: np.ndarray) -> None:
    tall = joints[:, 1].max() - joints[:, 1].min()
    turn = np.linspace(0, 2 * np.pi, 24)
    for (a, b), width, color in BONES:
        along = joints[b] - joints[a]
        length = np.linalg.norm(along) + 1e-9
        aside = np.array([-along[1], along[0]]) / length * width * tall
        ends = (
            joints[a] + aside,
            joints[b] + 0.8 * aside,
            joints[b] - 0.8 * aside,
            joints[a] - aside,
        )
        _fill(picture, view, color, *ends)
        for joint, part in ((a, 1.0), (b, 0.8)):
            circle = joints[joint] + part * width * tall * np.stack([np.cos(turn), np.sin(turn)], 1)
            _fill(picture, view, color, *circle)
    for radius, color, lift in ((0.062, (70, 48, 34), 0.012), (0.056, (226, 182, 152), 0.0)):
        center = joints[0] - (0, lift * tall)
        _fill(
            picture,
            view,
            color,
            *(center + radius * tall * np.stack([np.cos(turn), np.sin(turn)], 1)),
        )


NORMAL = {"angle": 4.0, "scale": 1.12, "shift": (-0.05, 0.02), "tilt": (0.12, -0.04)}
TOWNS = (
    Scene("town 7", 7, camera=NORMAL),
    Scene("town 21", 21, camera=NORMAL),
    Scene("town 33", 33, camera=NORMAL),
    Scene("town 104", 104, camera=NORMAL),
    Scene("town 112", 112, camera=NORMAL),
    Scene("town 129", 129, camera=NORMAL),
    Scene("town 143", 143, camera=NORMAL),
    Scene("town 158", 158, camera=NORMAL),
)
MOVING = (
    Scene("small move", 201, camera={"shift": (0.01, 0.0), "scale": 1.01}),
    Scene("large pan", 202, camera={"shift": (-0.18, 0.0)}),
    Scene("large zoom", 203, camera={"scale": 1.35, "angle": -3.0}),
    Scene("strong tilt", 204, camera={"tilt": (0.3, 0.1), "angle": 8.0}),
    Scene("portrait", 205, (448, 256), camera=NORMAL),
    Scene("16:9", 206, (288, 512), camera=NORMAL),
    Scene("still camera, balloon", 207, balloon=((1.2, 0.2), (1.35, 0.14))),
    Scene("balloon", 208, camera=NORMAL, balloon=((1.45, 0.16), (1.36, 0.12))),
    Scene("still camera, van", 209, van=(0.2, 0.55)),
    Scene("van", 210, camera=NORMAL, van=(0.9, 0.6)),
    Scene("walker, still camera", 211, walkers=(Walker(0.6, 0.75, 0.0, 0.4),)),
    Scene("walker", 212, camera=NORMAL, walkers=(Walker(0.7, 0.55, 0.1, 0.5),)),
    Scene(
        "two walkers, portrait",
        213,
        (448, 256),
        camera={"shift": (0.04, 0.0), "scale": 1.06},
        walkers=(Walker(0.1, 0.22, 0.2, 0.4, 0.3), Walker(0.45, 0.32, 0.6, 0.4, 0.36)),
    ),
    Scene(
        "three walkers",
        214,
        camera={"shift": (-0.04, 0.0)},
        walkers=(
            Walker(0.3, 0.45, 0.0, 0.5),
            Walker(0.8, 0.9, 0.3, 0.4, 0.36),
            Walker(1.3, 1.1, 0.7, 1.0),
        ),
    ),
)
