"""Two frames -> matched people -> frames that show the people move. Read `types` first."""

from .align import align_poses, drive_reference, smooth_poses
from .detector import DWPOSE_FILES, PoseDetector, open_detector
from .draw import STYLES, PoseStyle, draw_poses
from .follow import follow_person, stack_padded
from .onnx_model import usable_providers
from .openpose import canvas_size, from_openpose, is_stretched, to_openpose
from .preview import draw_on_frame
from .track import MISSING_JOINTS, MISSING_PEOPLE, interpolate_poses, match_people
from .types import Poses, is_seen, nobody, stack_frames

__all__ = [
    "DWPOSE_FILES",
    "MISSING_JOINTS",
    "MISSING_PEOPLE",
    "STYLES",
    "PoseDetector",
    "PoseStyle",
    "Poses",
    "align_poses",
    "canvas_size",
    "draw_on_frame",
    "draw_poses",
    "drive_reference",
    "follow_person",
    "from_openpose",
    "interpolate_poses",
    "is_seen",
    "is_stretched",
    "match_people",
    "nobody",
    "open_detector",
    "smooth_poses",
    "stack_frames",
    "stack_padded",
    "to_openpose",
    "usable_providers",
]
