"""GOT-10k and YouTube-VIS in their official layouts: what is read, what is left out, bad files."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from box_set_cases import (
    BEAR,
    WIDE,
    box_of,
    change_json,
    embedded,
    write_got10k,
    write_json,
    write_youvis,
)

from fcvg_core.box_sets import cut_window, draw_window, official_windows, open_box_set
from fcvg_core.errors import UserError

LENGTHS = {f"GOT-10k_Val_{i:06d}": n for i, n in enumerate((10, 20, 40, 8, 12), 1)}
# Of the official data set's own code, with albumentations 1.3.1 and seed 33, for these lengths.
OFFICIAL_STARTS = [2, 5, 9, 0, 2]


@pytest.fixture(autouse=True)
def log(caplog) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> Path:
    """A folder that holds both data sets."""
    root = tmp_path_factory.mktemp("dataset")
    write_got10k(root, LENGTHS | {"GOT-10k_Val_009059": 9, "GOT-10k_Val_000009": 7})
    write_youvis(root, {"00f88c4f0a": 9, "short": 7, "0a1b": 14}, objects=10)
    return root


class TestGot10k:
    def test_videos(self, sets, caplog) -> None:
        found = open_box_set(sets, "got10k", "val")
        assert found.names == [*LENGTHS] and len(found) == 5 and found.dataset == "got10k"
        assert found.first(2).names == [*LENGTHS][:2]
        assert "faulty videos are left out: 1." in caplog.messages[0]
        assert "fewer than 8 frames, so left out: GOT-10k_Val_000009." in caplog.messages[1]

    def test_video(self, sets) -> None:
        video = open_box_set(sets, "got10k", "val")[0]
        assert video.name == BEAR and video.size == (48, 80) and len(video.frames) == 10
        assert video.frames[0].name == "00000001.jpg"
        assert video.prompt == "A brown bear that is walking. "
        (track,) = video.tracks.tracks
        x, y, w, h = box_of(2)
        assert track.label == "brown bear" and track.present.all()
        assert np.array_equal(
            track.boxes[2], np.float32([x / 80, y / 48, (x + w) / 80, (y + h) / 48])
        )
        embedding = video.embeddings["brown bear"]
        assert embedding.dtype == np.float32 and embedding.shape == (WIDE,)
        assert np.array_equal(embedding, np.float32(embedded("brown bear")[0]))

    def test_boxes_that_leave_the_frame(self, sets) -> None:
        (track,) = open_box_set(sets, "got10k", "val")[2].tracks.tracks
        assert track.boxes[12, 2] == 1 and track.present[12]
        assert not track.present[13:].any()

    @pytest.mark.parametrize("inside", ["", "got10k"])
    def test_the_folder_of_the_readme(self, tmp_path, inside) -> None:
        write_got10k(tmp_path, folder="got10k")
        assert open_box_set(tmp_path / inside, "got10k", "val").names == [BEAR]

    def test_a_name_above_hides_no_video(self, tmp_path) -> None:
        write_got10k(tmp_path / "txt009059")
        assert len(open_box_set(tmp_path / "txt009059", "got10k", "val")) == 1


class TestYouVis:
    def test_videos_and_boxes(self, sets) -> None:
        found = open_box_set(sets, "youvis", "train")
        assert found.names == ["00f88c4f0a", "0a1b"]
        video = found[0]
        assert video.prompt == "the video 00f88c4f0a" and video.size == (48, 80)
        assert video.tracks.labels == ["airplane", "giant panda"] * 4  # the first 8 objects
        assert video.tracks.tracks[0].present.all()
        there = video.tracks.tracks[1].present.tolist()
        assert there == [True, False, True] * 3
        assert np.array_equal(video.embeddings["airplane"], np.float32(embedded("airplane")[0]))

    def test_a_video_without_objects(self, tmp_path) -> None:
        place = write_youvis(tmp_path, {"one": 8, "two": 8})
        change_json(place / "annotations_info_with_cat_emb.json", one=None)
        rows = json.loads((place / "instances.json").read_text())["annotations"]
        change_json(place / "instances.json", annotations=rows[2:])
        video = open_box_set(tmp_path, "youvis", "train")[0]
        assert video.tracks.tracks == () and video.tracks.num_frames == 8
        assert video.size is None and video.embeddings == {}
        change_json(place / "annotations_info_with_cat_emb.json", one=[])
        assert open_box_set(tmp_path, "youvis", "train")[0].tracks.tracks == ()

    def test_boxes_of_frames_that_are_missing(self, tmp_path, caplog) -> None:
        place = write_youvis(tmp_path, {"one": 12})
        for number in (11, 12):
            (place / "JPEGImages" / "one" / f"{number:08d}.jpg").unlink()
        video = open_box_set(tmp_path, "youvis", "train")[0]
        assert video.tracks.num_frames == len(video.frames) == 10
        assert "boxes for 12 frames, but 10 pictures" in caplog.messages[-1]


class TestWindows:
    def test_official(self, sets) -> None:
        videos = open_box_set(sets, "got10k", "val")
        windows = list(official_windows(videos, 8, 33))
        assert [int(x.frames[0].stem) - 1 for x in windows] == OFFICIAL_STARTS
        assert all(len(x.frames) == x.tracks.num_frames == 8 for x in windows)
        moved = windows[0].tracks.tracks[0].boxes[0]
        assert np.array_equal(moved, videos[0].tracks.tracks[0].boxes[2])

    def test_drawn(self, sets) -> None:
        video = open_box_set(sets, "got10k", "val")[0]
        chance = torch.Generator().manual_seed(0)
        starts = {draw_window(video, 8, chance).frames[0].name for _ in range(40)}
        assert starts == {f"{i:08d}.jpg" for i in (1, 2, 3)}

    def test_beyond_the_end(self, sets) -> None:
        video = open_box_set(sets, "got10k", "val")[0]
        with pytest.raises(ValueError, match="expected 8 frames from 3 on, got 10 in all"):
            cut_window(video, 3, 8)


def remove(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


def write(path: str, text: str) -> Callable[[Path], None]:
    return lambda root: (root / path).write_text(text)


def other_video(root: Path) -> None:
    """A folder of frames that no file of annotations knows."""
    (root / ANNOTATED).write_text("{}")
    change_json(root / "youvis/train/instances.json", videos=[], annotations=[])


VIDEO = f"got-10k/val/{BEAR}"
BOXES, ABOUT = f"{VIDEO}/groundtruth.txt", f"{VIDEO}/meta_info.ini"
LABELS = "got-10k/obj_embedding.json"
ANNOTATED = "youvis/train/annotations_info_with_cat_emb.json"


class TestBad:
    """Each message says which file, video or label, and what to do."""

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (remove(LABELS), r"There is no file .*obj_embedding.json; .* smcd-prepare"),
            (write(LABELS, "[]"), r"obj_embedding.json is \[\]; expected the embedded labels"),
            (write(LABELS, "{"), "obj_embedding.json is not JSON"),
            (write(LABELS, "{}"), r"obj_embedding.json holds no embedding of .*'brown bear'. Make"),
            (write(LABELS, '{"brown bear": [["x"]]}'), r"label 'brown bear' in .* is \[\['x'\]\]"),
            (write(LABELS, '{"brown bear": []}'), "expected a list of numbers"),
            (remove(BOXES), "There is no file .*groundtruth.txt"),
            (write(BOXES, ""), "groundtruth.txt is empty; expected groundtruth.txt of GOT-10k"),
            (write(BOXES, "\n"), "groundtruth.txt holds no boxes"),
            (write(BOXES, "1,2,3\n" * 10), "groundtruth.txt: line 1 has 3 numbers"),
            (write(BOXES, "1,2,3,4\n" * 9), "boxes for 9 frames, but 10 pictures"),
            (write(BOXES, "1,2,nan,4\n" * 10), "box 1 is 1,2,nan,4; expected four finite numbers"),
            (write(BOXES, "1,2,-3,4\n" * 10), "box 1 is 1,2,-3,4, which is reversed"),
            (remove(ABOUT), "There is no file .*meta_info.ini"),
            (write(ABOUT, "object_class: bear"), "lacks resolution and motion_class"),
            (
                write(ABOUT, "resolution: big\nobject_class: a\nmotion_class: b"),
                r"resolution in .* is 'big'; expected \(width, height\)",
            ),
        ],
    )
    def test_got10k(self, tmp_path, spoil, message) -> None:
        write_got10k(tmp_path)
        spoil(tmp_path)
        with pytest.raises(UserError, match=message):
            open_box_set(tmp_path, "got10k", "val")[0]

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (remove("youvis/caption.json"), "There is no file .*caption.json; .*put it there"),
            (remove("youvis/train/instances.json"), "There is no file .*instances.json"),
            (remove(ANNOTATED), "annotations_info_with_cat_emb.json; .* smcd-prepare .* youvis"),
            (write("youvis/caption.json", "{}"), "no caption of the video 00f88c4f0a, but None"),
            (write("youvis/train/instances.json", "{}"), "it lacks categories"),
            (write(ANNOTATED, "{}"), "video 00f88c4f0a has no annotations; expected those that"),
            (other_video, "video 00f88c4f0a has no annotations; expected those that"),
        ],
    )
    def test_youvis(self, tmp_path, spoil, message) -> None:
        write_youvis(tmp_path)
        spoil(tmp_path)
        with pytest.raises(UserError, match=message):
            open_box_set(tmp_path, "youvis", "train")[0]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"category_id": 7}, "its category 7 has no name"),
            ({"bboxes": [None] * 3}, "boxes for 3 frames, but 9 pictures"),
            ({"bboxes": [[1, 2, 3]] * 9}, r"box 1 is \[1, 2, 3\], not \[x, y, width, height\]"),
            ({"width": 0}, "height and width are"),
            ({"bboxes": [[1, 2, -3, 4]] * 9}, "box 1 is 1,2,-3,4, which is reversed"),
            ({"bboxes": [["1", 2, 3, 4]] * 9}, "box 1 is"),
        ],
    )
    def test_annotations(self, tmp_path, change, message) -> None:
        path = write_youvis(tmp_path, objects=1) / Path(ANNOTATED).name
        found = json.loads(path.read_text())
        found["00f88c4f0a"][0].update(change)
        write_json(path, found)
        with pytest.raises(UserError, match=message):
            open_box_set(tmp_path, "youvis", "train")[0]

    def test_folders(self, tmp_path) -> None:
        with pytest.raises(UserError, match="holds no folder got-10k or got10k"):
            open_box_set(tmp_path, "got10k", "val")
        write_got10k(tmp_path, {BEAR: 5})
        with pytest.raises(UserError, match="There is no folder .*test"):
            open_box_set(tmp_path, "got10k", "test")
        with pytest.raises(UserError, match="no usable video among 1 folders"):
            open_box_set(tmp_path, "got10k", "val")
        with pytest.raises(ValueError, match="Unknown data set 'lasot'"):
            open_box_set(tmp_path, "lasot", "val")
