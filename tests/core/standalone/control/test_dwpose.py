"""Whether and how people are looked for."""

import logging
import shutil
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from golden_cases import load_arrays
from pose_cases import detector

from fcvg_core.pose import to_openpose
from fcvg_core.standalone.control.dwpose import choose_pose_finder, load_detector, need_detector
from fcvg_core.standalone.media.poses_file import write_poses

SIZE = (64, 128)


@pytest.fixture
def files(own_golden: Path) -> tuple[Path, Path]:
    return own_golden / "dwpose" / "det_two.onnx", own_golden / "dwpose" / "pose_a.onnx"


@pytest.fixture(autouse=True)
def no_folder(monkeypatch) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)


def options(**given) -> Namespace:
    return Namespace(
        **{
            "poses": None,
            "dwpose_det": None,
            "dwpose_pose": None,
            "whole_frame": False,
            "device": "cpu",
            **given,
        }
    )


class TestChoosePoseFinder:
    def test_named_files(self, files, own_golden) -> None:
        case = load_arrays(own_golden / "dwpose" / "dwpose_odd.npz")
        find = choose_pose_finder(options(dwpose_det=files[0], dwpose_pose=files[1]), SIZE)
        first, last = find((case["image"], case["image"]))
        expected = detector(own_golden, "dwpose_odd.npz")(case["image"])
        for poses in (first, last):
            assert to_openpose(poses, SIZE) == to_openpose(expected, SIZE)
        assert first.num_people == 2

    def test_memory_is_given_back(self, files, monkeypatch) -> None:
        import fcvg_core.standalone.control.dwpose as module

        opened = []
        load = module.load_detector
        monkeypatch.setattr(
            module, "load_detector", lambda *a, **k: opened.append(load(*a, **k)) or opened[0]
        )
        find = choose_pose_finder(options(dwpose_det=files[0], dwpose_pose=files[1]), SIZE)
        find((np.zeros((*SIZE, 3), np.uint8),) * 2)
        assert opened[0].boxes._session is None and opened[0].points._session is None
        with pytest.raises(ValueError, match="expected a frame"):
            find((np.zeros((*SIZE, 3), np.uint8), np.zeros((*SIZE, 3))))
        assert opened[0].boxes._session is None and opened[0].points._session is None

    def test_files_of_the_folder(self, files, tmp_path, monkeypatch) -> None:
        for source, name in zip(files, ("yolox_l.onnx", "dw-ll_ucoco_384.onnx"), strict=True):
            shutil.copy(source, tmp_path / name)
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        assert choose_pose_finder(options(), SIZE) is not None
        assert choose_pose_finder(options(poses=False), SIZE) is None

    def test_no_files(self, caplog) -> None:
        caplog.set_level(logging.INFO)
        assert choose_pose_finder(options(), SIZE) is None
        assert "People are not looked for" in caplog.text
        with pytest.raises(ValueError, match=r"DWPose needs two files: yolox_l.onnx .*DWPose"):
            need_detector(options())

    def test_one_file(self, files) -> None:
        with pytest.raises(ValueError, match="DWPose needs two files: name them with --dwpose-det"):
            choose_pose_finder(options(dwpose_det=files[0]), SIZE)

    def test_given_poses(self, own_golden, tmp_path) -> None:
        image = load_arrays(own_golden / "dwpose" / "dwpose_synth.npz")["image"]
        poses = detector(own_golden, "dwpose_synth.npz")(image)
        write_poses(tmp_path / "a.json", poses, SIZE)
        (tmp_path / "b.json").write_text('{"people": []}')
        find = choose_pose_finder(options(poses=[tmp_path / "a.json", tmp_path / "b.json"]), SIZE)
        first, last = find((np.zeros((*SIZE, 3), np.uint8),) * 2)
        assert (first.keypoints == poses.keypoints).all() and last.num_people == 0


class TestLoadDetector:
    @pytest.mark.parametrize("which", [0, 1])
    def test_missing_file(self, files, tmp_path, which) -> None:
        given = list(files)
        given[which] = tmp_path / "none.onnx"
        with pytest.raises(ValueError, match="There is no file .*none.onnx"):
            load_detector(tuple(given), device="cpu", whole_frame=False)

    @pytest.mark.parametrize("content", [b"", b"not a network", None])
    def test_broken_file(self, files, tmp_path, content) -> None:
        broken = tmp_path / "cut.onnx"
        broken.write_bytes(files[1].read_bytes()[:20000] if content is None else content)
        with pytest.raises(ValueError, match="cut.onnx can't be opened as an ONNX network"):
            load_detector((files[0], broken), device="cpu", whole_frame=False)

    def test_exchanged_files(self, files) -> None:
        with pytest.raises(ValueError) as error:
            load_detector(files[::-1], device="cpu", whole_frame=False)
        assert str(error.value) == (
            f"{files[1]} is a different network: it maps [any, 3, 384, 288] to [any, 133, 576] and "
            "[any, 133, 768] in tensor(float), but [1, 3, 640, 640] to [1, 8400, 85] in "
            "tensor(float) is needed."
        )

    def test_no_onnxruntime(self, files, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(ValueError, match="pip install onnxruntime-gpu, or onnxruntime"):
            load_detector(files, device="cpu", whole_frame=False)

    def test_no_such_device(self, files) -> None:
        with pytest.raises(ValueError, match="There is no device 'nonsense'"):
            load_detector(files, device="nonsense", whole_frame=False)

    @pytest.mark.parametrize("device", ["cpu", "auto"])
    def test_without_a_card_nothing_is_tried(self, files, caplog, device) -> None:
        caplog.set_level(logging.INFO)
        found = load_detector(files, device=device, whole_frame=False)
        assert found.boxes.device is found.points.device
        assert "Poses are detected on: CPU." in caplog.text and "does not work" not in caplog.text
