"""Two frames -> matched people -> frames that show them move. Read `types` first."""

from .draw import STYLES, PoseStyle, draw_poses
from .types import Poses, is_seen, nobody, stack_frames

__all__ = [
    "STYLES",
    "PoseStyle",
    "Poses",
    "draw_poses",
    "is_seen",
    "nobody",
    "stack_frames",
]
