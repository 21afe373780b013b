"""Key boxes and boxes of another number of frames -> a box in every frame."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcvg_core.boxes import BoxTrack, BoxTracks, KeyBoxes, interpolate_boxes, resample_boxes
from fcvg_core.errors import UserError

TWO = [[0, 0, 0.2, 0.2], [0.8, 0.4, 1, 1]]
KEYS = BoxTrack("dog", TWO)


def between(frames: list[int], num_frames: int, boxes=TWO, **options) -> BoxTrack:
    return interpolate_boxes(KeyBoxes("dog", frames, boxes), num_frames, **options)


def lefts(track: BoxTrack) -> list[float]:
    return np.where(track.present, track.boxes[:, 0], np.nan).round(4).tolist()


def test_between_key_boxes() -> None:
    assert lefts(between([1, 5], 8)) == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8])
    eased = between([0, 4], 5, timing="ease-in")
    assert lefts(eased) == pytest.approx([0, 0.05, 0.2, 0.45, 0.8])
    there_and_back = between([0, 4], 6, timing=[0, 1, 0.5])
    assert lefts(there_and_back) == pytest.approx([0, 0.4, 0.8, 0.6, 0.4, 0.4])
    held = between([1, 3], 5, between="held")
    assert lefts(held) == pytest.approx([0, 0, 0, 0.8, 0.8])


def test_an_object_that_leaves_and_comes_back() -> None:
    boxes, present = [TWO[0], [0, 0, 0, 0], TWO[1]], np.array([True, False, True])
    found = interpolate_boxes(KeyBoxes("dog", [0, 2, 4], boxes, present), 6)
    assert found.present.tolist() == [True, True, False, False, True, True]
    assert lefts(found)[:2] == [0, 0] and lefts(found)[4:] == pytest.approx([0.8, 0.8])


def test_an_object_that_comes_from_outside(caplog) -> None:
    caplog.set_level(logging.INFO)
    found = between([0, 4], 5, [[-0.3, 0.2, -0.1, 0.4], [0.5, 0.2, 0.7, 0.4]])
    assert found.present.tolist() == [False, True, True, True, True]
    assert np.allclose(found.boxes[1:, 0], [0, 0.1, 0.3, 0.5])
    assert np.allclose(found.boxes[1:, 2], [0.1, 0.3, 0.5, 0.7])
    assert caplog.messages == [
        "Box track 'dog': 1 of 5 boxes leave the frame and are clipped (the first is box 2).",
        "Box track 'dog': 1 of 5 boxes lie outside of the frame: there the object counts as absent "
        "(the first is box 1).",
    ]


def test_fewer_boxes_than_frames() -> None:
    tracks = BoxTracks((KEYS,), 2)
    spread = resample_boxes(tracks, 5).tracks[0]
    assert lefts(spread) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert lefts(resample_boxes(tracks, 4, fill="held").tracks[0]) == pytest.approx([0, *[0.8] * 3])
    assert lefts(resample_boxes(tracks, 5, timing="ease-in").tracks[0])[2] == pytest.approx(0.2)


def test_more_boxes_than_frames(caplog) -> None:
    caplog.set_level(logging.INFO)
    boxes = np.linspace([0, 0, 0.2, 0.2], [0.8, 0.4, 1, 1], 9)
    tracks = BoxTracks((BoxTrack("dog", boxes),), 9)
    assert lefts(resample_boxes(tracks, 3).tracks[0]) == pytest.approx([0, 0.4, 0.8])
    assert lefts(resample_boxes(tracks, 2, fill="held").tracks[0]) == pytest.approx([0, 0.1])
    assert caplog.messages == ["Box tracks: the last 7 of 9 are left out."]
    assert lefts(resample_boxes(tracks, 1).tracks[0]) == [0]
    assert resample_boxes(tracks, 9) is tracks


def test_no_objects() -> None:
    assert resample_boxes(BoxTracks((), 3), 8).num_frames == 8


@pytest.mark.parametrize(
    ("frames", "num_frames", "message"),
    [
        ([], 8, "There is no key box"),
        ([3, 1], 8, r"at the frames \[3, 1\]; expected different numbers from 0 on"),
        ([-1, 1], 8, "numbers from 0 on"),
        ([0, 8], 8, "A key box stands at frame 8, but the video has the frames 0 to 7"),
        ([0, 1], 0, "Boxes for 0 frames: expected 1 to 65536"),
        ([0, 1], 10**9, "Boxes for 1000000000 frames"),
    ],
)
def test_impossible_keys(frames, num_frames, message: str) -> None:
    with pytest.raises(UserError, match=message):
        between(frames, num_frames, np.array(TWO)[: len(frames)])


def test_impossible_choices() -> None:
    with pytest.raises(UserError, match="expected one of the timings .*'fast'"):
        between([0, 4], 5, timing="fast")
    with pytest.raises(ValueError, match="expected one of interpolated, held; got 'jump'"):
        resample_boxes(BoxTracks((KEYS,), 2), 5, fill="jump")
    with pytest.raises(ValueError, match=r"expected boxes \[1, 4\] .* got \[2, 4\]"):
        between([0], 5)
    with pytest.raises(ValueError, match="expected finite boxes x1 <= x2"):
        between([0], 5, [[0.5, 0, 0.4, 1]])
    with pytest.raises(UserError, match="have no frame"):
        resample_boxes(BoxTracks((), 0), 5)


NUMBERS = st.floats(0, 1, width=32)
BOXES = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(
    lambda x: [*map(min, x[:2], x[2:]), *map(max, x[:2], x[2:])]
)


@settings(max_examples=80, deadline=None)
@given(
    boxes=st.lists(BOXES, min_size=1, max_size=5),
    gaps=st.lists(st.integers(1, 4), min_size=5, max_size=5),
    more=st.integers(1, 5),
    timing=st.sampled_from(["reference", "uniform", "ease-out", "ease-in-out"]),
    held=st.booleans(),
)
def test_key_boxes_are_met_and_nothing_leaves_the_frame(boxes, gaps, more, timing, held) -> None:
    keys = BoxTrack("dog", boxes)
    frames = (np.cumsum(gaps) - 1)[: len(boxes)].tolist()
    fill = "held" if held else "interpolated"
    points = KeyBoxes("dog", frames, keys.boxes, keys.present)
    track = interpolate_boxes(points, frames[-1] + more, timing=timing, between=fill)
    assert np.array_equal(track.boxes[frames], keys.boxes)
    assert np.array_equal(track.present[frames], keys.present)
    other = resample_boxes(BoxTracks((keys,), len(boxes)), 7, timing=timing, fill=fill).tracks[0]
    assert np.array_equal(other.boxes[0], keys.boxes[0])
    if not held or len(boxes) <= 7:
        assert np.array_equal(other.boxes[-1], keys.boxes[-1]) or timing == "reference"
