"""How the camera moves over one picture."""

from dataclasses import dataclass

from ... import bounds
from ...choices import BORDERS, CAMERA_MOVES
from .part import Part, setting
from .values import TIMING, choice, number

PAN, TILT = number(bounds.PAN), number(bounds.TILT)


@dataclass(frozen=True, kw_only=True)
class CameraMove(Part):
    """A move of the camera: a usual move by an amount, and numbers that are added to it.

    Attributes:
        move: a usual move; none: the numbers alone.
        amount: how far the usual move goes, 0 to 1; see `preset_camera`.
        pan_x: how far the picture moves to the right, in widths of the frame, -2 to 2.
        pan_y: how far the picture moves down, in heights of the frame, -2 to 2.
        zoom: factor by which everything grows, 0.1 to 10.
        rotate: degrees by which the picture turns clockwise, -360 to 360.
        tilt_x: degrees by which the camera turns to the right, -30 to 30.
        tilt_y: degrees by which the camera turns down, -30 to 30.
        border: what lies beyond the picture's border: its mirror image (reflect), or black.
        timing: pace of the move, see `Motion`.
    """

    move: str = setting(choice(*CAMERA_MOVES), "none")
    amount: float = setting(number(bounds.SHARE), 0.2)
    pan_x: float = setting(PAN, 0.0)
    pan_y: float = setting(PAN, 0.0)
    zoom: float = setting(number(bounds.ZOOM), 1.0)
    rotate: float = setting(number(bounds.ROTATION), 0.0)
    tilt_x: float = setting(TILT, 0.0)
    tilt_y: float = setting(TILT, 0.0)
    border: str = setting(choice(*BORDERS), BORDERS[0])
    timing: str | tuple[float, ...] = setting(TIMING, "uniform")
