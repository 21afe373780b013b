"""Two drawn clips that begin alike and move apart, for python benchmarks/learn.py

Both show the same town. In the first clip the camera turns and goes one way; in the second clip it
goes the opposite way, and a balloon rises. Only the control frames tell which way a clip goes.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from fcvg_core.lines import ClassicLineMatcher, LineMatches
from fcvg_core.measures import psnr
from fcvg_core.motion import Motion, Span
from fcvg_core.standalone.demo.scene import camera_move, draw_scene
from fcvg_core.standalone.preview import PreviewMaker
from fcvg_core.standalone.spec import InbetweenPoseChoice, PreviewSpec, PreviewVideo
from fcvg_core.standalone.spec import Motion as MotionChoice

WIDE = (128, 192)  # (height, width) of a view of the town, in pixels
SIZE = (128, 128)  # of a frame, the middle of a view
FINE = 2  # the town is drawn, and lines are matched, at this many times the size
FRAMES, FPS = 5, 7
MOMENTS = 7  # of each clip that the VAE sees
TIMING = "uniform"  # of the lines: the clips move evenly
ZOOM = 1.3
MOVES = (
    {"angle": 5.0, "scale": ZOOM, "shift": (-0.1, 0.04), "tilt": (0.1, -0.04)},
    {"angle": -5.0, "scale": ZOOM, "shift": (0.1, -0.04), "tilt": (-0.1, 0.04)},
)
STILL = {"angle": 0.0, "scale": ZOOM, "shift": (0.0, 0.0), "tilt": (0.0, 0.0)}
# (x, y) of the balloon in frame heights: where it may begin, and where it ends. It begins as high
# as a house hides it, so that both clips begin alike.
STARTS = tuple((0.95, y) for y in (0.32, 0.4, 0.48, 0.56, 0.64))
END = (0.62, 0.2)
ALIKE = 40.0  # dB
OTHERS = 60  # pictures that the VAE sees beside the clips; half show the clips' town
NAMES = ("left", "right")

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class DrawnClip:
    """A clip whose frames are drawn.

    Attributes:
        frames: uint8 [T, H, W, 3].
        matches: lines of both ends, of the frames' size.
        control: uint8 [T, H, W, 3], these lines as they move between the ends.
    """

    name: str
    frames: np.ndarray
    matches: LineMatches
    control: np.ndarray


def draw_clips(seed: int) -> tuple[DrawnClip, DrawnClip]:
    """The two clips of a town.

    Args:
        seed: selects the town.
    """
    return tuple(map(_draw_clip, NAMES, (seed, seed), MOVES, _balloons(seed)))


def draw_moments(seed: int) -> list[np.ndarray]:
    """Pictures of both clips for the VAE, whole views uint8 [H, W, 3]."""
    clips = zip(MOVES, _balloons(seed), strict=True)
    return [_small(each) for clip in clips for each in _views(seed, *clip, MOMENTS)]


def draw_pictures(seed: int, count: int = OTHERS) -> list[np.ndarray]:
    """Pictures for the VAE: the town of a seed and other towns, each from another place.

    Returns:
        uint8 [H, W, 3] each, whole views.
    """
    random = np.random.RandomState(seed)
    pictures = []
    for i in range(count):
        move = {
            "angle": random.uniform(-8, 8),
            "scale": random.uniform(0.9, 1.6),
            "shift": tuple(random.uniform(-0.2, 0.2, 2)),
            "tilt": tuple(random.uniform(-0.1, 0.1, 2)),
        }
        balloon = (random.uniform(0.1, 1.4), random.uniform(0.1, 0.4)) if i % 3 == 0 else None
        pictures.append(_small(_scene(seed if i % 2 else seed + i + 1, _camera(move), balloon)))
    return pictures


@lru_cache(maxsize=4)
def _balloons(seed: int) -> tuple[None, tuple[Point, Point]]:
    """Where the balloon of each clip begins and ends; the first clip has none."""
    still = _camera(STILL)
    without = _small(_scene(seed, still, None))
    for start in STARTS:
        if psnr(without[None], _small(_scene(seed, still, start))[None]) >= ALIKE:
            break
    return None, (start, END)


def _draw_clip(name: str, seed: int, move: dict, balloon: tuple[Point, Point] | None) -> DrawnClip:
    side = (WIDE[1] - SIZE[1]) * FINE // 2
    fine = [view[:, side : side + SIZE[1] * FINE] for view in _views(seed, move, balloon, FRAMES)]
    matches = _match(fine[0], fine[-1])
    frames = np.stack([_small(frame) for frame in fine])
    return DrawnClip(name, frames, matches, draw_control(matches))


def _views(
    seed: int, move: dict, balloon: tuple[Point, Point] | None, count: int
) -> list[np.ndarray]:
    """Fine views of a clip at moments that are evenly spread."""
    start, end = _camera(STILL), _camera(move)
    views = []
    for time in np.linspace(0, 1, count):
        at = None
        if balloon is not None:
            at = tuple(np.array(balloon[0]) * (1 - time) + np.array(balloon[1]) * time)
        views.append(_scene(seed, _between(start, end, time), at))
    return views


def draw_control(matches: LineMatches) -> np.ndarray:
    """Control frames [T, H, W, 3] of lines, as the command `inbetween` draws them."""
    spec = PreviewSpec(
        result=PreviewVideo(width=SIZE[1], height=SIZE[0], frames=FRAMES),
        poses=InbetweenPoseChoice(poses=False),
        motion=MotionChoice(timing=TIMING),
    )
    return PreviewMaker(spec).draw_control(Motion(SIZE, (Span(matches=matches),)))


def _match(first: np.ndarray, last: np.ndarray) -> LineMatches:
    """Lines of a clip's size, which were matched at the fine size, where there are more."""
    found = ClassicLineMatcher()(first, last)
    return LineMatches(found.lines0 / FINE, found.lines1 / FINE, size=SIZE)


def _scene(seed: int, camera: np.ndarray, balloon: Point | None) -> np.ndarray:
    return draw_scene(seed, _fine_size(), camera, balloon=balloon)


def _camera(move: dict) -> np.ndarray:
    return camera_move(_fine_size(), **move)


def _between(start: np.ndarray, end: np.ndarray, time: float) -> np.ndarray:
    """The camera at a time 0..1: the corners of the view move in straight lines."""
    height, width = _fine_size()
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    ends = [cv2.perspectiveTransform(corners[None], camera)[0] for camera in (start, end)]
    moved = ends[0] * (1 - time) + ends[1] * time
    return cv2.getPerspectiveTransform(corners, moved.astype(np.float32))


def _fine_size() -> tuple[int, int]:
    return WIDE[0] * FINE, WIDE[1] * FINE


def _small(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    return cv2.resize(frame, (width // FINE, height // FINE), interpolation=cv2.INTER_AREA)
