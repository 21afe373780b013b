"""Files of the MOTChallenge and of YouTube-VIS <-> tracks."""

import copy
import logging

import numpy as np
import pytest

from fcvg_core.boxes import (
    BoxTrack,
    BoxTracks,
    read_annotations,
    read_categories,
    read_mot,
    read_youvis,
    to_mot,
    to_youvis,
)
from fcvg_core.errors import UserError

SIZE = (100, 200)
GT = """2,7,20,10,40,50,1,1,0.8
1,7,10,10,40,50,1,1,1
1,3,0,0,100,50,1,3,1
3,3,-50,0,100,50,1,3,0.5
4,9,1,1,9,9,0,8,1
"""
MOVING = BoxTracks(
    (
        BoxTrack("car", [[0, 0, 0.5, 0.5], [0] * 4, [0, 0, 0.25, 0.5]]),
        BoxTrack("person", [[0.05, 0.1, 0.25, 0.6], [0.1, 0.1, 0.3, 0.6], [0] * 4]),
    ),
    3,
)


def assert_same(one: BoxTracks, other: BoxTracks) -> None:
    assert one.labels == other.labels and one.num_frames == other.num_frames
    for a, b in zip(one.tracks, other.tracks, strict=True):
        assert np.allclose(a.boxes, b.boxes, atol=1e-6) and (a.present == b.present).all()


def mot(text: str | bytes, **options) -> BoxTracks:
    return read_mot(text, SIZE, label="person", name="gt.txt", **options)


class TestMot:
    def test_there_and_back(self, caplog) -> None:
        caplog.set_level(logging.INFO)
        tracks = mot(GT, labels={3: "car"})
        assert_same(tracks, MOVING)
        assert caplog.messages == [
            "object 3 of gt.txt: 1 of 3 boxes leave the frame and are clipped (the first is box 3)."
        ]
        assert to_mot(tracks, SIZE).splitlines()[1] == "1,2,10,10,40,50,1,-1,-1"
        assert_same(mot(to_mot(tracks, SIZE), labels={1: "car"}), tracks)

    def test_frames_of_the_video(self) -> None:
        assert mot(GT, num_frames=5).num_frames == 5
        cut = mot(GT, num_frames=1)
        assert [track.present.tolist() for track in cut.tracks] == [[True], [True]]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "holds no boxes"),
            ("1,1,2,3,4,5,0", "holds no box that counts"),
            ("1,1,2,3,4", "line 1 has 5 numbers; expected at least six: frame"),
            ("0,1,2,3,4,5", "line 1 begins with 0, 1; expected frame"),
            ("1,-1,2,3,4,5", "begins with 1, -1; .* whose ids are -1, hold no tracks"),
            ("1.5,1,2,3,4,5", "begins with 1.5, 1"),
            ("nan,1,2,3,4,5", "begins with nan, 1"),
            ("1e9,1,2,3,4,5", "begins with 1e\\+09, 1"),
            ("1,1,2,3,4,5\n1,1,2,3,4,5", "line 2 is the second box of object 1 in frame 1"),
            ("1,1,2,3,-4,5", "object 1 of gt.txt: box 1 is 2,3,-4,5, which is reversed"),
            ("1,1,inf,3,4,5", "expected four finite numbers"),
            ("frame,id", "line 1 is 'frame,id'; expected numbers"),
        ],
    )
    def test_nonsense_in_words(self, text: str, message: str) -> None:
        with pytest.raises(UserError, match=f"gt.txt.*{message}|{message}"):
            mot(text)

    def test_too_many_objects(self) -> None:
        lines = "".join(f"1,{i},1,1,9,9\n" for i in range(3001))
        with pytest.raises(UserError, match="gt.txt has 3001 objects in 1 frames"):
            mot(lines)


INSTANCES = to_youvis(MOVING, SIZE, video_id=4, file_names=[f"a1/{i:05d}.jpg" for i in (0, 5, 10)])


def changed(change) -> dict:
    found = copy.deepcopy(INSTANCES)
    change(found)
    return found


class TestYouvis:
    @pytest.mark.parametrize("video", [4, "4", "a1", "a1/", "a1/00005.jpg"])
    def test_there_and_back(self, video) -> None:
        assert_same(read_youvis(INSTANCES, video, name="x", size=(50, 100)), MOVING)

    def test_form(self) -> None:
        assert INSTANCES["categories"] == [{"id": 1, "name": "car"}, {"id": 2, "name": "person"}]
        assert INSTANCES["annotations"][1]["bboxes"] == [[10, 10, 40, 50], [20, 10, 40, 50], None]

    def test_other_videos_and_empty_boxes(self, caplog) -> None:
        found = changed(lambda x: x["annotations"][0].update(video_id=5))
        found["annotations"][1]["bboxes"][0] = [5, 5, 0, 9]
        tracks = read_youvis(found, 4, name="x")
        assert tracks.labels == ["person"] and not caplog.messages  # said only in detail
        assert tracks.tracks[0].present.tolist() == [False, True, False]

    def test_video_without_objects(self) -> None:
        tracks = read_youvis(changed(lambda x: x.update(annotations=[])), 4, name="x")
        assert tracks.tracks == () and tracks.num_frames == 3

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda x: x.clear(), "a.json: it lacks categories"),
            (lambda x: x.update(annotations=None), "it lacks annotations"),  # as of the test split
            (lambda x: x.update(annotations=[1]), r"annotations is \[1\], which should be a list"),
            (lambda x: x["videos"][0].update(id=5), "holds no video 4 among its 1"),
            (lambda x: x["videos"][0].update(width=0), r"height and width are \[100, 0\]"),
            (lambda x: x["videos"][0].update(file_names=[]), "a video has 0 frames"),
            (lambda x: x["categories"].pop(), "annotation 2 of a.json: its category 2 has no name"),
            (
                lambda x: x["annotations"][0].update(bboxes=[None]),
                "bboxes is 1 boxes, but",
            ),
            (lambda x: x["annotations"][0].update(bboxes=5), "bboxes is 5"),
            (lambda x: x["annotations"][1]["bboxes"].__setitem__(2, [1, 2]), r"box 3 is \[1, 2\]"),
            (lambda x: x["annotations"][1]["bboxes"].__setitem__(2, [1, 2, -3, 4]), "reversed"),
        ],
    )
    def test_nonsense_in_words(self, change, message: str) -> None:
        with pytest.raises(UserError, match=message) as error:
            read_youvis(changed(change), 4, name="a.json")
        assert "a.json" in str(error.value)

    def test_annotations_of_one_video(self) -> None:
        categories = read_categories(INSTANCES, name="x")
        assert categories == {1: "car", 2: "person"}
        assert_same(read_annotations(INSTANCES["annotations"], categories, name="x"), MOVING)
        for rows, message in (
            ([], "a.json: there are no annotations"),
            ({}, "annotations is {}, which should be a list"),
            ([{"bboxes": [None]}], r"height and width are \[None, None\]"),
            ([{"height": 9, "width": 9}], "a video has None frames, not 1 to 65536"),
        ):
            with pytest.raises(UserError, match=message):
                read_annotations(rows, categories, name="a.json")

    def test_frames_of_another_shape(self) -> None:
        with pytest.raises(UserError, match="frames of 200 x 100 pixels, .* have 100 x 100"):
            read_youvis(INSTANCES, 4, name="a.json", size=(100, 100))
        with pytest.raises(UserError, match="no video 'b1' among its 1"):
            read_youvis(INSTANCES, "b1", name="a.json")
