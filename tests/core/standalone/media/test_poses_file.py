"""Poses as a file."""

import json
import logging
from pathlib import Path

import pytest
import torch

from fcvg_core.pose import Poses
from fcvg_core.standalone.media.poses_file import read_poses, write_poses

SIZE = (64, 128)


@pytest.fixture
def poses() -> Poses:
    generator = torch.Generator().manual_seed(1)
    return Poses(
        torch.rand(2, 134, 2, generator=generator), torch.rand(2, 134, generator=generator)
    )


def test_round_trip(tmp_path: Path, poses: Poses) -> None:
    write_poses(tmp_path / "a.json", poses, SIZE)
    back = read_poses(tmp_path / "a.json", size=SIZE)
    assert torch.equal(back.keypoints, poses.keypoints)
    assert torch.equal(back.scores, poses.scores)


def test_a_list_of_frames(tmp_path: Path, poses: Poses) -> None:
    path = tmp_path / "a.json"
    write_poses(path, poses, SIZE)
    frames = [json.loads(path.read_text()), {"people": []}]
    path.write_text(json.dumps(frames))
    assert read_poses(path, size=SIZE).num_people == 2
    assert read_poses(path, size=SIZE, frame=-1).num_people == 0


@pytest.mark.parametrize(("size", "told"), [((128, 256), False), ((128, 128), True)])
def test_another_shape(tmp_path: Path, poses: Poses, caplog, size: tuple, told: bool) -> None:
    caplog.set_level(logging.WARNING)
    write_poses(tmp_path / "a.json", poses, SIZE)
    read_poses(tmp_path / "a.json", size=size)
    assert ("a.json: poses of a canvas of 128 x 64 are stretched to" in caplog.text) == told


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"a\.json is empty; expected poses in OpenPose's format"),
        ("[" * 100_000, r"a\.json is not JSON .*nested too deeply"),
        ('{"people": [], "canvas_width": 1e400}', r"a\.json is not JSON .*too large"),
        (
            '{"people": [], "canvas_height": 1000000, "canvas_width": 1000000}',
            r"a\.json does not hold poses: .* 1000000 and 1000000; expected whole numbers .*65536",
        ),
        ("[]", "is an empty list"),
        ("[1]", "does not hold poses: Expected poses in OpenPose's format"),
        ('{"animals": []}', "contain animals"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "has 2 numbers"),
        ("\x00\x01", r"a\.json is not JSON"),
    ],
)
def test_another_file(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=match):
        read_poses(tmp_path / "a.json", size=SIZE)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no file .*a.json"):
        read_poses(tmp_path / "a.json", size=SIZE)
    with pytest.raises(ValueError, match="is a folder, a pipe or a device; expected poses"):
        read_poses(tmp_path, size=SIZE)


def test_with_a_byte_order_mark(tmp_path: Path, poses: Poses) -> None:
    write_poses(tmp_path / "a.json", poses, SIZE)
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.json").read_bytes())
    assert torch.equal(read_poses(tmp_path / "a.json", size=SIZE).keypoints, poses.keypoints)


def test_what_is_left_out_is_logged_with_the_file(tmp_path: Path, poses: Poses, caplog) -> None:
    write_poses(tmp_path / "a.json", poses, SIZE)
    found = json.loads((tmp_path / "a.json").read_text())
    for person in found["people"]:
        person["face_keypoints_2d"] = [1.0] * 207
    (tmp_path / "a.json").write_text(json.dumps(found))
    read_poses(tmp_path / "a.json", size=SIZE)
    assert "a.json: face_keypoints_2d has 207 numbers" in caplog.text
    assert len(caplog.records) == 1
