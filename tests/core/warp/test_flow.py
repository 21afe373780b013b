"""Two keyframes carried to the middle -> a dense optical flow that brings them together."""

import numpy as np
from warp_cases import texture

from fcvg_core.warp.flow import refine
from fcvg_core.warp.grid import look_up, pixel_grid

SIZE = (112, 160)
INNER = (slice(24, -24), slice(24, -24))  # the flow is not known at the border


def shifted(x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture, and the picture after its content has moved."""
    first = texture(SIZE)
    return first, look_up(first, pixel_grid(SIZE) - np.float32([x, y]))


def test_shifted_texture() -> None:
    pixels = pixel_grid(SIZE)
    to0, to1 = refine(shifted(3, -2), pixels, pixels)
    assert np.abs((to1 - to0)[INNER] - (3, -2)).mean() < 0.1
    assert np.abs((to0 + to1)[INNER] / 2 - pixels[INNER]).mean() < 0.05


def test_corrects_given_maps() -> None:
    """What the maps know already is kept: the flow finds only the remaining pixel."""
    grays = shifted(20, 0)
    half = np.float32([9.5, 0])
    to0, to1 = refine(grays, pixel_grid(SIZE) - half, pixel_grid(SIZE) + half)
    assert np.abs((to1 - to0)[INNER] - (20, 0)).mean() < 0.1


def test_still_frames_stay() -> None:
    pixels = pixel_grid(SIZE)
    to0, to1 = refine((texture(SIZE), texture(SIZE)), pixels, pixels)
    assert np.abs(to0 - pixels).max() < 0.01 and np.abs(to1 - pixels).max() < 0.01


def test_places_are_followed() -> None:
    """The flow is taken at the same place from both sides, where the motion is uneven."""
    pixels = pixel_grid(SIZE)
    way = np.zeros_like(pixels)
    way[..., 0] = 8 * np.sin(pixels[..., 0] / 20)
    middle = texture(SIZE, sigma=1.5)

    def keyframe(part: float) -> np.ndarray:
        """The middle frame after a part of the way: each pixel comes from `places`."""
        places = pixels
        for _ in range(20):
            places = pixels - part * look_up(way, places)
        return look_up(middle, places)

    to0, to1 = refine((keyframe(-0.5), keyframe(0.5)), pixels, pixels)
    assert np.abs((to1 - to0) - way)[INNER].mean() < 0.16
