"""Boxes that move: typed, from the host, around a motion, drawn, and as files."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.seam
WIDGETS = {
    "label": "dog",
    "key_boxes": "",
    "num_frames": 5,
    "width": 0,
    "height": 0,
    "form": "xyxy",
    "units": "pixels",
    "fill": "interpolated",
    "timing": "uniform",
    "custom_times": "0, 0.5, 1",
    "box_number": 1,
}
KEYS = "0: 0,0,40,32\n4: 40,32,80,64"
PICTURE = torch.linspace(0, 1, 64 * 80 * 3).reshape(1, 64, 80, 3)


def box(x: float, y: float = 0, width: float = 40, height: float = 32, **more) -> dict:
    return {"x": x, "y": y, "width": width, "height": height, **more}


@pytest.fixture
def track(node_classes):
    """Runs Box Track; returns its result."""

    def run(**given):
        return node_classes["FCVG_BoxTrack"].execute(**{**WIDGETS, **given})

    return run


@pytest.fixture
def two(track):
    """Boxes of a dog and of a cat, 5 frames."""
    dog, cat = (
        track(label=label, key_boxes=KEYS, image=PICTURE).args[0] for label in ("dog", "cat")
    )
    return dog, cat


@pytest.fixture
def folders(host, tmp_path, monkeypatch) -> Path:
    """A folder with the host's folders `input` and `output`."""
    import folder_paths

    for name in ("input", "output"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


def first_frame(result) -> np.ndarray:
    """The first frame that the editor plays on the node."""
    import folder_paths
    from PIL import Image

    shown = result.ui.as_dict()
    assert shown["animated"] == (True,)
    (file,) = shown["images"]
    folder = Path(folder_paths.get_temp_directory(), file["subfolder"])
    with Image.open(folder / file["filename"]) as opened:
        return np.asarray(opened.convert("RGB"))


class TestBoxTrack:
    def test_typed_boxes_move_and_are_played(self, track, caplog):
        caplog.set_level(logging.INFO)
        result = track(key_boxes=KEYS, image=PICTURE)
        (boxes,) = result.args
        assert boxes.labels == ["dog"] and boxes.num_frames == 5
        assert np.allclose(boxes.tracks[0].boxes[2], [0.25, 0.25, 0.75, 0.75])
        assert "Box tracks: 1 (dog in all 5 frames)." in caplog.text
        frame = first_frame(result)
        assert frame.shape == (64, 80, 3) and np.ptp(frame[0, :30].astype(int), axis=-1).max() > 40

    @pytest.mark.parametrize(
        ("given", "middle"),
        [
            (
                {"key_boxes": ".25 .25 .5 .5", "form": "xywh", "units": "0..1"},
                [0.25] * 2 + [0.75] * 2,
            ),
            ({"key_boxes": KEYS, "width": 80, "height": 64, "fill": "held"}, [0, 0, 0.5, 0.5]),
            ({"first_box": box(20), "image": PICTURE}, [0.25, 0, 0.75, 0.5]),
            ({"first_box": [box(0)], "last_box": [[box(80)]], "image": PICTURE}, [0.5, 0, 1, 0.5]),
            (
                {"first_box": [[box(0), box(40, 32)]], "box_number": 0, "image": PICTURE},
                [0.25, 0.25, 0.75, 0.75],
            ),
            (
                {
                    "first_box": [box(0), box(20)],
                    "last_box": box(40),
                    "box_number": 0,
                    "image": PICTURE,
                },
                [0.25, 0, 0.75, 0.5],
            ),
            (
                {"first_box": [[box(0), box(40, 32)]], "box_number": 2, "image": PICTURE},
                [0.5, 0.5, 1, 1],
            ),
            (
                {"first_box": [[box(0)], [box(20)], [box(40)]], "image": PICTURE},
                [0.25, 0, 0.75, 0.5],
            ),
        ],
    )
    def test_all_ways_to_give_boxes(self, track, given, middle):
        (boxes,) = track(**given).args
        assert np.allclose(boxes.tracks[0].boxes[2], middle)

    def test_the_label_of_a_detector(self, track):
        found = [[box(0, label="cat"), box(20, label="bird")]]
        (boxes,) = track(label="", first_box=found, image=PICTURE).args
        assert boxes.labels == ["cat"]
        (boxes,) = track(label="bird", first_box=found, image=PICTURE).args
        assert boxes.labels == ["bird"] and boxes.tracks[0].boxes[0, 0] == 0.25

    def test_several_boxes_are_said(self, track, caplog):
        caplog.set_level(logging.INFO)
        track(first_box=[box(0), box(40)], image=PICTURE)
        assert "first_box has 2 boxes in a picture: box 1 is taken. box_number 0" in caplog.text

    def test_boxes_that_leave_the_frame_are_said(self, track, caplog):
        caplog.set_level(logging.INFO)
        (boxes,) = track(first_box=box(0), last_box=box(160), image=PICTURE).args
        assert boxes.tracks[0].present.tolist() == [True, True, False, False, False]
        assert "lie outside of the frame" in caplog.text

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({}, "There are no boxes: write them in key_boxes, or connect"),
            ({"key_boxes": KEYS}, "size is unknown"),
            ({"key_boxes": KEYS, "width": 80}, "width is 80 and height is 0: set both"),
            ({"key_boxes": KEYS, "first_box": box(0)}, "take the place of key_boxes"),
            ({"last_box": box(0)}, "Only last_box is connected"),
            ({"first_box": box(0)}, "size is unknown: connect image, or set width and height"),
            ({"first_box": [], "image": PICTURE}, "first_box holds no box"),
            ({"first_box": "x", "image": PICTURE}, "first_box is 'x'; expected a box"),
            (
                {"first_box": [[box(0)], [box(0)]], "last_box": box(0), "image": PICTURE},
                "boxes of 2 pictures, which is a whole track",
            ),
            (
                {"first_box": [box(i) for i in range(9)], "box_number": 0, "image": PICTURE},
                "first_box has 9 boxes, but the video 5 frames",
            ),
            ({"first_box": box(0), "box_number": 4, "image": PICTURE}, "at most 1 in a picture"),
            (
                {
                    "first_box": box(0),
                    "last_box": [[box(0), box(1)], []],
                    "image": PICTURE,
                    "box_number": 3,
                },
                "Box 3 is asked for, but first_box has at most 1",
            ),
            ({"first_box": box(0, 0, 0), "image": PICTURE}, "first_box: box 1 is .* no area"),
            ({"key_boxes": KEYS, "label": " ", "image": PICTURE}, "label of key_boxes is ' '"),
            ({"first_box": box(0), "label": "", "image": PICTURE}, "The label of"),
            ({"key_boxes": "0: 1,2,3", "image": PICTURE}, "line 1 has 3 numbers; expected four"),
            ({"key_boxes": "9: 0,0,9,9", "image": PICTURE}, "has the frames 0 to 4"),
            ({"key_boxes": "9,9,0,0", "image": PICTURE}, "is reversed"),
            ({"key_boxes": "nan,0,9,9", "image": PICTURE}, "four finite numbers"),
            ({"key_boxes": KEYS, "num_frames": 5000}, "num_frames is 5000"),
            (
                {"key_boxes": KEYS, "timing": "custom", "custom_times": "x"},
                "expected one of the ti",
            ),
        ],
    )
    def test_bad_input(self, track, given, message):
        with pytest.raises(ValueError, match=message):
            track(**given)

    def test_the_boxes_of_the_host_have_no_editor_on_this_node(self, node_classes):
        schema = node_classes["FCVG_BoxTrack"].define_schema()
        by_name = {one.id: one for one in schema.inputs}
        for name in ("first_box", "last_box"):
            assert by_name[name].get_io_type() == "BOUNDING_BOX" and by_name[name].optional
            assert by_name[name].as_dict()["forceInput"] is True


