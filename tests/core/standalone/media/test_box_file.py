"""Files of boxes, their labels, and the folder that the official code of SMCD takes."""

import json
import logging

import numpy as np
import pytest
from PIL import Image

from fcvg_core.boxes import BoxReading
from fcvg_core.errors import UserError
from fcvg_core.standalone.media.box_file import find_boxes, find_picture, read_all, read_tracks

READING = BoxReading(label="dog", size=(100, 200), num_frames=2)
PROMPT = "a dog that runs"


@pytest.fixture
def files(tmp_path):
    """bbox.txt, and boxes.json with a label of its own."""
    lines, values = tmp_path / "bbox.txt", tmp_path / "boxes.json"
    lines.write_text("0,0,20,50\n20,0,40,50\n", "utf-8")
    track = {"label": "cat", "boxes": [[0, 0, 1, 1]]}
    values.write_text(json.dumps({"version": 1, "frames": 1, "tracks": [track]}), "utf-8")
    return lines, values


def test_a_file(files, tmp_path) -> None:
    (track,) = read_tracks(files[0], READING).tracks
    assert track.label == "dog" and np.allclose(track.boxes[0], [0, 0, 0.1, 0.5])
    ground_truth = tmp_path / "groundtruth.txt"  # of GOT-10k: x,y,w,h
    ground_truth.write_text("10,0,20,50\n" * 2, "utf-8")
    assert np.allclose(read_tracks(ground_truth, READING).tracks[0].boxes[0], [0.05, 0, 0.15, 0.5])


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (None, [PROMPT, "cat"]),
        (["dog"], ["dog", "cat"]),
        (["dog", ""], ["dog", "cat"]),
        (["", "cat"], [PROMPT, "cat"]),
    ],
)
def test_labels(files, caplog, labels, found) -> None:
    caplog.set_level(logging.INFO)
    tracks = read_all(files, labels, READING, prompt=f"  {PROMPT} ")
    assert tracks.labels == found and tracks.num_frames == 2
    assert ("boxes.json has labels of its own" in caplog.text) == (labels == ["dog"])
    assert ("the prompt stands for the object" in caplog.text) == (PROMPT in found)


def test_a_long_prompt(files) -> None:
    """Its beginning stands for the object, up to a whole word if there is one."""
    for prompt, length in (("long " * 60, 199), ("x" * 300, 200)):
        (label,) = read_all(files[:1], None, READING, prompt=prompt).labels
        assert prompt.startswith(label) and len(label) == length


def test_no_files() -> None:
    assert read_all((), None, READING, prompt="a").tracks == ()


@pytest.mark.parametrize(
    ("count", "labels", "prompt", "message"),
    [
        (1, None, " ", "need a label: give --label with what the object is, for example"),
        (1, ["a", "b"], "", "Found 2 labels for 1 files"),
        (0, ["a"], "", "The label 'a' has no boxes"),
    ],
)
def test_labels_that_are_wrong(files, count, labels, prompt, message) -> None:
    with pytest.raises(UserError, match=message):
        read_all(files[:count], labels, READING, prompt=prompt)


def test_files_that_are_wrong(tmp_path) -> None:
    with pytest.raises(UserError, match="There is no file .*gone.txt"):
        read_tracks(tmp_path / "gone.txt", READING)
    with pytest.raises(UserError, match="expected a file of boxes"):
        read_tracks(tmp_path, READING)
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(2**26 + 1)
    with pytest.raises(UserError, match="has more than 64 MiB; expected a file of boxes"):
        read_tracks(tmp_path / "large.txt", READING)


def test_the_folder(files, tmp_path, caplog) -> None:
    with pytest.raises(UserError, match="has no img.png; expected a picture"):
        find_picture(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "IMG.JPG")
    assert find_picture(tmp_path).name == "IMG.JPG"
    assert find_boxes(tmp_path) == (files[0],)
    files[0].unlink()
    assert find_boxes(tmp_path) == (files[1],)
    files[1].unlink()
    assert find_boxes(tmp_path) == () and "has no bbox.txt and no boxes.json" in caplog.text
    Image.new("RGB", (9, 9)).save(tmp_path / "img.webp")
    with pytest.raises(UserError, match="IMG.JPG, img.webp; expected a picture"):
        find_picture(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "img.png")
    assert find_picture(tmp_path).name == "img.png"
    for find in (find_picture, find_boxes):
        with pytest.raises(UserError, match="There is no folder .*gone"):
            find(tmp_path / "gone")
