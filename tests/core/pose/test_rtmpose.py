"""Points of people in boxes."""

from pathlib import Path

import numpy as np
import pytest
from golden_cases import load_arrays
from pose_cases import detector, detector_cases

from fcvg_core.pose.rtmpose import (
    HEIGHT,
    WIDTH,
    cut_out,
    decode_simcc,
    find_keypoints,
    plan_crops,
    to_frame,
)


def agreement(points: np.ndarray, case: dict[str, np.ndarray]) -> float:
    """Share of the points that are the official code's, with the nearer one of two OpenCVs."""
    expected = [case[key] for key in ("kp133", "cv4_kp133") if key in case]
    return max(float((np.abs(points - e).max(-1) < 1e-3).mean()) for e in expected)


class TestFindKeypoints:
    def test_golden(self, golden: Path) -> None:
        assert detector_cases(golden)
        for path in detector_cases(golden):
            case = load_arrays(path)
            model = detector(golden, path.name).points
            points, scores = find_keypoints(model, case["image"], case["boxes_used"])
            assert agreement(points, case) >= 0.97, path.name
            bins = case["crop_scale"][:, None] / (2 * WIDTH, 2 * HEIGHT)
            assert (np.abs(points - case["kp133"]) <= bins * 1.01 + 1e-3).all(), path.name
            assert np.allclose(scores, case["score133"], rtol=0, atol=1.5e-3), path.name

    def test_all_people_in_one_call(self, own_golden: Path) -> None:
        case = load_arrays(own_golden / "dwpose" / "dwpose_odd.npz")
        model = detector(own_golden, "dwpose_odd.npz").points
        batches = []
        run = model.run
        model.run = lambda values: batches.append(len(values)) or run(values)
        boxes = np.concatenate([case["det_boxes"]] * 3)
        points, _ = find_keypoints(model, case["image"], boxes)
        assert batches == [len(boxes)] and (points[:2] == points[-2:]).all()

    def test_nobody(self) -> None:
        points, scores = find_keypoints(None, np.zeros((8, 8, 3), np.uint8), np.zeros((0, 4)))
        assert points.shape == (0, 133, 2) and scores.shape == (0, 133)

    @pytest.mark.parametrize(
        ("box", "middle", "crop"),
        [
            ([0, 0, 0, 0], 0.0, (0.001, 0.001 * 4 / 3)),
            ([5, 5, 4, 4], 4.5, (0.001, 0.001 * 4 / 3)),
            ([-900, -900, 9000, 9000], 4050.0, (9900 * 1.25, 9900 * 1.25 * 4 / 3)),
        ],
    )
    def test_odd_boxes(self, own_golden: Path, box: list, middle: float, crop: tuple) -> None:
        """Every point lies in the crop, or half a pixel of the network outside it."""
        model = detector(own_golden, "dwpose_odd.npz").points
        frame = np.full((8, 8, 3), 128, np.uint8)
        points, scores = find_keypoints(model, frame, np.array([box], np.float64))
        reach = np.array(crop) / 2 + np.array(crop) / (WIDTH, HEIGHT)
        assert (np.abs(points - middle) <= reach).all()
        assert np.ptp(points[0], axis=0) == pytest.approx(np.array(crop) * 0.9, rel=0.15)
        assert scores.max() > 0.9


class TestPlanCrops:
    def test_golden(self, golden: Path) -> None:
        for path in detector_cases(golden):
            case = load_arrays(path)
            crops = plan_crops(case["boxes_used"])
            assert np.allclose(crops.center, case["crop_center"], rtol=0, atol=1e-9)
            assert np.allclose(crops.scale, case["crop_scale"], rtol=0, atol=1e-9)
            # The official code solves for it in float32.
            assert np.allclose(crops.matrix, case["crop_matrix"], rtol=0, atol=1e-3), path.name


class TestCutOut:
    def test_golden(self, golden: Path) -> None:
        for path in detector_cases(golden):
            case = load_arrays(path)
            crops = np.stack([cut_out(case["image"], matrix) for matrix in case["crop_matrix"]])
            difference = np.abs(crops[:, ::4, ::4].astype(int) - case["crop_sub4"])
            # OpenCV 4 works with whole numbers here, OpenCV 5 is exact.
            assert difference.max() <= 3 and (difference > 0).mean() <= 0.06, path.name


class TestDecodeSimcc:
    def test_golden(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "simcc_decode.npz")
        points, scores = decode_simcc(case["simcc_x"], case["simcc_y"])
        assert (points == case["keypoints"]).all() and (scores == case["scores"]).all()
        size = tuple(case["model_wh"].tolist())
        placed = to_frame(points, case["center"], case["scale"], size)
        assert np.allclose(placed, case["image_keypoints"], rtol=0, atol=1e-9)

    def test_by_hand(self) -> None:
        x, y = np.zeros((1, 2, 8)), np.zeros((1, 2, 8))
        x[0, 0, 3], y[0, 0, 6] = 0.9, 0.4
        points, scores = decode_simcc(x, y)
        assert points.tolist() == [[[1.5, 3.0], [-0.5, -0.5]]] and scores.tolist() == [[0.4, 0.0]]
