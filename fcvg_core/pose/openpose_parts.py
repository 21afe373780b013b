"""The parts of a person in OpenPose's JSON format, and the keys that this project adds.

Source: OpenPose's output.md; Fannovel16/comfyui_controlnet_aux (POSE_KEYPOINT).
"""

from dataclasses import dataclass

from .skeleton import BODY, FACE, FEET, LEFT_HAND, RIGHT_HAND

EXACT = "fcvg_keypoints"  # 134 x (x, y in 0..1, score)
BRIGHTNESS = "fcvg_brightness"  # below 1 if a person fades in or out; written if it is not 1


@dataclass(frozen=True)
class Part:
    """A part of a person: its key in a file and its points in `Poses`."""

    key: str
    points: slice
    lengths: tuple[int, ...]  # possible numbers of points in a file; the first is written
    written: bool = True


PARTS = (
    Part("pose_keypoints_2d", BODY, (18, 25)),
    Part("face_keypoints_2d", FACE, (70, 68)),
    Part("hand_left_keypoints_2d", LEFT_HAND, (21,)),
    Part("hand_right_keypoints_2d", RIGHT_HAND, (21,)),
    Part("foot_keypoints_2d", FEET, (6,), written=False),
)
