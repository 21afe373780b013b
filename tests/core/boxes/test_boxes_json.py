"""Tracks of boxes <-> JSON."""

import json

import numpy as np
import pytest

from fcvg_core.boxes import BoxTrack, BoxTracks, format_boxes, parse_boxes
from fcvg_core.errors import UserError

DOG = {"label": "dog", "boxes": [[0.1, 0.2, 0.5, 0.6], None]}


def whole(*tracks, **changes) -> dict:
    return {"version": 1, "frames": 2, "tracks": list(tracks)} | changes


def test_any_numbers_come_back() -> None:
    corners = np.random.default_rng(0).random((50, 2, 2)).astype(np.float32)
    boxes = np.sort(corners, axis=1).reshape(-1, 4)
    tracks = BoxTracks((BoxTrack('a "dog"\u00e9', boxes), BoxTrack("cat", boxes * 0.5)), 50)
    again = parse_boxes(json.loads(format_boxes(tracks)), name="x")
    assert again.labels == tracks.labels
    for one, other in zip(again.tracks, tracks.tracks, strict=True):
        assert np.array_equal(one.boxes, other.boxes) and one.present.all()


def test_one_track_a_line() -> None:
    tracks = parse_boxes(whole(DOG), name="x")
    assert tracks.tracks[0].present.tolist() == [True, False]
    assert format_boxes(tracks) == (
        '{"version": 1, "frames": 2, "tracks": [\n'
        '{"label": "dog", "boxes": [[0.1, 0.2, 0.5, 0.6], null]}\n]}\n'
    )
    empty = format_boxes(BoxTracks((), 3))
    assert parse_boxes(json.loads(empty), name="x").num_frames == 3


def test_key_boxes_in_pixels() -> None:
    keys = [{"frame": 0, "box": [0, 0, 40, 20]}, {"frame": 4, "box": [40, 0, 80, 20]}]
    row = {"label": "dog", "keys": keys, "timing": "ease-in"}
    tracks = parse_boxes(whole(row, frames=6, size=[80, 40]), name="x")
    assert np.allclose(tracks.tracks[0].boxes[:, 0], [0, 1 / 32, 1 / 8, 9 / 32, 0.5, 0.5])
    held = parse_boxes(whole(row | {"between": "held"}, frames=6, size=[80, 40]), name="x")
    assert held.tracks[0].boxes[:, 0].tolist() == [0, 0, 0, 0, 0.5, 0.5]
    found = whole(row, frames=6, size=[80, 40])
    assert parse_boxes(found, name="a.json", size=(200, 400)).num_frames == 6
    with pytest.raises(UserError, match="a.json holds boxes of frames of 80 x 40 pixels, but"):
        parse_boxes(found, name="a.json", size=(400, 400))


KEY = {"frame": 0, "box": [0, 0, 1, 1]}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], r"does not hold boxes \(it is a list, not a dictionary\)"),
        ({"version": 1}, "it lacks frames, tracks"),
        (whole(version=True), "version is True; expected 1"),
        (whole(version=2), "in the form of version 2, .* update ComfyUI-FCVG"),
        (whole(frames=0), "frames is 0; expected a number from 1 to 65536"),
        (whole(frames=2.0), "frames is 2.0"),
        (whole(tracks={}), "tracks is {}, not a list"),
        (whole(size=[0, 9]), r"size is \[0, 9\]; expected two whole numbers of pixels"),
        (whole(*[DOG] * 3001), "has 3001 objects in 2 frames; expected at most 3000"),
        (whole(*[DOG] * 200, frames=50_000), "has 200 objects in 50000 frames"),
        (whole(7), "track 1: it is 7, not a dictionary"),
        (whole(DOG, {"boxes": []}), "track 2: it lacks label"),
        (whole(DOG | {"label": 5}), "label of track 1 of a.json is 5"),
        (whole(DOG | {"keys": []}), "track 1: expected either boxes or keys"),
        (whole({"label": "dog"}), "expected either boxes or keys"),
        (whole(DOG, frames=3), "boxes has 2 boxes; expected 3, .* For fewer boxes use keys"),
        (whole(DOG | {"boxes": 1}), "boxes is 1; expected 2"),
        (whole(DOG | {"boxes": [None, [0, 0, 1]]}), r"box 2 is \[0, 0, 1\], not \[x1"),
        (whole(DOG | {"boxes": [None, [0, 0, 1, True]]}), "box 2 is"),
        (whole(DOG | {"boxes": [[0.5, 0, 0.1, 1], None]}), "track 1 of a.json: box 1 .* reversed"),
        (whole(DOG | {"boxes": [[0, 0, float("nan"), 1], None]}), "expected four finite numbers"),
        (whole(DOG | {"boxes": [[0, 0, 99, 100], None]}), "expected shares of the frame in 0..1"),
        (whole({"label": "dog", "keys": [1]}), r"keys is \[1\]; expected"),
        (whole({"label": "dog", "keys": []}), "track 1 of a.json: There is no key box"),
        (whole({"label": "dog", "keys": [KEY, KEY]}), r"stand at the frames \[0, 0\]; expected"),
        (whole({"label": "dog", "keys": [KEY | {"frame": 2}]}), "at frame 2, but .* 0 to 1"),
        (whole({"label": "dog", "keys": [KEY | {"frame": "2"}]}), r"frames of keys are \['2'\]"),
        (whole({"label": "dog", "keys": [KEY], "between": "jump"}), "between is 'jump'; expected"),
        (whole({"label": "dog", "keys": [KEY], "timing": 1}), "timing is 1; expected a name"),
    ],
)
def test_nonsense_in_words(found, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        parse_boxes(found, name="a.json")
    assert "a.json" in str(error.value)
