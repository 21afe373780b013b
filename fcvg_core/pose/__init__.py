"""Two frames -> matched people -> frames that show them move. Read `types` first."""

from .detector import PoseDetector, open_detector
from .draw import STYLES, PoseStyle, draw_poses
from .openpose import canvas_size, from_openpose, to_openpose
from .preview import draw_on_frame
from .track import MISSING_JOINTS, MISSING_PEOPLE, interpolate_poses, match_people
from .types import Poses, is_seen, nobody, stack_frames

__all__ = [
    "MISSING_JOINTS",
    "MISSING_PEOPLE",
    "STYLES",
    "PoseDetector",
    "PoseStyle",
    "Poses",
    "canvas_size",
    "draw_on_frame",
    "draw_poses",
    "from_openpose",
    "interpolate_poses",
    "is_seen",
    "match_people",
    "nobody",
    "open_detector",
    "stack_frames",
    "to_openpose",
]
