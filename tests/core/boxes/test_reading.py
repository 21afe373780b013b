"""Files of all kinds -> tracks, by one function."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fcvg_core.boxes import (
    BoxReading,
    BoxTrack,
    BoxTracks,
    boxes_texts,
    format_boxes,
    read_boxes,
)
from fcvg_core.choices import BOX_FILES
from fcvg_core.errors import UserError

SIZE = (100, 200)
DOG = BoxTrack("dog", [[0, 0, 0.5, 0.5], [0] * 4, [0.25, 0.25, 0.75, 0.5]])
TRACKS = BoxTracks((DOG,), 3)
READING = BoxReading(label="dog", size=SIZE)
TEXTS = {kind: boxes_texts(TRACKS, kind, SIZE)[0] for kind in BOX_FILES[1:]}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_every_kind_and_its_guess(kind, encoding):
    content = TEXTS[kind].encode(encoding)
    asked = [kind] if kind == "got-10k" else [kind, "auto"]
    for reading in (replace(READING, kind=word) for word in asked):
        found = read_boxes(content, reading, name="x")
        assert found.labels == ["dog"] and np.allclose(found.tracks[0].boxes, DOG.boxes, atol=1e-6)


def test_key_boxes_leave_the_frame_and_fill_the_video():
    text = "0: 0,0,100,50\n\n3: none\n4: 100,0,200,50\n8: 300,0,400,50"
    (track,) = read_boxes(text, replace(READING, num_frames=10), name="x").tracks
    assert track.present.tolist() == [True] * 3 + [False] + [True] * 2 + [False] * 4
    assert track.boxes[5].tolist() == [0.75, 0, 1, 0.5]
    held = read_boxes(text, replace(READING, fill="held"), name="x")
    assert held.num_frames == 9 and held.tracks[0].boxes[7].tolist() == [0.5, 0, 1, 0.5]


def test_key_boxes_with_spaces_are_not_of_mot():
    (track,) = read_boxes("0 : 0, 0, 100, 50\n2 : 100 0 200 50", READING, name="x").tracks
    assert track.boxes[1].tolist() == [0.25, 0, 0.75, 0.5]


def test_fewer_boxes_than_frames():
    text = "0,0,100,50\n100,50,200,100\nnone"
    reading = replace(READING, num_frames=5)
    (track,) = read_boxes(text, reading, name="x").tracks
    assert track.boxes[1].tolist() == [0.25, 0.25, 0.75, 0.75] and not track.present[4]
    (track,) = read_boxes(text, replace(reading, fill="held"), name="x").tracks
    assert track.present.tolist() == [True, True, False, False, False]


def test_ground_truth_is_known_by_its_name():
    for name in ("groundtruth.txt", "/a/b/groundtruth (1).txt"):
        (track,) = read_boxes(TEXTS["got-10k"], READING, name=name).tracks
        assert np.allclose(track.boxes, DOG.boxes)


def test_a_label_is_no_key_of_json():
    tracks = BoxTracks((BoxTrack("annotations", [[0, 0, 1, 1]]),), 1)
    assert read_boxes(format_boxes(tracks), BoxReading(), name="x").labels == ["annotations"]


@pytest.mark.parametrize(
    ("text", "reading", "message"),
    [
        ("0,0,9,9", BoxReading(label="dog"), "size is unknown"),
        (TEXTS["mot"], BoxReading(label="dog"), "size is unknown"),
        ("0,0,9,9", BoxReading(size=SIZE), "label of x is ''"),
        ("[1, 2", BoxReading(), "x is not JSON .*; expected JSON with version 1"),
        ("{}", BoxReading(), "x does not hold boxes"),
        ("{}", BoxReading(kind="youtube-vis"), "lacks categories"),
        (TEXTS["json"], replace(READING, kind="mot"), "line 1 is .* expected numbers"),
        (TEXTS["youtube-vis"], BoxReading(video="cats"), "no video 'cats' among its 1"),
        (
            json.dumps({"annotations": [], "categories": [], "videos": [{"id": 1}, {"id": 2}]}),
            BoxReading(),
            "x holds 2 videos; expected the name of one",
        ),
        (b"\x80abc", READING, "not text in UTF-8"),
        ("5: 0,0,9,9", replace(READING, num_frames=5), "^x: .* has the frames 0 to 4"),
        ("5: 0,0,9,9", replace(READING, timing="slow"), "^x: .*one of the timings"),
        (
            TEXTS["youtube-vis"].replace('"dog"', '" "'),
            READING,
            "label of annotation 1 of x is ' '",
        ),
        ("\ufeff \n", READING, "holds no boxes"),
    ],
)
def test_bad_input(text, reading, message):
    with pytest.raises(UserError, match=message):
        read_boxes(text, reading, name="x")


def test_an_unknown_kind():
    with pytest.raises(ValueError, match="expected one of auto, bbox"):
        BoxReading(kind="xml")


def test_a_text_for_each_object():
    both = BoxTracks((DOG, DOG), 3)
    counts = {kind: len(boxes_texts(both, kind, SIZE)) for kind in BOX_FILES[1:]}
    assert counts == {"bbox.txt": 2, "json": 1, "mot": 1, "youtube-vis": 1, "got-10k": 2}
    assert boxes_texts(both, "bbox.txt", SIZE)[0].splitlines()[0] == "0,0,100,50"


def test_texts_that_can_not_be_made():
    with pytest.raises(UserError, match="size is unknown"):
        boxes_texts(TRACKS, "mot", None)
    with pytest.raises(UserError, match="There are no boxes for mot"):
        boxes_texts(BoxTracks((), 3), "mot", SIZE)
    assert boxes_texts(BoxTracks((), 3), "json", None)
