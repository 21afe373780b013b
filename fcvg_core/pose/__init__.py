"""Two frames -> matched people -> frames that show the people move. Read `types` first."""

from .align import align_poses, drive_reference, smooth_poses
from .counts import count_people, list_people
from .detector import PoseDetector, open_detector, open_dwpose
from .draw import CANVAS, STYLES, PoseStyle, draw_poses
from .follow import follow_person, stack_padded
from .openpose import canvas_size, from_openpose, to_openpose
from .openpose_frames import (
    POSES_FILE,
    complete_frames,
    first_canvas,
    frames_text,
    list_frames,
    read_people,
)
from .preview import draw_on_frame
from .track import interpolate_poses, match_people
from .types import Poses, is_seen, nobody, stack_frames

__all__ = [
    "CANVAS",
    "POSES_FILE",
    "STYLES",
    "PoseDetector",
    "PoseStyle",
    "Poses",
    "align_poses",
    "canvas_size",
    "complete_frames",
    "count_people",
    "draw_on_frame",
    "draw_poses",
    "drive_reference",
    "first_canvas",
    "follow_person",
    "frames_text",
    "from_openpose",
    "interpolate_poses",
    "is_seen",
    "list_frames",
    "list_people",
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
