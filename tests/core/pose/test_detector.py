"""Frame -> people."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from golden_cases import load_arrays
from pose_cases import detector, detector_cases, read_poses

from fcvg_core.errors import UserError
from fcvg_core.pose import STYLES, draw_poses, open_dwpose, stack_frames
from fcvg_core.pose.detector import order_points
from fcvg_core.pose.onnx_model import CPU, PROVIDERS
from fcvg_core.pose.rtmpose import find_keypoints
from fcvg_core.pose.skeleton import BODY, FACE, LEFT_HAND, RIGHT_HAND


class TestPoseDetector:
    def test_golden(self, golden: Path) -> None:
        assert detector_cases(golden)
        for path in detector_cases(golden):
            case = load_arrays(path)
            height, width = case["image"].shape[:2]
            poses = detector(golden, path.name)(case["image"])
            points = poses.keypoints.numpy() * (width, height)
            expected = [case["kp134"]]
            if "cv4_kp133" in case:
                expected.append(order_points(case["cv4_kp133"], case["score133"])[0])
            shares = [(np.abs(points - e).max(-1) < 1e-3).mean() for e in expected]
            assert max(shares) >= 0.97, path.name
            assert np.allclose(poses.scores, case["score134"], rtol=0, atol=1.5e-3), path.name

    def test_drawn(self, golden: Path) -> None:
        """From the official code's own points, so that no rounding of the crops gets in between."""
        for path in detector_cases(golden):
            case = load_arrays(path)
            frames = stack_frames([read_poses(case)])
            style = replace(STYLES["fcvg"], min_point_score=-torch.inf)
            drawn = draw_poses(frames, case["image"].shape[:2], style=style)[0]
            assert (drawn == case["draw"]).all(), path.name

    @pytest.mark.parametrize("case", ["dwpose_none.npz", "dwpose_notperson.npz"])
    def test_nobody(self, own_golden: Path, case: str) -> None:
        frame = load_arrays(own_golden / "dwpose" / case)["image"]
        assert detector(own_golden, case, whole_frame=False)(frame).num_people == 0
        assert detector(own_golden, case, whole_frame=True)(frame).num_people == 1

    @pytest.mark.parametrize(
        "frame", [np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8)), np.zeros((0, 8, 3), np.uint8)]
    )
    def test_no_frame(self, own_golden: Path, frame: np.ndarray) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            detector(own_golden, "dwpose_none.npz")(frame)

    @pytest.mark.parametrize("size", [(1, 1), (6, 3)])
    def test_the_whole_frame_is_the_box(self, own_golden: Path, size: tuple[int, int]) -> None:
        found, frame = detector(own_golden, "dwpose_none.npz"), np.full((*size, 3), 9, np.uint8)
        poses = found(frame)
        height, width = size
        points, scores = order_points(
            *find_keypoints(found.points, frame, np.array([[0.0, 0.0, width, height]]))
        )
        assert poses.num_people == 1 and (poses.scores.numpy() == scores).all()
        assert (poses.keypoints.numpy() == points / (width, height)).all()

    def test_released(self, own_golden: Path) -> None:
        frame = load_arrays(own_golden / "dwpose" / "dwpose_synth.npz")["image"]
        found = detector(own_golden, "dwpose_synth.npz")
        before = found(frame)
        found.release()
        assert found.boxes._session is None and found.points._session is None
        assert (found(frame).keypoints == before.keypoints).all()


class TestOrderPoints:
    def test_golden(self, golden: Path) -> None:
        for path in detector_cases(golden):
            case = load_arrays(path)
            points, scores = order_points(case["kp133"], case["score133"])
            assert (points == case["kp134"]).all() and (scores == case["score134"]).all()
            poses = read_poses(case)
            relative = points / case["image"].shape[1::-1]
            for part in (BODY, FACE, LEFT_HAND, RIGHT_HAND):
                assert np.allclose(poses.keypoints[:, part], relative[:, part], rtol=0, atol=1e-12)

    def test_the_neck_needs_both_shoulders(self) -> None:
        scores = np.full((1, 133), 0.9)
        scores[0, 5] = 0.3
        assert order_points(np.zeros((1, 133, 2)), scores)[1][0, 1] == 0


class TestOpenDwpose:
    CUDA = PROVIDERS[0]

    @pytest.fixture
    def files(self, own_golden: Path) -> tuple[str, str]:
        return tuple(str(own_golden / "dwpose" / name) for name in ("det_two.onnx", "pose_a.onnx"))

    @pytest.fixture
    def opened(self) -> list:
        """What the networks were opened on, and "room" where room was made before."""
        return []

    def open(self, files, opened: list, **more):
        """With an onnxruntime that was built for CUDA, and opens everything on the CPU."""
        real = pytest.importorskip("onnxruntime")

        def open_session(file: str, *, providers: list):
            opened.append(providers)
            return real.InferenceSession(file, providers=[CPU])

        fake = SimpleNamespace(
            get_available_providers=lambda: [self.CUDA, CPU], InferenceSession=open_session
        )
        given = {"device_index": 1, "cpu_only": False, "whole_frame": True, **more}
        return open_dwpose(fake, files, make_room=lambda: opened.append("room"), **given)

    def test_on_a_gpu(self, files, opened, monkeypatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        detector = self.open(files, opened)
        assert opened[:2] == ["room", [(self.CUDA, {"device_id": 1}), CPU]]
        assert detector.whole_frame and detector.boxes.name == files[0]

    @pytest.mark.parametrize(("cuda", "cpu_only"), [(False, False), (True, True)])
    def test_on_the_cpu_no_room_is_made(self, files, opened, monkeypatch, cuda, cpu_only) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        self.open(files, opened, cpu_only=cpu_only)
        assert opened == [[CPU], [CPU]]

    def test_exchanged_files(self, files, opened) -> None:
        with pytest.raises(UserError, match="pose_a.onnx is a different network"):
            self.open(files[::-1], opened)
