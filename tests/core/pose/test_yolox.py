"""Boxes around people."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from golden_cases import load_arrays
from pose_cases import detector, detector_cases

from fcvg_core.pose.yolox import (
    INPUT,
    PADDING,
    decode_boxes,
    find_people,
    letterbox,
    suppress_overlaps,
)


class TestFindPeople:
    def test_golden(self, golden: Path) -> None:
        assert detector_cases(golden)
        for path in detector_cases(golden):
            case = load_arrays(path)
            boxes = find_people(detector(golden, path.name).boxes, case["image"])
            assert boxes.shape == case["det_boxes"].shape, path.name
            assert np.allclose(boxes, case["det_boxes"], rtol=0, atol=0.1), path.name

    def test_boxes_that_are_no_numbers(self) -> None:
        rows = np.zeros((1, 8400, 85), np.float32)
        rows[0, :, 4:6], rows[0, :, 2] = 1.0, 1000.0
        model = SimpleNamespace(run=lambda blob: [rows])
        assert find_people(model, np.zeros((8, 8, 3), np.uint8)).shape == (0, 4)

    @pytest.mark.parametrize("size", [(1, 1), (1, 3000), (2000, 3)])
    def test_any_size(self, size: tuple[int, int]) -> None:
        """The network's box of 8 pixels around (12, 12), in the pixels of the frame."""
        rows = np.zeros((1, 8400, 85), np.float32)
        rows[0, 81, :2], rows[0, 81, 4:6] = 0.5, 1.0  # 81: see `test_by_hand` of the boxes
        blobs = []
        model = SimpleNamespace(run=lambda blob: blobs.append(blob) or [rows])
        boxes = find_people(model, np.zeros((*size, 3), np.uint8))
        pixel = max(size) / INPUT  # of the network's input, in the frame
        assert boxes == pytest.approx(np.array([[8, 8, 16, 16]]) * pixel, rel=1e-6)
        assert blobs[0].shape == (1, 3, INPUT, INPUT)

    @pytest.mark.parametrize("size", [(1, 1), (1, 3000), (2000, 3)])
    def test_smoke_of_the_real_input(self, own_golden: Path, size: tuple[int, int]) -> None:
        """onnxruntime takes what such frames become."""
        frame = np.zeros((*size, 3), np.uint8)
        assert len(find_people(detector(own_golden, "dwpose_odd.npz").boxes, frame)) == 2


class TestLetterbox:
    def test_golden(self, golden: Path) -> None:
        for path in detector_cases(golden):
            case = load_arrays(path)
            blob, ratio = letterbox(case["image"])
            assert ratio == case["det_ratio"]
            assert hashlib.sha256(blob.tobytes()).hexdigest() == case["det_blob_sha256"], path.name

    def test_by_hand(self) -> None:
        blob, ratio = letterbox(np.full((INPUT, 2 * INPUT, 3), (10, 20, 30), np.uint8))
        assert ratio == 0.5 and blob.shape == (3, INPUT, INPUT)
        assert (blob[:, : INPUT // 2] == np.array([10, 20, 30]).reshape(3, 1, 1)).all()
        assert (blob[:, INPUT // 2 :] == PADDING).all()


class TestDecodeBoxes:
    def test_golden(self, golden: Path) -> None:
        for path in detector_cases(golden):
            case = load_arrays(path)
            if not len(case["det_cand_index"]):
                continue
            rows = np.zeros((8400, 85), np.float32)
            rows[case["det_cand_index"], :6] = case["det_raw_top"]
            boxes = decode_boxes(rows)[case["det_cand_index"]] / case["det_ratio"]
            assert np.allclose(boxes, case["det_cand_xyxy"], rtol=0, atol=1e-3), path.name

    def test_by_hand(self) -> None:
        rows = np.zeros((8400, 85), np.float32)
        rows[81] = 0.5  # second row and column of the finest grid, of 80 cells
        half = np.exp(0.5) * 8 / 2
        expected = [12 - half, 12 - half, 12 + half, 12 + half]
        assert decode_boxes(rows)[81] == pytest.approx(expected)


class TestSuppressOverlaps:
    def test_golden(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "nms.npz")
        kept = suppress_overlaps(case["boxes"], case["scores"][:, 0], 0.45)
        assert kept == case["keep_class0"].tolist()

    def test_the_surest_stays(self) -> None:
        boxes = np.array([[0, 0, 9, 9], [1, 0, 10, 9], [20, 20, 29, 29]], np.float32)
        assert suppress_overlaps(boxes, np.array([0.5, 0.9, 0.4]), 0.45) == [1, 2]

    @pytest.mark.parametrize(("shift", "kept"), [(3.6, 2), (3.2, 1)])
    def test_where_two_become_one(self, shift: float, kept: int) -> None:
        """Of 10 pixels: 6.4 of 13.6 in common are 0.47, 6.8 of 13.2 are 0.52."""
        boxes = np.array([[0, 0, 9, 9], [shift, 0, shift + 9, 9]], np.float32)
        assert len(suppress_overlaps(boxes, np.array([0.5, 0.9]), 0.5)) == kept

    def test_none(self) -> None:
        assert suppress_overlaps(np.zeros((0, 4)), np.zeros(0), 0.45) == []
