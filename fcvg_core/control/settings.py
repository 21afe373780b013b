"""How control frames are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..pose import PoseStyle


@dataclass(frozen=True, kw_only=True)
class ControlFrameSettings:
    """How lines, people and paths move between keyframes, and how they are drawn.

    Attributes:
        num_frames: frames of the video, keyframes included.
        timing: timing of the motion, see `inbetween_times`.
        line_width: width of the lines, in pixels.
        seed: decides which colour each line gets.
        pose_style: how people are drawn.
        missing_joints, missing_people: see `interpolate_poses`.
    """

    num_frames: int
    timing: str | Sequence[float]
    line_width: int
    seed: int
    pose_style: PoseStyle
    missing_joints: str
    missing_people: str
