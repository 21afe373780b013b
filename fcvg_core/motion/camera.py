"""A camera's move: a homography for every frame, and a picture that is moved by it.

Points (x, y) are in pixels, as for lines: (0, 0) is the outer corner of the first pixel, the
middle of the pixel [row, column] is (column + 0.5, row + 0.5), and the centre of the frame is
(width / 2, height / 2).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from .. import bounds
from ..choices import BLACK, BORDERS, CAMERA_MOVES
from ..errors import UserError
from ..frames import check_frame

FOCAL_LENGTH = 1.0  # of the longer side of the frame: 53 degrees are seen along it
QUARTER_TURN = 90.0  # degrees; a rotation of the amount 1
FULL_TILT = 30.0  # degrees; a tilt of the amount 1
SMOOTHING = 0.5  # pixels; the Gaussian before a picture shrinks by the factor sqrt(2)
NEAREST = 1e-6  # smallest depth of what the camera sees, where the camera's plane has 1


@dataclass(frozen=True, kw_only=True)
class Camera:
    """What the camera does between the first keyframe and the last.

    Attributes:
        pan: (x, y), how far the picture moves, in widths and heights of the frame; x is positive
            to the right, y down.
        zoom: size of things in the last keyframe / in the first, above 0.
        rotate: degrees by which the picture turns, clockwise.
        tilt: (x, y), degrees by which the camera turns to the right and down, in perspective.

    Raises:
        UserError: a number is outside of its bounds, see PAN, ZOOM, ROTATION and TILT in
            `bounds`.
    """

    pan: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    rotate: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name, allowed in _BOUNDS.items():
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if value not in allowed:
                    raise UserError(
                        f"{name} of the camera is {value:g}, but it must be from {allowed}: "
                        "choose another number."
                    )

    def plus(self, other: "Camera") -> "Camera":
        """Both moves at once: zooms are multiplied, all other numbers are added."""
        return Camera(
            pan=(self.pan[0] + other.pan[0], self.pan[1] + other.pan[1]),
            zoom=self.zoom * other.zoom,
            rotate=self.rotate + other.rotate,
            tilt=(self.tilt[0] + other.tilt[0], self.tilt[1] + other.tilt[1]),
        )

    def part(self, share: float) -> "Camera":
        """The move of a camera that goes a share of the way, 0..1, and ends there."""
        return Camera(
            pan=(self.pan[0] * share, self.pan[1] * share),
            zoom=self.zoom**share,
            rotate=self.rotate * share,
            tilt=(self.tilt[0] * share, self.tilt[1] * share),
        )

    def at(self, times: Tensor, size: tuple[int, int]) -> Tensor:
        """Where points of the first keyframe are at each time.

        The camera tilts, then the picture is zoomed and turned about the centre of the frame, then
        it is shifted: H = pan @ zoom @ rotate @ tilt. At equal steps of time the picture turns by
        equal angles and is shifted by equal ways, its size grows by equal factors, and the camera
        tilts by equal angles about one axis. A tilt is the homography K R K^-1 of a pinhole camera
        that turns about its own centre; its focal length is FOCAL_LENGTH times the longer side.

        Args:
            times: [T], 0 at the first keyframe and 1 at the last.
            size: (height, width) of the frame, in pixels.

        Returns:
            [T, 3, 3] float64, maps pixels (x, y) of the first keyframe to pixels of the frame; at
            time 0 exactly the identity. All points of the first keyframe stay before the camera.

        Raises:
            ValueError: `times` is not one-dimensional.

        Source: Hartley and Zisserman, Multiple View Geometry (2004), 8.4: the camera that turns.
        """
        if times.ndim != 1:
            raise ValueError(f"expected times [T], got {list(times.shape)}")
        times = times.to(torch.float64)
        height, width = size
        angle = math.radians(self.rotate) * times
        scale = torch.pow(times.new_tensor(self.zoom), times)
        moved = torch.zeros(len(times), 3, 3, dtype=times.dtype, device=times.device)
        moved[:, 0, 0] = moved[:, 1, 1] = scale * angle.cos()
        moved[:, 1, 0] = scale * angle.sin()
        moved[:, 0, 1] = -moved[:, 1, 0]
        moved[:, 0, 2] = self.pan[0] * width * times
        moved[:, 1, 2] = self.pan[1] * height * times
        moved[:, 2, 2] = 1
        from_centre = torch.eye(3, dtype=times.dtype, device=times.device)
        from_centre[:2, 2] = times.new_tensor([width / 2, height / 2])
        to_centre = from_centre.clone()
        to_centre[:2, 2] *= -1
        return from_centre @ moved @ self._tilts(times, max(size)) @ to_centre

    def _tilts(self, times: Tensor, longer: int) -> Tensor:
        """Homographies [T, 3, 3] of the tilt, of points whose origin is the frame's centre."""
        right, down = (math.radians(degrees) for degrees in self.tilt)
        angle = math.hypot(right, down)
        x, y = (down / angle, -right / angle) if angle else (0.0, 0.0)
        # Rodrigues' formula: the axis is the vector (x, y, 0).
        axis = times.new_tensor([[0, 0, y], [0, 0, -x], [-y, x, 0]])
        angles = (angle * times)[:, None, None]
        turn = torch.eye(3).to(axis) + angles.sin() * axis + (1 - angles.cos()) * (axis @ axis)
        lens = times.new_tensor([FOCAL_LENGTH * longer, FOCAL_LENGTH * longer, 1])
        return turn * (lens[:, None] / lens[None, :])


