"""The content of a file, or a typed text <-> tracks, whichever form it has."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ..choices import (
    AUTO,
    BBOX_TXT,
    BOX_FILES,
    BOXES_JSON,
    GOT_10K,
    INTERPOLATED,
    MOT,
    PIXELS,
    XYXY,
    YOUTUBE_VIS,
)
from ..errors import UserError
from ..json_text import parse_json
from .box_lines import (
    KEY,
    SEPARATOR,
    decode,
    read_bbox_txt,
    read_got10k,
    read_key_boxes,
    to_bbox_txt,
    to_got10k,
)
from .boxes_json import BOXES_FORM, format_boxes, parse_boxes
from .mot import read_mot, to_mot
from .placing import BoxForm
from .track import UNIFORM, interpolate_boxes, resample_boxes
from .types import BoxTrack, BoxTracks
from .youvis import read_youvis, to_youvis

MOT_NUMBERS = 6  # on a line of MOT, at least
GROUND_TRUTH = "groundtruth"  # the name of GOT-10k's files begins so


@dataclass(frozen=True)
class BoxReading:
    """How boxes are read.

    Attributes:
        kind: one of BOX_FILES. auto tells JSON, YouTube-VIS, MOT and lines of boxes apart by their
            content, and GOT-10k by the name groundtruth.txt.
        label: what the object is, in words; JSON and YouTube-VIS have labels of their own.
        form, unit: of the numbers on lines of boxes, see `BoxForm`; other kinds have their own.
        size: (height, width) of the picture or the frames, in pixels; None: it is not known.
        num_frames: of the video; None: as many as there are boxes.
        timing, fill: how fewer boxes than frames are filled up, see `interpolate_boxes` for key
            boxes, and `resample_boxes` for boxes without frames.
        video: of YouTube-VIS: an id, a folder or a file name.
    """

    kind: str = AUTO
    label: str = ""
    form: str = XYXY
    unit: str = PIXELS
    size: tuple[int, int] | None = None
    num_frames: int | None = None
    timing: str | Sequence[float] = UNIFORM
    fill: str = INTERPOLATED
    video: str = ""

    def __post_init__(self) -> None:
        if self.kind not in BOX_FILES:
            raise ValueError(f"expected one of {', '.join(BOX_FILES)}; got {self.kind!r}")


def read_boxes(content: str | bytes, reading: BoxReading, *, name: str) -> BoxTracks:
    """The tracks of a text.

    Args:
        content: bytes are UTF-8, or UTF-16 with a byte-order mark.
        name: of the file or the text, for messages and for GOT-10k's kind.

    Raises:
        UserError: the text has another form, a box is not possible, or something is needed that
            `reading` lacks. The message says which line or box.
    """
    content = decode(content, name)
    kind = _guess(content, name) if reading.kind == AUTO else reading.kind
    if kind == BBOX_TXT and KEY.match(content):
        return _one(_interpolated(content, reading, name))
    tracks = _read(kind, content, reading, name)
    if reading.num_frames is None:
        return tracks
    return resample_boxes(tracks, reading.num_frames, timing=reading.timing, fill=reading.fill)


def _guess(content: str, name: str) -> str:
    """The kind of a text; YouTube-VIS is told from other JSON later."""
    if PurePath(name).name.startswith(GROUND_TRUTH):
        return GOT_10K
    start = content.lstrip()
    if start.startswith(("{", "[")):
        return BOXES_JSON
    if KEY.match(start):
        return BBOX_TXT
    first = next(iter(start.splitlines()), "")
    return MOT if len(SEPARATOR.split(first.strip(" \t,;"))) >= MOT_NUMBERS else BBOX_TXT


def _read(kind: str, content: str, reading: BoxReading, name: str) -> BoxTracks:
    """The tracks as the text has them."""
    if kind in (BOXES_JSON, YOUTUBE_VIS):
        return _read_json(content, reading, name)
    label, size = reading.label, reading.size
    if kind == BBOX_TXT:
        form = BoxForm(reading.form, reading.unit, size)
        return _one(read_bbox_txt(content, form, label=label, name=name))
    size = BoxForm(size=size).size  # which must be known
    if kind == MOT:
        return read_mot(content, size, label=label, name=name)
    return _one(read_got10k(content, size, label=label, name=name))


def _read_json(content: str, reading: BoxReading, name: str) -> BoxTracks:
    try:
        found = parse_json(content)
    except ValueError as error:
        raise UserError(f"{name} is not JSON ({error}); expected {BOXES_FORM}.") from error
    annotated = isinstance(found, dict) and "annotations" in found
    if reading.kind == YOUTUBE_VIS or (reading.kind == AUTO and annotated):
        return read_youvis(found, _video(found, reading, name), name=name, size=reading.size)
    return parse_boxes(found, name=name, size=reading.size)


def _interpolated(content: str, reading: BoxReading, name: str) -> BoxTrack:
    form = BoxForm(reading.form, reading.unit, reading.size)
    keys = read_key_boxes(content, form, label=reading.label, name=name)
    count = keys.frames[-1] + 1 if reading.num_frames is None else reading.num_frames
    try:
        return interpolate_boxes(keys, count, timing=reading.timing, between=reading.fill)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error


def _one(track: BoxTrack) -> BoxTracks:
    return BoxTracks((track,), track.num_frames)


def _video(found: Any, reading: BoxReading, name: str) -> str | int:
    """The video that is asked for; a file with one video needs no name."""
    if reading.video:
        return reading.video
    videos = found.get("videos") if isinstance(found, dict) else None
    if isinstance(videos, list) and len(videos) == 1 and isinstance(videos[0], dict):
        return videos[0].get("id", 0)
    if isinstance(videos, list) and videos:
        raise UserError(
            f"{name} holds {len(videos)} videos; expected the name of one: its id, its folder, or "
            "one of its files."
        )
    return 0  # `read_youvis` says what is wrong


def boxes_texts(tracks: BoxTracks, kind: str, size: tuple[int, int] | None) -> list[str]:
    """The tracks as the texts of files, in pixels; JSON alone is in shares and has all labels.

    Args:
        kind: one of BOX_FILES, but not auto. bbox.txt and GOT-10k have a text for each object.
        size: (height, width) of the frames; JSON needs none.

    Raises:
        UserError: the size is needed, or there is no object.
    """
    if kind == BOXES_JSON:
        return [format_boxes(tracks)]
    if not tracks.tracks:
        raise UserError(f"There are no boxes for {kind}; expected at least one object.")
    form = BoxForm(size=size)
    if kind == YOUTUBE_VIS:
        return [json.dumps(to_youvis(tracks, form.size))]
    if kind == MOT:
        return [to_mot(tracks, form.size)]
    if kind == GOT_10K:
        return [to_got10k(track, form.size) for track in tracks.tracks]
    return [to_bbox_txt(track, form) for track in tracks.tracks]
