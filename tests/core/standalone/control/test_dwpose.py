"""Whether and how people are looked for."""

import logging
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays
from pose_cases import detector

from fcvg_core.catalogue.comfyui import known_folders
from fcvg_core.pose import to_openpose
from fcvg_core.standalone.control.dwpose import load_detector, need_detector, open_pose_finder
from fcvg_core.standalone.spec import PoseChoice

SIZE = (64, 128)


@pytest.fixture
def files(own_golden: Path) -> tuple[Path, Path]:
    return own_golden / "dwpose" / "det_two.onnx", own_golden / "dwpose" / "pose_a.onnx"


@pytest.fixture(autouse=True)
def no_folder(monkeypatch) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)


CPU = {"device": torch.device("cpu"), "cpu_only": True}


def choose(opening=open_pose_finder, **given):
    return opening(PoseChoice(**given), known_folders(), **CPU)


class TestOpenPoseFinder:
    def test_named_files(self, files, own_golden) -> None:
        case = load_arrays(own_golden / "dwpose" / "dwpose_odd.npz")
        find = choose(dwpose_det=files[0], dwpose_pose=files[1])
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
        find = choose(dwpose_det=files[0], dwpose_pose=files[1])
        find((np.zeros((*SIZE, 3), np.uint8),) * 2)
        assert opened[0].boxes._session is None and opened[0].points._session is None
        with pytest.raises(ValueError, match="expected a frame"):
            find((np.zeros((*SIZE, 3), np.uint8), np.zeros((*SIZE, 3))))
        assert opened[0].boxes._session is None and opened[0].points._session is None

    def test_files_of_the_folder(self, files, tmp_path, monkeypatch) -> None:
        for source, name in zip(files, ("yolox_l.onnx", "dw-ll_ucoco_384.onnx"), strict=True):
            shutil.copy(source, tmp_path / name)
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        assert choose() is not None

    def test_no_files(self, caplog) -> None:
        caplog.set_level(logging.INFO)
        assert choose() is None
        assert "No poses are detected" in caplog.text and "models --get" in caplog.text
        with pytest.raises(ValueError, match=r"DWPose needs two files: yolox_l.onnx .*DWPose"):
            choose(need_detector)

    def test_one_file(self, files) -> None:
        with pytest.raises(ValueError, match="DWPose needs two files: name them with --dwpose-det"):
            choose(dwpose_det=files[0])


class TestLoadDetector:
    @pytest.mark.parametrize("which", [0, 1])
    def test_missing_file(self, files, tmp_path, which) -> None:
        given = list(files)
        given[which] = tmp_path / "none.onnx"
        with pytest.raises(ValueError, match="There is no file .*none.onnx"):
            load_detector(tuple(given), **CPU, whole_frame=False)

    @pytest.mark.parametrize("content", [b"", b"not a network", None])
    def test_broken_file(self, files, tmp_path, content) -> None:
        broken = tmp_path / "cut.onnx"
        broken.write_bytes(files[1].read_bytes()[:20000] if content is None else content)
        with pytest.raises(ValueError, match="cut.onnx can't be opened as an ONNX network"):
            load_detector((files[0], broken), **CPU, whole_frame=False)

    def test_exchanged_files(self, files) -> None:
        with pytest.raises(ValueError) as error:
            load_detector(files[::-1], **CPU, whole_frame=False)
        assert str(error.value) == (
            f"{files[1]} is a different network: it maps [any, 3, 384, 288] to [any, 133, 576] and "
            "[any, 133, 768] in tensor(float), but [1, 3, 640, 640] to [1, 8400, 85] in "
            "tensor(float) is needed."
        )

    def test_no_onnxruntime(self, files, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(ValueError, match="pip install onnxruntime-gpu, or onnxruntime"):
            load_detector(files, **CPU, whole_frame=False)

    @pytest.mark.parametrize("cpu_only", [True, False])
    def test_without_a_card_nothing_is_tried(self, files, caplog, cpu_only) -> None:
        caplog.set_level(logging.INFO)
        device = torch.device("cpu")
        found = load_detector(files, device=device, cpu_only=cpu_only, whole_frame=False)
        assert found.boxes.device is found.points.device
        assert "Poses are detected on: CPU." in caplog.text and "does not work" not in caplog.text
