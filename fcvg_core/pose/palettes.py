"""Colours of drawn people: those that FCVG was trained on, and those for other models.

Source: Tian-one/FCVG models/dwpose/util.py; lllyasviel/ControlNet annotator/openpose/util.py, whose
colours Fannovel16/comfyui_controlnet_aux and ComfyUI's SDPose nodes have too.
"""

from dataclasses import dataclass

from ..choices import FCVG_COLORS, OPENPOSE_COLORS, WHITE_COLORS
from .skeleton import BODY_COLORS, FACE_COLOR, FINGER_COLORS, HAND_COLOR

Color = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colours (red, green, blue) of a drawn person."""

    joints: tuple[Color, ...]  # 0..255, of each joint of the body; limb i has the colour of joint i
    fingers: tuple[Color, ...]  # 0..1, of each bone of a hand
    hand: Color  # 0..1, of the joints of a hand
    face: Color  # 0..1
    limb_level: float = 0.6  # factor that darkens limbs, so that joints stand out
    # Whether a less certain point is drawn darker. If not, all points with a score of at least 0.3
    # are equally bright, and others are not drawn.
    by_score: bool = False


def _swapped(colors: tuple[Color, ...]) -> tuple[Color, ...]:
    """Colours whose red and blue are exchanged."""
    return tuple(color[::-1] for color in colors)


# FCVG and ControlNeXt-SVD were trained with red and blue swapped: their first limb is blue.
TRAINED = Palette(
    joints=_swapped(BODY_COLORS),
    fingers=_swapped(FINGER_COLORS),
    hand=HAND_COLOR[::-1],
    face=FACE_COLOR,
    by_score=True,
)
WHITE = (1.0, 1.0, 1.0)
PALETTES = {
    FCVG_COLORS: TRAINED,
    OPENPOSE_COLORS: Palette(
        joints=BODY_COLORS, fingers=FINGER_COLORS, hand=HAND_COLOR, face=FACE_COLOR
    ),
    WHITE_COLORS: Palette(
        joints=((255.0, 255.0, 255.0),) * len(BODY_COLORS),
        fingers=(WHITE,) * len(FINGER_COLORS),
        hand=WHITE,
        face=WHITE,
        limb_level=1.0,
    ),
}
