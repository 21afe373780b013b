"""Whether the coordinates of poses in OpenPose's format are pixels or fractions of the canvas."""

import logging

import numpy as np

from ..canvas import in_words
from ..errors import UserError

MAX_PART = 2.0  # larger coordinates are pixels, not fractions of the canvas (editors exceed 1)


def find_units(parts: list[list[np.ndarray]], size: tuple[int, int] | None) -> np.ndarray:
    """Divisors of x and y for each part, the canvas's size if they are pixels: [P, parts, 2].

    Args:
        parts: [K, 3] x, y, c of each person's parts.
        size: (height, width) of the canvas in pixels; None if it is unknown.

    Raises:
        UserError: the coordinates are pixels, and the size is unknown.
    """
    seen = [[x[np.isfinite(x).all(1) & (x[:, 2] > 0), :2] for x in person] for person in parts]
    beyond = np.array([[(np.abs(x) > MAX_PART).any(1).sum() for x in person] for person in seen])
    inside = np.array([[((x > 0) & (x < 1)).all(1).sum() for x in person] for person in seen])
    enough = np.array([[len(x) / 3 for x in person] for person in seen])
    # 1: pixels, -1: fractions of the canvas, 0: not clear
    votes = 1 * (beyond > inside) - 1 * ((inside > beyond) & (inside > enough))
    frame = 1 if (votes > 0).any() or (beyond.any() and not votes.any()) else -1
    for person in votes:
        person[person == 0] = next(filter(None, person), frame)
    if size is None and (votes > 0).any():
        raise UserError(
            "The poses are in pixels, but without a canvas size: add canvas_width, canvas_height."
        )
    return np.where(votes[..., None] > 0, (size or (1, 1))[::-1], 1.0)


def tell_unit(name: str, units: np.ndarray, size: tuple[int, int]) -> None:
    """Log how the coordinates of a frame that does not contain its canvas size are understood.

    Args:
        name: name of the poses.
        units: from `find_units`.
        size: (height, width) in pixels of the picture for which the poses are used.
    """
    pixels = f"pixels of a picture of {in_words(size)}"
    logging.info(
        "%s: the poses do not name the size of their canvas. Their coordinates are taken as %s.",
        name,
        pixels if (units != 1).any() else "fractions of the picture",
    )
