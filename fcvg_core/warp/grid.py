"""Maps of coordinates: for every pixel of a frame, a place in another frame.

A map is [h, w, 2] float32, places (x, y) in pixels.
"""

import cv2
import numpy as np

SPACING = 4  # pixels between nodes of the coarse grid


def pixel_grid(size: tuple[int, int]) -> np.ndarray:
    """The map that leaves every pixel where it is: [h, w, 2]."""
    rows, columns = np.indices(size, np.float32)
    return np.stack([columns, rows], axis=-1)


def look_up(image: np.ndarray, places: np.ndarray, how: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Values of an image [h, w] or [h, w, C] at the places of a map; the border is repeated."""
    return cv2.remap(image, places, None, how, borderMode=cv2.BORDER_REPLICATE)


def follow(places: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A map's places, looked up at the places of a map `at`; both are [h, w, 2].

    What moves is looked up, not the places: beyond the border everything moves as at the border.
    """
    return at + look_up(places - pixel_grid(places.shape[:2]), at)


def is_outside(places: np.ndarray) -> np.ndarray:
    """Whether the places of a map lie outside of a frame of the map's own size: [h, w] bool."""
    edge = np.float32(places.shape[1::-1]) - 0.5
    return ((places < -0.5) | (places > edge)).any(axis=-1)


def is_near(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Whether points (x, y) in pixels lie in a frame, or around it within its diagonal.

    Args:
        points: [..., 2]; a point that is not finite is not near.
        size: (height, width) of the frame.

    Returns:
        [...] bool.
    """
    reach = np.hypot(*size)
    return ((points >= -reach) & (points <= np.array(size[::-1]) + reach)).all(axis=-1)


def blur(plane: np.ndarray, sigma: float) -> np.ndarray:
    """A plane [h, w] or [h, w, C], smoothed by a Gaussian of `sigma` pixels; float32."""
    return cv2.GaussianBlur(np.ascontiguousarray(plane, np.float32), (0, 0), sigma)


def enlarge(places: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map of a small frame as a map of the same frame in its full `size` (height, width).

    What moves is enlarged, not the places: so a map that moves nothing stays exact at the border.
    """
    small = places.shape[:2]
    if small == size:
        return places
    scale = np.float32([size[1] / small[1], size[0] / small[0]])
    moved = cv2.resize((places - pixel_grid(small)) * scale, size[::-1])
    return pixel_grid(size) + moved


def coarse_grid(size: tuple[int, int]) -> np.ndarray:
    """The middles (x, y) of cells of SPACING pixels that cover a frame: [rows, columns, 2]."""
    nodes = pixel_grid((-(-size[0] // SPACING), -(-size[1] // SPACING))) * SPACING
    return nodes + (SPACING - 1) / 2


def to_pixels(nodes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Places at the nodes of `coarse_grid`, in pixels -> a map [h, w, 2]."""
    cells = ((nodes - (SPACING - 1) / 2) / SPACING).astype(np.float32)
    whole = tuple(SPACING * side for side in nodes.shape[:2])
    return enlarge(cells, whole)[: size[0], : size[1]]


def fill_cells(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values of the cells of `coarse_grid`, each for all pixels of its cell: [h, w]."""
    pixels = np.repeat(np.repeat(cells, SPACING, axis=0), SPACING, axis=1)
    return pixels[: size[0], : size[1]]


def smooth_cells(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values of the cells of `coarse_grid`, and between their middles straight: [h, w] float32."""
    whole = tuple(SPACING * side for side in cells.shape)
    return cv2.resize(np.float32(cells), whole[::-1])[: size[0], : size[1]]