_BOUNDS = {
    "pan": bounds.PAN,
    "zoom": bounds.ZOOM,
    "rotate": bounds.ROTATION,
    "tilt": bounds.TILT,
}

# How a preset moves by an amount. Its name says what the camera does, but in rotations, which are
# those of the picture: the picture of a camera that pans to the right moves to the left.
_MOVES = {
    "pan-left": lambda amount: Camera(pan=(amount, 0.0)),
    "pan-right": lambda amount: Camera(pan=(-amount, 0.0)),
    "pan-up": lambda amount: Camera(pan=(0.0, amount)),
    "pan-down": lambda amount: Camera(pan=(0.0, -amount)),
    "zoom-in": lambda amount: Camera(zoom=1 + amount),
    "zoom-out": lambda amount: Camera(zoom=1 / (1 + amount)),
    "rotate-clockwise": lambda amount: Camera(rotate=QUARTER_TURN * amount),
    "rotate-counterclockwise": lambda amount: Camera(rotate=-QUARTER_TURN * amount),
    "tilt-left": lambda amount: Camera(tilt=(-FULL_TILT * amount, 0.0)),
    "tilt-right": lambda amount: Camera(tilt=(FULL_TILT * amount, 0.0)),
    "tilt-up": lambda amount: Camera(tilt=(0.0, -FULL_TILT * amount)),
    "tilt-down": lambda amount: Camera(tilt=(0.0, FULL_TILT * amount)),
    "none": lambda amount: Camera(),
}


def preset_camera(move: str, amount: float) -> Camera:
    """A usual move of a camera.

    Args:
        move: one of CAMERA_MOVES.
        amount: 0..1, how far. 1 is a pan by the whole frame, a zoom by the factor 2, a quarter
            turn, or a tilt by 30 degrees.

    Raises:
        UserError: the amount is outside of its bounds.
        ValueError: the move is unknown.
    """
    if move not in CAMERA_MOVES:
        raise ValueError(f"expected one of {', '.join(CAMERA_MOVES)}, got {move!r}")
    if amount not in bounds.SHARE:
        raise UserError(
            f"amount of the camera's move is {amount:g}, but it must be from {bounds.SHARE}: "
            "choose another number."
        )
    return _MOVES[move](amount)


def move_picture(picture: np.ndarray, camera: Camera, time: float, border: str) -> np.ndarray:
    """A picture as the camera shows it at a time.

    Pixels are interpolated by a cubic of 4 x 4 pixels (places are rounded to 1/32 pixel), and a
    picture that shrinks is smoothed first, so that fine patterns do not flicker. At time 0 the
    picture is returned exactly as it is.

    Args:
        picture: [H, W, 3] uint8.
        camera: its move.
        time: 0 at the first keyframe, 1 at the last.
        border: one of BORDERS, what lies beyond the picture's border: reflect shows the picture
            mirrored, again and again; black shows nothing.

    Returns:
        [H, W, 3] uint8. What lies behind the camera is black, whatever the border.

    Raises:
        ValueError: the picture is not [H, W, 3] uint8, or the border is unknown.
    """
    check_frame(picture)
    if border not in BORDERS:
        raise ValueError(f"expected one of the borders {', '.join(BORDERS)}, got {border!r}")
    size = picture.shape[:2]
    places, seen = _look_back(camera, time, size)
    width_height = np.float64(size[::-1])
    mirrored = np.mod(places, 2 * width_height)
    mirrored = np.minimum(mirrored, 2 * width_height - mirrored)
    moved = cv2.remap(
        _smoothed(picture, camera, time),
        np.float32(mirrored - 0.5),
        None,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    moved[~(seen & is_inside(places, size)) if border == BLACK else ~seen] = 0
    return moved


def unseen_mask(size: tuple[int, int], camera: Camera, time: float) -> np.ndarray:
    """Where a frame of a camera's move shows what the picture does not: beyond its border.

    Args:
        size: (height, width) of the frame, in pixels.
        camera: its move.
        time: 0 at the first keyframe, 1 at the last.

    Returns:
        [H, W] float32: 1 where nothing is known, otherwise 0.
    """
    places, seen = _look_back(camera, time, size)
    return np.float32(~(seen & is_inside(places, size)))


def is_inside(places: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Whether places (x, y) lie in a frame of a size (height, width): [..., 2] -> [...] bool."""
    return ((places >= 0) & (places <= np.float64(size[::-1]))).all(axis=-1)


def _look_back(camera: Camera, time: float, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a frame was in the picture, [H, W, 2], and if it is before the camera."""
    back = np.linalg.inv(camera.at(torch.tensor([time], dtype=torch.float64), size)[0].numpy())
    rows, columns = np.indices(size) + 0.5
    x, y, depth = (columns * row[0] + rows * row[1] + row[2] for row in back)
    seen = depth > NEAREST
    return np.stack([x, y], axis=-1) / np.where(seen, depth, 1)[..., None], seen


def _smoothed(picture: np.ndarray, camera: Camera, time: float) -> np.ndarray:
    """A picture without the patterns that are too fine for a frame in which it is smaller."""
    height, width = picture.shape[:2]
    move = camera.at(torch.tensor([time], dtype=torch.float64), (height, width))[0].numpy()
    depth = move[2] @ (width / 2, height / 2, 1)
    area = np.linalg.det(move) / depth**3  # of what has the area 1 in the picture's centre
    if area >= 1:
        return picture
    sigma = SMOOTHING * math.sqrt(1 / area - 1)
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
