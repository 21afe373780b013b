"""Things that move by themselves in front of a town: balloons, cars and vans."""

from dataclasses import dataclass

import cv2
import numpy as np

from fcvg_core.standalone.demo.town import (
    FRAME,
    IRON,
    LAMP_LIGHT,
    PANES,
    SUBPIXEL_BITS,
    Point,
    Town,
    paint_balloon,
    shade,
)

PAINTS = (
    (198, 56, 48),
    (60, 108, 176),
    (236, 232, 220),
    (64, 128, 96),
    (228, 172, 52),
    (72, 76, 84),
)


def move_points(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (x, y) by a homography: [..., 2] -> [..., 2]."""
    moved = points @ homography[:, :2].T + homography[:, 2]
    return moved[..., :2] / moved[..., 2:]


class View(Town):
    """A frame, with the drawing functions of a town: they take town coordinates.

    Args:
        frame: [H, W, 3] uint8; it is changed.
        homography: [3, 3], maps pixels of the front view to pixels of the frame.
    """

    def __init__(self, frame: np.ndarray, homography: np.ndarray) -> None:
        height, width = frame.shape[:2]
        self.canvas, self.homography, self.height = frame, homography, height
        middle = np.array([[width, height], [width, height + 2]]) / 2
        # How much a pixel is enlarged in the middle, for the widths of strokes.
        self.unit = height * np.linalg.norm(np.diff(move_points(homography, middle), axis=0))

    def fixed(self, points: tuple[Point, ...]) -> np.ndarray:
        """Town coordinates -> OpenCV's fixed-point pixel coordinates."""
        pixels = move_points(self.homography, self.pixels(np.array(points)))
        return np.rint(pixels * 2**SUBPIXEL_BITS).astype(np.int32)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Town coordinates -> pixels of the front view, [..., 2] both."""
        return points * self.height - 0.5

    def disc(self, color, x: float, y: float, radius: float) -> None:
        """Fill a circle."""
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        across = zip(x + radius * np.cos(turn), y + radius * np.sin(turn), strict=True)
        self.polygon(color, *across)


@dataclass(frozen=True)
class Thing:
    """A balloon, a car or a van, and its way.

    Attributes:
        kind: "balloon", "car" or "van".
        color: of a car or a van.
        start, end: (x, y) of a balloon's middle, or of the ground below a car's middle, in town
            coordinates.
    """

    kind: str
    color: tuple[int, int, int]
    start: Point
    end: Point

    @classmethod
    def drawn(cls, random: np.random.Generator, width: float) -> "Thing":
        """A thing by chance.

        Args:
            width: of the front view, in frame heights.
        """
        kind = ("balloon", "car", "van")[random.integers(3)]
        sign = 1 if random.random() < 0.5 else -1
        if kind == "balloon":
            start = random.uniform(0.1, 0.9) * width, random.uniform(0.05, 0.4)
            way = random.uniform(-0.12, 0.12), random.uniform(-0.15, 0.12)
        else:
            start = random.uniform(0.1, 0.9) * width, random.uniform(0.9, 1.0)
            way = sign * random.uniform(0.08, 0.35), 0.0
        color = PAINTS[random.integers(len(PAINTS))]
        return cls(kind, color, start, (start[0] + way[0], start[1] + way[1]))

    def place(self, time: float) -> Point:
        """(x, y) at a progress of the motion, 0..1."""
        return tuple(a + (b - a) * time for a, b in zip(self.start, self.end, strict=True))

    def paint(self, view: View, time: float) -> None:
        """Paint the thing into a frame, at a progress of the motion."""
        if self.kind == "balloon":
            paint_balloon(view, *self.place(time))
        else:
            facing = 1 if self.end[0] >= self.start[0] else -1
            paint_car(view, *self.place(time), self.color, facing, van=self.kind == "van")


def paint_car(
    view: View, x: float, y: float, color: tuple[int, int, int], facing: int, *, van: bool
) -> None:
    """Paint a car or a van that stands on the ground at (x, y) and looks to one side."""

    def shape(color, *points: Point) -> None:
        view.polygon(color, *((x + facing * across, y - up) for across, up in points))

    half, roof, front = (0.17, 0.16, 0.12) if van else (0.18, 0.115, 0.07)
    back = -half + 0.01 if van else -0.12
    shape((70, 70, 76), (-half, 0.012), (half, 0.012), (half, 0.0), (-half, 0.0))  # its shadow
    shape(color, (back, roof), (front - 0.03, roof), (front + 0.02, 0.07), (back - 0.02, 0.07))
    shape(color, (-half, 0.075), (half, 0.07), (half, 0.022), (-half, 0.022))
    shape(shade(color, 0.7), (-half, 0.034), (half, 0.034), (half, 0.022), (-half, 0.022))
    for left, right in ((back + 0.015, -0.02), (0.0, front - 0.03)):
        lean = 0.03 if right > 0 else 0.0
        top, low = roof - 0.012, 0.075
        shape(PANES[0], (left, top), (right, top), (right + lean, low), (left, low))
    shape(LAMP_LIGHT, (half - 0.02, 0.062), (half, 0.062), (half, 0.046), (half - 0.02, 0.046))
    for axle in (-0.6 * half, 0.6 * half):
        view.disc(IRON, x + facing * axle, y - 0.026, 0.028)
        view.disc(FRAME, x + facing * axle, y - 0.026, 0.013)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """[H, W] bool, the places where two frames differ, and their neighbours."""
    differ = (before != after).any(-1).astype(np.uint8)
    return cv2.dilate(differ, np.ones((5, 5), np.uint8)) > 0
