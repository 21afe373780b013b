"""Poses -> frames: limbs, joints, hands and faces as coloured strokes on black.

Source: Tian-one/FCVG models/dwpose/util.py; dvlab-research/ControlNeXt ControlNeXt-SVD-v2
dwpose/util.py.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..choices import CONTROLNEXT_STYLE, FCVG_STYLE
from ..errors import UserError
from ..quoting import quote
from .palettes import PALETTES, TRAINED, Palette
from .skeleton import BODY, FACE, FINGERS, LEFT_HAND, LIMBS, MIN_SCORE, RIGHT_HAND
from .types import Poses

# People are drawn on a canvas whose shorter side has this many pixels, and then scaled down.
CANVAS = 2160
LONGEST_CANVAS = 16384  # pixels; largest longer side of the canvas
# Coordinates are clipped to this range, because OpenCV takes 32-bit integers.
FARTHEST = 2.0**17


@dataclass(frozen=True, kw_only=True)
class PoseStyle:
    """Style in which people are drawn. Lengths are pixels of a canvas with a shorter side of 2160.

    The official code draws every point of hands and face, in black if the score is 0 or less,
    and between the keyframes every joint. To reproduce it, set both minimum scores to `-inf`.
    """

    limb_width: int  # half the width of a limb
    hand_width: int  # width of a finger
    joint_radius: int = 4  # joints of body and hands
    face_radius: int = 3
    min_joint_score: float = MIN_SCORE  # joints of the body with a higher score are drawn
    min_point_score: float = 0.0  # points of hands and face with a higher score are drawn
    palette: Palette = TRAINED

    def scaled(self, factor: float) -> "PoseStyle":
        """The same style with all lengths multiplied by a factor, at least 1 pixel each."""
        names = ("limb_width", "hand_width", "joint_radius", "face_radius")
        return replace(self, **{n: max(round(getattr(self, n) * factor), 1) for n in names})

    def colored(self, colors: str) -> "PoseStyle":
        """The same style in other colours, one of POSE_COLORS of `choices`.

        Raises:
            UserError: there are no colours of this name.
        """
        if colors not in PALETTES:
            raise UserError(f"There are no colors {quote(colors)}; expected {', '.join(PALETTES)}.")
        return replace(self, palette=PALETTES[colors])


# The styles with which the networks were trained.
STYLES = {
    FCVG_STYLE: PoseStyle(limb_width=8, hand_width=4),
    CONTROLNEXT_STYLE: PoseStyle(limb_width=4, hand_width=2),
}


def draw_poses(
    poses: Poses, size: tuple[int, int], *, style: PoseStyle, canvas: int = CANVAS
) -> np.ndarray:
    """Frames with people on black.

    The colours of a style are those of the training, if `PoseStyle.colored` does not change them.
    In them red and blue are swapped compared with OpenPose's pictures: the first limb is blue.

    Args:
        poses: people of a video, [T, P, ...].
        size: (height, width) of the frames, in pixels. Any size is possible, because poses are
            relative to the frame.
        style: for example one of STYLES.
        canvas: pixels of the shorter side of the canvas. A smaller canvas is faster, but the lines
            of a style become wider and coarser.

    Returns:
        [T, height, width, 3] uint8 RGB.

    Raises:
        ValueError: `poses` is not a video, or the size is not positive.

    Source: Tian-one/FCVG models/dwpose/util.py draw_pose; the result is equal bit for bit.
    Differs: points that were not found are not drawn (see PoseStyle). A frame whose longer side
        is more than 7 times its shorter side is drawn on a smaller canvas.
    """
    if poses.scores.ndim != 3:
        raise ValueError(f"expected scores [T, P, 134], got {list(poses.scores.shape)}")
    height, width = size
    if min(size) < 1:
        raise ValueError(f"expected a size of at least 1 x 1 pixel, got {size}")
    scale = min(canvas / min(size), LONGEST_CANVAS / max(size))
    rows, columns = max(int(height * scale), 1), max(int(width * scale), 1)
    drawing = np.zeros((rows, columns, 3), np.uint8)
    frames = np.zeros((len(poses.scores), height, width, 3), np.uint8)
    arrays = [x.detach().cpu().numpy() for x in (poses.keypoints, poses.scores, poses.brightness)]
    for frame, points, scores, brightness in zip(frames, *arrays, strict=True):
        if len(points) == 0:
            continue
        lit = brightness > 0  # people of brightness 0 would be black strokes over other people
        points = np.clip(points * (columns, rows), -FARTHEST, FARTHEST)
        if not style.palette.by_score:
            scores = np.where(scores >= MIN_SCORE, 1.0, 0.0)
        draw_people(drawing, points[lit], scores[lit], brightness[lit], style)
        cv2.resize(drawing, (width, height), dst=frame)
        drawing[:] = 0
    return frames


def draw_people(
    canvas: np.ndarray,
    points: np.ndarray,
    scores: np.ndarray,
    brightness: np.ndarray,
    style: PoseStyle,
) -> None:
    """Draw people [P, 134, 2] in pixels into a canvas [H, W, 3]: bodies, hands, then faces."""
    palette = style.palette
    for (a, b), color in zip(LIMBS, palette.joints, strict=False):
        for person, score, light in zip(points, scores, brightness, strict=True):
            if min(score[a], score[b]) >= MIN_SCORE:
                _draw_limb(
                    canvas,
                    person[a],
                    person[b],
                    style.limb_width,
                    _dimmed(color, score[a] * score[b] * light, palette.limb_level),
                )
    for joint, color in enumerate(palette.joints):
        for person, score, light in zip(points, scores, brightness, strict=True):
            if score[BODY][joint] > style.min_joint_score:
                _draw_point(
                    canvas,
                    person[joint],
                    style.joint_radius,
                    _truncated(color, score[joint] * light),
                )
    for part in (LEFT_HAND, RIGHT_HAND):
        for person, score, light in zip(points, scores, brightness, strict=True):
            _draw_hand(canvas, person[part], score[part], light, style)
    for person, score, light in zip(points, scores, brightness, strict=True):
        for point, level in zip(person[FACE], score[FACE], strict=True):
            if level > style.min_point_score and _is_inside(point):
                _draw_point(canvas, point, style.face_radius, _level(palette.face, level * light))


def _draw_limb(
    canvas: np.ndarray, start: np.ndarray, end: np.ndarray, width: int, color: list
) -> None:
    """Draw an ellipse from joint to joint."""
    (x0, y0), (x1, y1) = start, end
    # The official code truncates coordinates and does not round them.
    center = int((x0 + x1) / 2), int((y0 + y1) / 2)
    length = ((y0 - y1) ** 2 + (x0 - x1) ** 2) ** 0.5
    angle = math.degrees(math.atan2(y0 - y1, x0 - x1))
    outline = cv2.ellipse2Poly(center, (int(length / 2), width), int(angle), 0, 360, 1)
    cv2.fillConvexPoly(canvas, outline, color)


def _draw_hand(
    canvas: np.ndarray, points: np.ndarray, scores: np.ndarray, light: float, style: PoseStyle
) -> None:
    """Draw the bones of a hand [21, 2], each bone in its own colour, then the joints."""
    drawn = scores > style.min_point_score
    drawn &= [_is_inside(point) for point in points]
    for (a, b), color in zip(FINGERS, style.palette.fingers, strict=True):
        if drawn[a] and drawn[b]:
            ends = points[[a, b]].astype(int).tolist()
            color = _level(color, scores[a] * scores[b] * light)
            cv2.line(canvas, *ends, color, thickness=style.hand_width)
    for point, score in zip(points[drawn], scores[drawn], strict=True):
        _draw_point(canvas, point, style.joint_radius, _level(style.palette.hand, score * light))


def _draw_point(canvas: np.ndarray, point: np.ndarray, radius: int, color: list) -> None:
    cv2.circle(canvas, (int(point[0]), int(point[1])), radius, color, thickness=-1)


def _is_inside(point: np.ndarray) -> bool:
    """Whether a point of hands or face, in pixels, is beyond the first column and the first row."""
    return point[0] >= 1 and point[1] >= 1


def _dimmed(color: tuple, alpha: float, level: float) -> list[float]:
    """Colour of a limb, as after the official code has darkened the whole canvas."""
    return [float(int(min(max(c, 0), 255) * level)) for c in _truncated(color, alpha)]


def _truncated(color: tuple, alpha: float) -> list[float]:
    """A colour of 0..255 times alpha; OpenCV clips it."""
    return [float(int(c * alpha)) for c in color]


def _level(color: tuple, alpha: float) -> list[float]:
    """A colour of 0..1 times an integer grey level; OpenCV rounds it."""
    level = int(alpha * 255)
    return [c * level for c in color]