class TestCombine:
    def test_objects_side_by_side(self, node_classes, two):
        node = node_classes["FCVG_CombineTracks"]
        (both,) = node.execute(boxes_1=two[0], boxes_2=None, boxes_3=two[1]).args
        assert both.labels == ["dog", "cat"] and both.num_frames == 5

    def test_other_lengths(self, node_classes, two, track):
        short = track(key_boxes=KEYS.replace("4:", "2:"), num_frames=3, image=PICTURE).args[0]
        with pytest.raises(ValueError, match="box tracks of 3, 5 frames; expected"):
            node_classes["FCVG_CombineTracks"].execute(boxes_1=two[0], boxes_2=short)


class TestAroundMotion:
    @pytest.fixture
    def motion(self, load):
        lines = torch.tensor([[[8.0, 8], [16, 16]], [[40, 40], [48, 56]]])
        matches = load("fcvg_core.lines").LineMatches(
            lines, lines + 16, size=(64, 80), ids=torch.tensor([3, 8])
        )
        points = torch.full((1, 134, 2), 0.25)
        points[0, 1] = 0.5
        pose = load("fcvg_core.pose")
        people = pose.Poses(points, torch.ones(1, 134)), pose.Poses(points, torch.ones(1, 134))
        core = load("fcvg_core.motion")
        path = load("fcvg_core.paths").Path(0, torch.tensor([[8.0, 8], [8, 8], [8, 40], [8, 40]]))
        return core.Motion((64, 80), (core.Span(matches=matches, people=people, paths=(path,)),))

    @pytest.fixture
    def around(self, node_classes, motion):
        def run(what: str, label: str = "", ids: str = "", margin: float = 0.0, frames: int = 3):
            node = node_classes["FCVG_BoxesAroundMotion"]
            return node.execute(motion, what, label, ids, margin, frames, "uniform", "").args[0]

        return run

    def test_people(self, around):
        boxes = around("people")
        assert boxes.labels == ["person"] and boxes.num_frames == 3
        assert np.allclose(boxes.tracks[0].boxes, [0.25, 0.25, 0.5, 0.5])
        assert np.allclose(around("people", "child", "1", 0.2).tracks[0].boxes[0, 0], 0.2)

    def test_lines(self, around):
        boxes = around("lines", "car", "3")
        assert np.allclose(boxes.tracks[0].boxes[0], [0.1, 0.125, 0.2, 0.25])
        assert np.allclose(boxes.tracks[0].boxes[2], [0.3, 0.375, 0.4, 0.5])
        assert np.allclose(around("lines", "car").tracks[0].boxes[0], [0.1, 0.125, 0.6, 0.875])

    def test_a_path_alone_encloses_no_area(self, around):
        assert not around("paths", "ball").tracks[0].present.any()

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (("lines", "car", "7"), r"no lines with one of the numbers \[7\].* numbers \[3, 8\]"),
            (("people", "", "2"), "no people with one of the numbers"),
            (("lines", "car", "a"), "ids is 'a'; expected whole numbers"),
            (("lines",), "label of a track is ''"),
            (("people", "", "", 99.0), "margin is 99"),
        ],
    )
    def test_bad_input(self, around, given, message):
        with pytest.raises(ValueError, match=message):
            around(*given)


