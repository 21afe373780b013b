"""Two frames -> matched people -> frames that show the people move. Read `types` first."""

from .align import align_poses, drive_reference, smooth_poses
from .detector import PoseDetector, open_detector, open_dwpose
from .draw import STYLES, PoseStyle, draw_poses
from .follow import follow_person, stack_padded
from .openpose import canvas_size, from_openpose, to_openpose
from .openpose_frames import first_canvas, list_frames, read_people
from .preview import draw_on_frame
from .track import interpolate_poses, match_people
from .types import Poses, is_seen, nobody, stack_frames

__all__ = [
    "STYLES",
    "PoseDetector",
    "PoseStyle",
    "Poses",
    "align_poses",
    "canvas_size",
    "draw_on_frame",
    "draw_poses",
    "drive_reference",
    "first_canvas",
    "follow_person",
    "from_openpose",
    "interpolate_poses",
    "is_seen",
    "list_frames",
    "match_people",
    "nobody",
    "open_detector",
    "open_dwpose",
    "read_people",
    "smooth_poses",
    "stack_frames",
    "stack_padded",
    "to_openpose",
]
