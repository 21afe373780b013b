"""bbox.txt, groundtruth.txt and key boxes <-> tracks."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcvg_core.boxes import (
    BoxForm,
    BoxTrack,
    box_lines,
    read_bbox_txt,
    read_got10k,
    read_key_boxes,
    to_bbox_txt,
    to_got10k,
)
from fcvg_core.errors import UserError

SIZE = (200, 400)
PIXELS = BoxForm(size=SIZE)
LINES = "40,50,200,150\n80,50,240,150\n"
EXPECTED = np.float32([[0.1, 0.25, 0.5, 0.75], [0.2, 0.25, 0.6, 0.75]])


def read(text: str | bytes, form: BoxForm = PIXELS) -> BoxTrack:
    return read_bbox_txt(text, form, label="dog", name="bbox.txt")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (LINES, PIXELS),
        ("\ufeff\n40\t50 200;150\r\n\r\n 80 , 50,\t240.0,150,\n \n", PIXELS),
        (LINES.encode("utf-8-sig"), PIXELS),
        (LINES.encode("utf-16"), PIXELS),
        ("40 50 160 100\n80 50 160 100", BoxForm("xywh", size=SIZE)),
        (".1,.25,.5,.75\n2e-1,.25,.6,.75", BoxForm(unit="0..1")),
        (".1,.25,.4,.5\n.2,.25,.4,.5", BoxForm("xywh", "0..1")),
    ],
)
def test_all_ways_to_write_boxes(text, form: BoxForm, caplog) -> None:
    track = read(text, form)
    assert np.allclose(track.boxes, EXPECTED, atol=1e-7) and track.present.all()
    assert track.label == "dog" and not caplog.messages


def test_boxes_that_leave_the_frame_are_said(caplog) -> None:
    text = "-40,50,200,150\n500,0,600,50\n0,0,0,0\n0,0,400,200.01\n"
    track = read(text)
    assert track.present.tolist() == [True, False, False, True]
    assert track.boxes[0].tolist() == [0, 0.25, 0.5, 0.75] and track.boxes[3].tolist()[3] == 1
    assert caplog.messages == [
        "bbox.txt: 1 of 4 boxes leave the frame and are clipped (the first is box 1).",
        "bbox.txt: 1 of 4 boxes lie outside of the frame: there the object counts as absent "
        "(the first is box 2).",
    ]


def test_boxes_of_another_picture(caplog) -> None:
    assert not read("500,10,600,20").present.any()
    assert caplog.messages[1].startswith("bbox.txt: no box lies in the frame, so the object is abs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no boxes; expected a line with four numbers"),
        ("\ufeff\n \n\t", "holds no boxes"),
        ("1,2,3", "line 1 has 3 numbers; expected four"),
        ("\n\n1,2,3,4,5", "line 3 has 5 numbers"),
        ("40,50,,150", "line 1 is '40,50,,150'; expected numbers separated by commas"),
        ("x1,y1,x2,y2", "line 1 is 'x1,y1,x2,y2'"),
        (b"\xff\x00\x81", "is not text in UTF-8"),
        (b"\xff\xfe\x81", "is not text in UTF-8"),
        (LINES + "nan,1,2,3", "box 3 is nan,1,2,3; expected four finite numbers"),
        ("1,2,inf,4", "box 1 is 1,2,inf,4; expected four finite"),
        ("1,2,1e9,4", r"expected numbers from -1048576 to 1048576"),
        (
            LINES + "200,50,40,150",
            "box 3 is 200,50,40,150, which is reversed; expected xyxy",
        ),
        ("200,150,40,20", "reversed; .* If the numbers are xywh, choose xywh"),
        (LINES + "40,50,40,150", "box 3 is 40,50,40,150, which has no area; .* or 0,0,0,0 where"),
        (".1,.2,.3,.4", "no number is above 1, .* expected pixels of 400 x 200 .* choose 0..1"),
    ],
)
def test_nonsense_in_words(text, message: str) -> None:
    with pytest.raises(UserError, match=f"^bbox.txt.*{message}"):
        read(text)


def test_other_units() -> None:
    with pytest.raises(UserError, match="box 1 is 40,50,200,150; .* are pixels, choose pixels"):
        read(LINES, BoxForm(unit="0..1"))
    with pytest.raises(UserError, match="box 1 is 10,20,-5,9, which is reversed; .* above 0"):
        read("10,20,-5,9", BoxForm("xywh", size=SIZE))
    with pytest.raises(UserError, match="in pixels of a picture whose size is unknown"):
        BoxForm()
    with pytest.raises(ValueError, match="Unknown form 'cxcywh': expected one of xyxy, xywh"):
        BoxForm("cxcywh", size=SIZE)
    with pytest.raises(ValueError, match=r"expected a size .* got \(0, 5\)"):
        BoxForm(size=(0, 5))


def test_too_much(monkeypatch) -> None:
    with pytest.raises(UserError, match="bbox.txt has 65537 lines; expected 65536 at most"):
        read("1 2 30 40\n" * 65_537)
    monkeypatch.setattr(box_lines, "MAX_TEXT", 10)
    with pytest.raises(UserError, match="bbox.txt has 28 characters; expected 10 at most"):
        read(LINES)


def test_key_boxes() -> None:
    text = "0: 40,50,200,150\n5:none\n\n 12 : 80 50 240 150"
    keys = read_key_boxes(text, PIXELS, label="dog", name="keys")
    assert keys.frames == (0, 5, 12) and keys.present.tolist() == [True, False, True]
    assert np.allclose(keys.boxes[[0, 2]], EXPECTED)
    assert read_key_boxes(LINES, PIXELS, label="dog", name="keys").frames == (0, 1)
    outside = read_key_boxes("0: -99,0,-9,50\n7: 9,0,99,50", PIXELS, label="dog", name="keys")
    assert outside.present.all() and outside.boxes[0, 0] == -99 / 400
    with pytest.raises(UserError, match="keys: box 2 is 9,9,5,5, which is reversed"):
        read_key_boxes("0: 1,2,30,40\n3: 9,9,5,5", PIXELS, label="dog", name="keys")
    with pytest.raises(UserError, match="keys: line 2 is '1,2,3,4', without a frame"):
        read_key_boxes("0: 1,2,3,4\n1,2,3,4", PIXELS, label="dog", name="keys")
    with pytest.raises(UserError, match="keys: line 1 has 2 numbers"):
        read_key_boxes("0: 1,2", PIXELS, label="dog", name="keys")


def test_got10k(caplog) -> None:
    caplog.set_level(logging.INFO)
    track = read_got10k("40.0,50.0,160.0,100.0\n5,5,0,7\n", SIZE, label="dog", name="groundtruth")
    assert np.array_equal(track.boxes[0], EXPECTED[0]) and track.present.tolist() == [True, False]
    assert caplog.messages[0].startswith("groundtruth: 1 of 2 boxes have no area")
    assert to_got10k(track, SIZE) == "40,50,160,100\n0,0,0,0\n"
    with pytest.raises(UserError, match="box 1 is nan,1,1,1"):
        read_got10k("nan,1,1,1", SIZE, label="dog", name="groundtruth")


SHARES = st.integers(0, 1000).map(lambda x: x / 1000)
BOXES = st.tuples(SHARES, SHARES, SHARES, SHARES).filter(lambda b: b[0] < b[2] and b[1] < b[3])


@settings(max_examples=50, deadline=None)
@given(
    boxes=st.lists(BOXES, min_size=1, max_size=5),
    form=st.sampled_from(["xyxy", "xywh"]),
    size=st.tuples(st.integers(2, 5000), st.integers(2, 5000)) | st.none(),
)
def test_what_is_written_is_read(boxes, form, size) -> None:
    track = BoxTrack("dog", boxes)
    form = BoxForm(form, "pixels" if size else "0..1", size)
    if size and (track.boxes * form.scale).max() <= 1:
        return  # these are taken for shares
    again = read(to_bbox_txt(track, form), form)
    assert np.allclose(again.boxes, track.boxes, atol=1e-6) and again.present.all()
