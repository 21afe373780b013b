"""Poses as a file."""

import json
import logging
from pathlib import Path

import pytest
import torch

from fcvg_core.pose import Poses
from fcvg_core.standalone.poses_file import read_poses, write_poses

SIZE = (64, 128)


@pytest.fixture
def poses() -> Poses:
    generator = torch.Generator().manual_seed(1)
    return Poses(torch.rand(2, 134, 2, generator=generator),
                 torch.rand(2, 134, generator=generator))  # fmt: skip


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
    assert ("is for frames of 128 x 64 pixels" in caplog.text) == told


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "holds no poses"),
        ("[]", "is an empty list"),
        ("[1]", "holds no poses: Expected poses in OpenPose's form"),
        ('{"animals": []}', "hold animals"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "has 2 numbers"),
        ("\x00\x01", "holds no poses"),
    ],
)
def test_another_file(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=match):
        read_poses(tmp_path / "a.json", size=SIZE)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no file .*a.json"):
        read_poses(tmp_path / "a.json", size=SIZE)
    with pytest.raises(ValueError, match="holds no poses"):
        read_poses(tmp_path, size=SIZE)
