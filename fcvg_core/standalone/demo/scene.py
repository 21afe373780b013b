"""Sample frames for the demo and the tests: a town, seen by a moving camera."""

import cv2
import numpy as np

from .town import FINENESS, MARGIN, Town, paint_town

SENSOR_NOISE = 1.2  # grey levels
FIRST_BALLOON, LAST_BALLOON = (0.83, 0.16), (0.78, 0.12)  # x in frame widths, y in heights


def draw_scene(
    seed: int,
    size: tuple[int, int],
    homography: np.ndarray | None = None,
    *,
    balloon: tuple[float, float] | None = None,
) -> np.ndarray:
    """A frame of a small town, seen from the front or by a moved camera.

    Args:
        seed: selects the town; the town does not depend on the camera.
        size: (height, width) in pixels.
        homography: [3, 3], maps pixels (x, y) of the front view to pixels of this frame; None:
            the front view.
        balloon: (x, y) of a hot-air balloon, in frame heights; None: no balloon.

    Returns:
        [height, width, 3] uint8.
    """
    frame = view_canvas(paint_canvas(seed, size, balloon=balloon), size, homography)
    noise = np.random.RandomState(int(frame.sum()) % 2**32).normal(0, SENSOR_NOISE, frame.shape)
    return np.rint(frame + noise).clip(0, 255).astype(np.uint8)


def paint_canvas(
    seed: int, size: tuple[int, int], *, balloon: tuple[float, float] | None = None
) -> np.ndarray:
    """The whole town, which a camera of `view_canvas` can look at more than once.

    Args:
        seed, size, balloon: as in `draw_scene`.

    Returns:
        [h, w, 3] uint8, larger and finer than a frame.
    """
    town = Town(seed, size)
    paint_town(town, balloon)
    return cv2.GaussianBlur(town.canvas, (0, 0), 0.35 * FINENESS)


def view_canvas(
    canvas: np.ndarray, size: tuple[int, int], homography: np.ndarray | None = None
) -> np.ndarray:
    """A frame of a painted town, without the noise of a sensor.

    Args:
        canvas: from `paint_canvas`, for frames of this size.
        size, homography: as in `draw_scene`.

    Returns:
        [height, width, 3] uint8.
    """
    shift = 0.5 / FINENESS - 0.5 - MARGIN * size[0]  # maps pixel centres, not pixel corners
    view = np.array([[1 / FINENESS, 0, shift], [0, 1 / FINENESS, shift], [0, 0, 1]])
    if homography is not None:
        view = np.asarray(homography, np.float64) @ view
    # The canvas is mirrored at its edges, so that no black border appears for any camera move.
    return cv2.warpPerspective(canvas, view, size[::-1], borderMode=cv2.BORDER_REFLECT_101)


def camera_move(
    size: tuple[int, int],
    *,
    angle: float = 4.0,
    scale: float = 1.12,
    shift: tuple[float, float] = (-0.05, 0.02),
    tilt: tuple[float, float] = (0.12, -0.04),
) -> np.ndarray:
    """Homography of a camera that rotates, zooms, pans and tilts around the frame's centre.

    Args:
        size: (height, width) in pixels.
        angle: rotation of the picture in degrees, clockwise.
        scale: zoom; a value above 1 enlarges the scene.
        shift: shift of the picture, as a fraction of (width, height).
        tilt: enlargement of the right edge relative to the left edge, and of the lower edge
            relative to the upper edge; 0.1 means 10 %.

    Returns:
        [3, 3] float64, maps pixels (x, y) before the move to pixels after the move.
    """
    height, width = size
    center = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1.0]])
    turn = np.radians(angle)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    move = np.array([[cos, -sin, shift[0] * width], [sin, cos, shift[1] * height], [0, 0, 1.0]])
    perspective = np.eye(3)
    perspective[2, :2] = -tilt[0] / width, -tilt[1] / height
    matrix = center @ move @ perspective @ np.linalg.inv(center)
    return matrix / matrix[2, 2]


def draw_sample_pair(size: tuple[int, int], seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """First and last frame of a short shot in which the camera moves and a balloon rises.

    Args:
        size: (height, width) in pixels.
        seed: selects the town.

    Returns:
        Two frames [height, width, 3] uint8.
    """
    aspect = size[1] / size[0]
    x0, x1 = FIRST_BALLOON[0] * aspect, LAST_BALLOON[0] * aspect
    first = draw_scene(seed, size, balloon=(x0, FIRST_BALLOON[1]))
    last = draw_scene(seed, size, camera_move(size), balloon=(x1, LAST_BALLOON[1]))
    return first, last


def draw_sample_middle(size: tuple[int, int], seed: int = 7) -> np.ndarray:
    """The frame in the middle of the shot of `draw_sample_pair`, a keyframe for two spans.

    Args:
        size, seed: as in `draw_sample_pair`.

    Returns:
        [height, width, 3] uint8.
    """
    aspect = size[1] / size[0]
    x, y = ((first + last) / 2 for first, last in zip(FIRST_BALLOON, LAST_BALLOON, strict=True))
    half = camera_move(size, angle=2.0, scale=1.06, shift=(-0.025, 0.01), tilt=(0.06, -0.02))
    return draw_scene(seed, size, half, balloon=(x * aspect, y))
