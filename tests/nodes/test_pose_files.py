"""Poses as files: what Save Pose JSON writes and what Load Pose JSON reads."""

import json
import logging
from pathlib import Path

import pytest
import torch

BODY = [n for i in range(18) for n in (50.0 + i, 20.0 + 12 * i, 1.0)]
PERSON = {"pose_keypoints_2d": BODY, "face_keypoints_2d": None}
FRAME = {"people": [PERSON], "canvas_width": 512, "canvas_height": 288}
EMPTY = {"people": [], "canvas_width": 512, "canvas_height": 288}


@pytest.fixture
def folders(host, tmp_path, monkeypatch) -> Path:
    """A folder with the host's folders `input` and `output`."""
    import folder_paths

    for name in ("input", "output"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def load_poses(node_classes, folders):
    """Write a file into the input folder and load it."""

    def read(content, width: int = 0, height: int = 0) -> list:
        text = content if isinstance(content, str) else json.dumps(content)
        (folders / "input" / "a.json").write_text(text, encoding="utf-8")
        node = node_classes["FCVG_LoadPoses"]
        return node.execute("a.json", width, height).args[0]

    return read


def save(node_classes, poses):
    return node_classes["FCVG_SavePoses"].execute(poses, "shots/poses")


class TestSave:
    @pytest.mark.parametrize("count", [1, 3])
    def test_comes_back(self, node_classes, folders, load, load_poses, caplog, count):
        caplog.set_level(logging.INFO)
        random = torch.Generator().manual_seed(0)
        core = load("fcvg_core.pose")
        points = torch.rand(count, 2, 134, 2, generator=random)
        poses = core.Poses(points, torch.rand(count, 2, 134, generator=random))
        frames = [core.to_openpose(poses.frame(i), (288, 512)) for i in range(count)]
        result = save(node_classes, frames)
        assert result.args[0] == frames
        (file,) = result.ui["files"]
        path = folders / "output" / file["subfolder"] / file["filename"]
        assert path.parent.name == "shots" and f"Saved as output/shots/{path.name}" in caplog.text
        assert isinstance(json.loads(path.read_text()), list if count > 1 else dict)
        read = load_poses(path.read_text())
        assert read == frames
        for number, frame in enumerate(read):
            assert torch.equal(core.from_openpose(frame).keypoints, poses.frame(number).keypoints)

    def test_no_file_is_overwritten(self, node_classes, folders):
        names = {save(node_classes, [FRAME]).ui["files"][0]["filename"] for _ in range(3)}
        assert len(names) == len(list((folders / "output" / "shots").iterdir())) == 3

    def test_the_command_line_reads_and_writes_the_same(
        self, node_classes, folders, load, load_poses
    ):
        file = load("fcvg_core.standalone.media.poses_file")
        (saved,) = save(node_classes, [FRAME]).ui["files"]
        people = file.read_poses(folders / "output" / "shots" / saved["filename"], size=(288, 512))
        assert people.num_people == 1
        file.write_poses(folders / "cli.json", people, (288, 512))
        (frame,) = load_poses((folders / "cli.json").read_text())
        assert frame["people"][0]["pose_keypoints_2d"] == pytest.approx(BODY)
        (saved,) = save(node_classes, [frame]).ui["files"]
        again = (folders / "output" / "shots" / saved["filename"]).read_bytes()
        assert again == (folders / "cli.json").read_bytes()

    def test_from_another_pack(self, node_classes, folders, load_poses):
        """Arrays, absent parts, and keys that only the other pack knows."""
        other = {**FRAME, "people": [{"pose_keypoints_2d": torch.tensor(BODY), "id": 7}], "fps": 8}
        (saved,) = save(node_classes, [other]).ui["files"]
        (frame,) = load_poses((folders / "output" / "shots" / saved["filename"]).read_text())
        assert frame["fps"] == 8 and frame["people"][0]["id"] == 7
        assert frame["people"][0]["pose_keypoints_2d"] == BODY

    @pytest.mark.parametrize(
        ("poses", "message"),
        [
            ([], "poses is an empty list"),
            ([{"animals": []}], r"poses does not hold poses \(frame 1\): .*animals"),
            ("text", "poses is text, but not JSON"),
        ],
    )
    def test_what_is_no_pose(self, node_classes, folders, poses, message):
        with pytest.raises(ValueError, match=message):
            save(node_classes, poses)
        assert not list((folders / "output").iterdir())


class TestLoad:
    def test_absent_parts_are_zeros(self, load_poses):
        """So other nodes draw what earlier versions and other packs have written."""
        (frame,) = load_poses(FRAME)
        (person,) = frame["people"]
        assert person["pose_keypoints_2d"] == BODY and person["face_keypoints_2d"] == [0.0] * 210
        for side in ("left", "right"):
            assert person[f"hand_{side}_keypoints_2d"] == [0.0] * 63

    def test_says_how_many(self, load_poses, caplog):
        caplog.set_level(logging.INFO)
        assert len(load_poses([FRAME, EMPTY, FRAME])) == 3
        assert "Poses of 1 person in frames 1, 3; nobody in frame 2." in caplog.text

    def test_a_size_that_the_file_does_not_say(self, load_poses, caplog):
        """OpenPose's own program writes none."""
        bare = {"version": 1.3, "people": [PERSON]}
        assert "canvas_width" not in load_poses(bare)[0]
        assert "set width and height" in caplog.text
        caplog.clear()
        (frame,) = load_poses(bare, 512, 288)
        assert (frame["canvas_width"], frame["canvas_height"]) == (512, 288) and not caplog.text
        assert load_poses(FRAME, 64, 32)[0]["canvas_width"] == 512  # the file knows better
        with pytest.raises(ValueError, match="Set both width and height"):
            load_poses(bare, 512)

    def test_drawn(self, node_classes, load_poses):
        """A file goes where poses of Extract Poses go."""
        poses = load_poses([FRAME, EMPTY])
        given = {"num_frames": 4, "timing": "uniform", "custom_times": "", "style": "fcvg"}
        given |= {"missing_joints": "hide", "missing_people": "fade", "pose_width": 1.0}
        frames, _ = (
            node_classes["FCVG_DrawPoses"]
            .execute(first_pose=poses, last_pose=poses, width=0, height=0, **given)
            .args
        )
        assert frames[0].any() and not frames[-1].any()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", r"a\.json is empty; expected poses in OpenPose's format"),
            ("{", r"a\.json is not JSON"),
            ('{"animals": []}', r"a\.json does not hold poses \(frame 1\): .*contain animals"),
            ('[{"people": []}, 5]', r"a\.json does not hold poses \(frame 2\)"),
            ('{"version": 1, "matches": []}', "contain version, matches but not `people`"),
        ],
    )
    def test_another_file(self, load_poses, text, message):
        with pytest.raises(ValueError, match=message):
            load_poses(text)

    def test_no_file(self, node_classes, folders):
        node = node_classes["FCVG_LoadPoses"]
        for name in ("none.json", "../secret.json"):
            assert "choose a file of the list" in node.validate_inputs(file=name)
        assert node.validate_inputs() is True
        with pytest.raises(ValueError, match="choose a file of the list"):
            node.execute("none.json", 0, 0)

    def test_a_file_that_was_replaced(self, node_classes, folders, load_poses):
        node = node_classes["FCVG_LoadPoses"]
        load_poses(FRAME)
        before = node.fingerprint_inputs(file="a.json", width=0, height=0)
        assert node.fingerprint_inputs(file="a.json", width=0, height=0) == before
        load_poses([FRAME, FRAME])
        assert node.fingerprint_inputs(file="a.json", width=0, height=0) != before


@pytest.mark.seam
def test_through_a_server(server):
    """A file is loaded and saved; a name that is in no list is refused before the run."""
    path = server.base / "input" / "poses of a server.json"
    path.write_text(json.dumps([FRAME, FRAME]), encoding="utf-8")
    prompt = {
        "1": {
            "class_type": "FCVG_LoadPoses",
            "inputs": {"file": path.name, "width": 0, "height": 0},
        },
        "2": {
            "class_type": "FCVG_SavePoses",
            "inputs": {"poses": ["1", 0], "filename_prefix": "saved"},
        },
    }
    outputs = server.run(prompt)["outputs"]
    (file,) = outputs["2"]["files"]
    assert file["type"] == "output" and file["filename"].endswith(".json")
    saved = json.loads(server.read(f"/view?filename={file['filename']}&type=output"))
    assert [frame["people"][0]["pose_keypoints_2d"] for frame in saved] == [BODY, BODY]
    prompt["1"]["inputs"]["file"] = "none.json"
    with pytest.raises(AssertionError, match="choose a file of the list"):
        server.run(prompt)
