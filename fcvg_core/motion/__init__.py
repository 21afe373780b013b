"""Lines, people, paths and the camera: all that moves between keyframes, in one value.

Read `types` first.
"""

from .camera import Camera, move_picture, preset_camera, unseen_mask
from .edits import Edits
from .edits_json import format_edits, parse_edits
from .holding import held_mask, hold_still
from .join import join_motions
from .keyframes import check_keyframes, span_times, spread_keyframes
from .merge import Merged, as_payload, merge_edits
from .motion_track import LineTrack, MotionTrack, track_motion
from .moved_lines import bend_motion, move_lines
from .points import track_points
from .region import Region
from .tracks import lines_at, people_at
from .types import Motion, Span

__all__ = [
    "Camera",
    "Edits",
    "LineTrack",
    "Merged",
    "Motion",
    "MotionTrack",
    "Region",
    "Span",
    "as_payload",
    "bend_motion",
    "check_keyframes",
    "format_edits",
    "held_mask",
    "hold_still",
    "join_motions",
    "lines_at",
    "merge_edits",
    "move_lines",
    "move_picture",
    "parse_edits",
    "people_at",
    "preset_camera",
    "span_times",
    "spread_keyframes",
    "track_motion",
    "track_points",
    "unseen_mask",
]
