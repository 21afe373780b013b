"""What the camera's motion does not explain -> objects that move by themselves.

Both keyframes are carried to the middle first. Where they then differ, tiles of the first are
searched in the second; tiles and lines that lie near each other and move alike are an object.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial.distance import cdist

TILE, STEP = 24, 12  # pixels: side of a tile, and between neighbouring tiles
MAX_WAY = 0.25  # longest way of a tile, of the frame's longer side
DIFFERS = 0.03  # 0..1; difference above which the camera's motion does not explain a pixel
MIN_DIFFERENT = 0.4  # of a tile's pixels
MIN_CONTRAST = 10.0  # standard deviation of a tile's grey values; less can't be searched
MIN_LIKENESS = 0.8  # correlation of a tile with what it is found as
MIN_LEAD = 0.05  # of the best place before the next one
NEXT_PLACE = 5  # pixels; a place farther from the best one is another place
NEAR = 80.0  # pixels between points of one object
ALIKE = 5.0  # pixels between the ways of points of one object
MIN_POINTS, MAX_OBJECTS = 3, 3
MAX_POINTS = 2000  # of more points some are left out: time and memory grow by the square
RADIUS = 36  # pixels around its points that an object covers


@dataclass(frozen=True, eq=False)
class MovingObject:
    """Something that moves by itself.

    Attributes:
        way: (x, y) in pixels, from its place in the first keyframe to its place in the last, both
            carried to the middle.
        region: [h, w] bool, the pixels of the middle frame that it may cover.
    """

    way: np.ndarray
    region: np.ndarray


def find_objects(
    middle0: np.ndarray, middle1: np.ndarray, difference: np.ndarray, points: np.ndarray
) -> list[MovingObject]:
    """At most MAX_OBJECTS objects, those with the most points first.

    Args:
        middle0, middle1: keyframes carried to the middle, [h, w] uint8.
        difference: [h, w] 0..1, how much they differ where they differ least.
        points: [M, 4] points known before: (x, y) in `middle0`, and the way (dx, dy) from there.
    """
    points = np.concatenate([_search_tiles(middle0, middle1, difference), points])
    points = points[:: len(points) // MAX_POINTS + 1]
    objects = []
    while len(objects) < MAX_OBJECTS and len(points):
        places, ways = points[:, :2], points[:, 2:]
        alike = (cdist(places, places) < NEAR) & (cdist(ways, ways) < ALIKE)
        counts = alike.sum(axis=1)
        if counts.max() < MIN_POINTS:
            break
        chosen = alike[counts.argmax()]
        objects.append(_object_of(points[chosen], difference.shape))
        points = points[~chosen]
    return objects


def _search_tiles(middle0: np.ndarray, middle1: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Middles of the tiles that are found again, and their ways: [M, 4]."""
    height, width = difference.shape
    unexplained = np.float32(difference > DIFFERS)
    found = [
        way
        for top in range(0, height - TILE + 1, STEP)
        for left in range(0, width - TILE + 1, STEP)
        if unexplained[top : top + TILE, left : left + TILE].mean() >= MIN_DIFFERENT
        and (way := _search_tile(middle0, middle1, top, left)) is not None
    ]
    return np.reshape(found, (-1, 4))


def _search_tile(
    middle0: np.ndarray, middle1: np.ndarray, top: int, left: int
) -> tuple[float, float, float, float] | None:
    """The middle of a tile and its way, or None if there is no place that is clearly the best."""
    tile = middle0[top : top + TILE, left : left + TILE]
    if tile.std() < MIN_CONTRAST:
        return None
    way = round(MAX_WAY * max(middle0.shape))
    row, column = max(top - way, 0), max(left - way, 0)
    around = middle1[row : top + TILE + way, column : left + TILE + way]
    likeness = cv2.matchTemplate(around, tile, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    if best < MIN_LIKENESS:
        return None
    cv2.circle(likeness, (x, y), NEXT_PLACE, -1, cv2.FILLED)
    if likeness.max() > best - MIN_LEAD:
        return None
    return left + TILE / 2, top + TILE / 2, x + column - left, y + row - top


def _object_of(points: np.ndarray, shape: tuple[int, int]) -> MovingObject:
    way = points[:, 2:].mean(axis=0)
    region = np.zeros(shape, np.uint8)
    for x, y in points[:, :2] + way / 2:
        cv2.circle(region, (round(x), round(y)), RADIUS, 1, cv2.FILLED)
    return MovingObject(way.astype(np.float32), region > 0)
