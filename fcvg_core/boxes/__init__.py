"""Labelled boxes -> their place in every frame -> frames that show them. Read `types` first."""

from .around import around_lines, around_person, around_points
from .box_lines import read_bbox_txt, read_got10k, read_key_boxes, to_bbox_txt, to_got10k
from .boxes_json import BOXES_FORM, format_boxes, parse_boxes
from .detections import (
    box_overlap,
    detected_keys,
    detected_label,
    detected_track,
    list_detections,
    pick_object,
)
from .mot import read_mot, to_mot
from .placing import BoxForm, check_size
from .preview import draw_boxes, track_colors
from .reading import BoxReading, boxes_texts, read_boxes
from .report import report_boxes
from .resize import fit_boxes
from .track import interpolate_boxes, resample_boxes
from .types import BoxTrack, BoxTracks, KeyBoxes, check_count, join_tracks, stack_padded
from .youvis import read_annotations, read_categories, read_youvis, to_youvis

__all__ = [
    "BOXES_FORM",
    "BoxForm",
    "BoxReading",
    "BoxTrack",
    "BoxTracks",
    "KeyBoxes",
    "around_lines",
    "around_person",
    "around_points",
    "box_overlap",
    "boxes_texts",
    "check_count",
    "check_size",
    "detected_keys",
    "detected_label",
    "detected_track",
    "draw_boxes",
    "fit_boxes",
    "format_boxes",
    "interpolate_boxes",
    "join_tracks",
    "list_detections",
    "parse_boxes",
    "pick_object",
    "read_annotations",
    "read_bbox_txt",
    "read_boxes",
    "read_categories",
    "read_got10k",
    "read_key_boxes",
    "read_mot",
    "read_youvis",
    "report_boxes",
    "resample_boxes",
    "stack_padded",
    "to_bbox_txt",
    "to_got10k",
    "to_mot",
    "to_youvis",
    "track_colors",
]