class TestDraw:
    @pytest.mark.parametrize("count", [1, 5])
    def test_drawn_over_frames(self, node_classes, two, count):
        frames = PICTURE.repeat(count, 1, 1, 1)
        result = node_classes["FCVG_DrawBoxes"].execute(frames, two[0], False)
        (drawn,) = result.args
        assert drawn.shape == (5, 64, 80, 3) and drawn.dtype == torch.float32
        changed = (drawn - frames).abs().amax(-1) > 0.1
        assert changed[0, 0, :38].all() and not changed[0, 34:].any()
        assert first_frame(result).shape == (64, 80, 3)

    def test_another_number_of_frames(self, node_classes, two):
        with pytest.raises(ValueError, match="There are 3 frames, but boxes for 5"):
            node_classes["FCVG_DrawBoxes"].execute(PICTURE.repeat(3, 1, 1, 1), two[0], True)


class TestFiles:
    LOAD = {
        "kind": "auto",
        "label": "dog",
        "width": 0,
        "height": 0,
        "form": "xyxy",
        "units": "pixels",
        "video": "",
        "num_frames": 0,
        "fill": "interpolated",
        "timing": "uniform",
        "custom_times": "",
    }

    @pytest.fixture
    def open_boxes(self, node_classes, folders):
        def run(file: str, **given):
            return node_classes["FCVG_LoadBoxTracks"].execute(file, **{**self.LOAD, **given})

        return run

    @pytest.mark.parametrize("kind", ["json", "bbox.txt", "mot", "youtube-vis", "got-10k"])
    def test_come_back(self, node_classes, open_boxes, folders, two, caplog, kind):
        caplog.set_level(logging.INFO)
        both = node_classes["FCVG_CombineTracks"].execute(boxes_1=two[0], boxes_2=two[1]).args[0]
        save = node_classes["FCVG_SaveBoxTracks"]
        saved = save.execute(both, "shots/b", kind, 0, 0, image=PICTURE)
        assert saved.args == (both,)
        files = saved.ui["files"]
        single = kind in ("bbox.txt", "got-10k")
        assert len(files) == 1 + single
        assert ("The files hold, in this order: dog; cat." in caplog.text) == single
        (path,) = [folders / "output" / "shots" / file["filename"] for file in files][:1]
        assert path.suffix == (".json" if kind in ("json", "youtube-vis") else ".txt")
        asked = kind if kind == "got-10k" else "auto"
        result = open_boxes(f"shots/{path.name} [output]", kind=asked, image=PICTURE)
        (found,) = result.args
        assert found.num_frames == 5 and len(found.tracks) == (1 if single else 2)
        assert np.allclose(found.tracks[0].boxes, two[0].tracks[0].boxes, atol=1e-6)
        assert first_frame(result).shape == (64, 80, 3)

    def test_bbox_txt_of_any_writing(self, folders, open_boxes):
        (folders / "input" / "bbox.txt").write_bytes(
            b"\xef\xbb\xbf0\t0\t40\t32\r\n\r\n40, 32, 80, 64,\r\n"
        )
        (found,) = open_boxes("bbox.txt", num_frames=5, width=80, height=64).args
        assert np.allclose(found.tracks[0].boxes[2], [0.25, 0.25, 0.75, 0.75])

    def test_the_list_has_both_endings(self, node_classes, folders):
        for name in ("a.json", "b.txt", "c.png"):
            (folders / "input" / name).write_text("x")
        node = node_classes["FCVG_LoadBoxTracks"]
        file = node.define_schema().inputs[0]
        assert file.options == ["a.json", "b.txt"] and ".json or .txt file" in file.tooltip
        assert node.validate_inputs("b.txt") is True and "upload one" in node.validate_inputs(
            "../b"
        )
        assert node.fingerprint_inputs("b.txt", label="x") != node.fingerprint_inputs("a.json")

    @pytest.mark.parametrize(
        ("text", "given", "message"),
        [
            ("", {}, r"x\.txt is empty; expected a file of boxes"),
            ("0,0,9,9", {}, "size is unknown"),
            ("0,0,9,9", {"image": PICTURE, "label": ""}, r"The label of .*x\.txt is ''"),
            ("{}", {}, "does not hold boxes"),
            (
                json.dumps({"version": 1, "frames": 1, "size": [64, 80], "tracks": []}),
                {"image": PICTURE},
                "boxes of frames of 64 x 80 pixels, but the frames have 80 x 64",
            ),
            ("0,0,9,9", {"image": PICTURE, "num_frames": 2000}, "num_frames is 2000"),
        ],
    )
    def test_bad_files(self, folders, open_boxes, text, given, message):
        (folders / "input" / "x.txt").write_text(text)
        with pytest.raises(ValueError, match=message):
            open_boxes("x.txt", **given)

    def test_pixels_need_a_size(self, node_classes, folders, two):
        with pytest.raises(ValueError, match="size is unknown"):
            node_classes["FCVG_SaveBoxTracks"].execute(two[0], "x", "mot", 0, 0)
