"""Files of boxes, whatever is in them: tracks that can be drawn, or one sentence."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, changed, damaged, json_values, read_or_refuse

from fcvg_core.boxes import (
    BoxForm,
    BoxReading,
    BoxTrack,
    BoxTracks,
    detected_keys,
    detected_label,
    detected_track,
    draw_boxes,
    format_boxes,
    interpolate_boxes,
    list_detections,
    parse_boxes,
    pick_object,
    read_annotations,
    read_bbox_txt,
    read_boxes,
    read_got10k,
    read_key_boxes,
    read_mot,
    read_youvis,
    resample_boxes,
    to_mot,
    to_youvis,
)
from fcvg_core.choices import BOX_FORMS
from fcvg_core.files.json_file import read_json

pytestmark = pytest.mark.filterwarnings("error")
SIZE = (48, 64)
TRACKS = BoxTracks(
    (
        BoxTrack("dog", [[0.25, 0.1, 0.5, 0.5], [0, 0, 0, 0], [0.3, 0.2, 0.7, 1]]),
        BoxTrack("cat", [[0, 0, 0.25, 0.5], [0.5, 0.5, 1, 1], [0.1, 0.1, 0.2, 0.3]]),
    ),
    3,
)
VALUES = {
    "boxes": json.loads(format_boxes(TRACKS)),
    "keys": {
        "version": 1,
        "frames": 8,
        "size": [64, 48],
        "tracks": [
            {
                "label": "dog",
                "keys": [{"frame": 0, "box": [1, 2, 30, 40]}, {"frame": 5, "box": None}],
                "timing": "ease-in",
                "between": "held",
            }
        ],
    },
    "youvis": to_youvis(TRACKS, SIZE, video_id=0),
}
VALUES["annotations"] = VALUES["youvis"]["annotations"]
NAMES = ["version", "frames", "tracks", "label", "boxes", "keys", "frame", "box", "size"]
NAMES += ["videos", "annotations", "categories", "bboxes", "file_names", "video_id", "id", "name"]
SIDES = ["x", "y", "width", "height", "label", "score"]
DETECTIONS = [
    [
        {"x": 1, "y": 2, "width": 30, "height": 40.5, "label": "dog"},
        {"x": 9, "y": 9, "width": 5, "height": 5},
    ],
    [],
    [{"x": 8, "y": 2, "width": 30, "height": 40, "label": "cat", "score": 0.5}],
]
LINES = {
    "bbox": b"1,2,30,40\n\t5 6 ; 7.5 8\n0,0,0,0\n-5,0,99,9\n",
    "keys": b"0: 1,2,30,40\n4: none\n9: 5,6,7,8\n",
    "got10k": b"1.0,2.0,30.0,40.0\n5,6,0,8\n60,40,9,9\n",
    "mot": to_mot(TRACKS, SIZE).encode(),
}
WORDS = st.sampled_from(
    [b"nan", b"inf", b"-1", b"1e400", b"0:", b":", b",", b"none", b"\n", b"\xef\xbb\xbf", b"0x1"]
)


def read_values(path: Path, kind: str) -> BoxTracks:
    found, name = read_json(path, expected="boxes"), str(path)
    if kind == "annotations":
        return read_annotations(found, {1: "dog", 2: "cat"}, name=name)
    return read_youvis(found, 0, name=name) if kind == "youvis" else parse_boxes(found, name=name)


def read_lines(path: Path, kind: str, form: BoxForm) -> BoxTracks:
    options = {"label": "dog", "name": str(path)}
    text = path.read_bytes()
    if kind == "mot":
        return read_mot(text, SIZE, **options)
    if kind == "got10k":
        track = read_got10k(text, SIZE, **options)
    elif kind == "bbox":
        track = read_bbox_txt(text, form, **options)
    else:
        keys = read_key_boxes(text, form, **options)
        rising = keys.frames == tuple(sorted(set(keys.frames)))
        if not rising or keys.frames[-1] > 99:
            return BoxTracks((), 1)
        track = interpolate_boxes(keys, keys.frames[-1] + 1)
    return BoxTracks((track,), track.num_frames)


def read_any(path: Path, frames: int | None) -> BoxTracks:
    reading = BoxReading(label="dog", size=SIZE, num_frames=frames)
    return read_boxes(path.read_bytes(), reading, name=str(path))


def read_detections(path: Path, number: int) -> BoxTracks:
    """As the node Box Track reads the boxes of a detector."""
    name = str(path)
    frames = list_detections(read_json(path, expected="boxes"), name=name)
    picked = pick_object(frames, number, label="", name=name)
    options = {"label": detected_label(picked, ""), "name": name}
    interpolate_boxes(detected_keys(picked, range(len(picked)), SIZE, **options), len(picked))
    track = detected_track(picked, SIZE, **options)
    return BoxTracks((track,), track.num_frames)


def check(tracks: BoxTracks | None) -> None:
    """Tracks that are read can be drawn, and written and read again."""
    if tracks is None:
        return
    for track in tracks.tracks:
        assert ((track.boxes >= 0) & (track.boxes <= 1)).all()
        assert (track.boxes[track.present, :2] < track.boxes[track.present, 2:]).all()
    again = parse_boxes(json.loads(format_boxes(tracks)), name="x")
    assert format_boxes(again) == format_boxes(tracks)
    short = resample_boxes(tracks, 3)
    assert draw_boxes(np.zeros((1, *SIZE, 3), np.uint8), short).shape == (3, *SIZE, 3)


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_changed_values(tmp_path, kind, data):
    content = as_json(data.draw, data.draw(changed(VALUES[kind])))
    check(read_or_refuse(tmp_path / "x", content, functools.partial(read_values, kind=kind)))


@given(data=st.data())
def test_other_values(tmp_path, data):
    content = as_json(data.draw, data.draw(json_values(NAMES)))
    for kind in VALUES:
        check(read_or_refuse(tmp_path / "x", content, functools.partial(read_values, kind=kind)))
    check(read_or_refuse(tmp_path / "x", content, functools.partial(read_any, frames=None)))


@given(data=st.data())
def test_changed_detections(tmp_path, data):
    value = (
        data.draw(changed(DETECTIONS))
        if data.draw(st.booleans())
        else data.draw(json_values(SIDES))
    )
    number = data.draw(st.integers(1, 2))
    content = as_json(data.draw, value)
    check(
        read_or_refuse(tmp_path / "x", content, functools.partial(read_detections, number=number))
    )


@pytest.mark.parametrize("kind", LINES)
@given(data=st.data())
def test_damaged_lines(tmp_path, kind, data):
    content = data.draw(damaged(LINES[kind]))
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(content)))
        content = content[:place] + data.draw(WORDS) + content[place:]
    form = data.draw(st.sampled_from(BOX_FORMS))
    forms = st.sampled_from([BoxForm(form, size=SIZE), BoxForm(form, "0..1")])
    reader = functools.partial(read_lines, kind=kind, form=data.draw(forms))
    check(read_or_refuse(tmp_path / "x", content, reader))
    frames = data.draw(st.sampled_from([None, 5]))
    check(read_or_refuse(tmp_path / "x", content, functools.partial(read_any, frames=frames)))
