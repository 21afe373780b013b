"""Sample frames for the demo and the tests: one town, seen by a camera that moves."""

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
    """A frame of a small town, seen straight on or by a moved camera.

    Args:
        seed: which town; it is the same town whatever the camera does.
        size: (height, width) in pixels.
        homography: [3, 3], from pixels (x, y) of the straight view to pixels of this frame.
        balloon: (x, y) of a hot-air balloon in frame heights; None for an empty sky.

    Returns:
        [height, width, 3] uint8.
    """
    town = Town(seed, size)
    paint_town(town, balloon)
    shift = 0.5 / FINENESS - 0.5 - MARGIN * size[0]  # pixel centres of canvas and frame
    view = np.array([[1 / FINENESS, 0, shift], [0, 1 / FINENESS, shift], [0, 0, 1]])
    if homography is not None:
        view = np.asarray(homography, np.float64) @ view
    canvas = cv2.GaussianBlur(town.canvas, (0, 0), 0.35 * FINENESS)
    # Mirrored beyond the town: however far the camera goes, no black border shows.
    frame = cv2.warpPerspective(canvas, view, size[::-1], borderMode=cv2.BORDER_REFLECT_101)
    noise = np.random.RandomState(int(frame.sum()) % 2**32).normal(0, SENSOR_NOISE, frame.shape)
    return np.rint(frame + noise).clip(0, 255).astype(np.uint8)


def camera_move(
    size: tuple[int, int],
    *,
    angle: float = 4.0,
    scale: float = 1.12,
    shift: tuple[float, float] = (-0.05, 0.02),
    tilt: tuple[float, float] = (0.12, -0.04),
) -> np.ndarray:
    """Homography of a camera that turns, nears, pans and tilts, about the frame's centre.

    Args:
        size: (height, width) in pixels.
        angle: degrees, clockwise as seen.
        scale: above 1 brings the scene nearer.
        shift: of the picture, in parts of (width, height).
        tilt: how much larger the right edge and the lower edge become than the opposite ones,
            in parts of 1.

    Returns:
        [3, 3] float64, from pixels (x, y) before the move to pixels after it.
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
    """First and last frame of a short shot: the camera moves, and a balloon rises.

    Args:
        size: (height, width) in pixels.
        seed: which town.

    Returns:
        Two frames [height, width, 3] uint8.
    """
    aspect = size[1] / size[0]
    x0, x1 = FIRST_BALLOON[0] * aspect, LAST_BALLOON[0] * aspect
    first = draw_scene(seed, size, balloon=(x0, FIRST_BALLOON[1]))
    last = draw_scene(seed, size, camera_move(size), balloon=(x1, LAST_BALLOON[1]))
    return first, last
