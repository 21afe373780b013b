"""Segments and keypoints joined to a wireframe."""

import numpy as np
import pytest
import torch
from gluestick_cases import cases, load, weights

from fcvg_core.lines import LineSegments, Wireframe
from fcvg_core.lines.superpoint import Keypoints, SuperPoint, find_keypoints
from fcvg_core.lines.wireframe import build_wireframe, cluster_points, near_points

CLOSE = {"rtol": 0, "atol": 1e-5}


@pytest.fixture(scope="module", params=cases("wireframe"), ids=lambda path: path.stem)
def case(request):
    return load(request.param)


def no_segments() -> LineSegments:
    return LineSegments(torch.zeros(0, 2, 2), torch.zeros(0))


def keypoints(points: list) -> Keypoints:
    points = torch.tensor(points, dtype=torch.float32).reshape(-1, 2)
    return Keypoints(points, torch.full((len(points),), 0.5), torch.ones(4, 10, 10) / 2)


class TestGolden:
    def check(self, found: Wireframe, tensors: dict) -> None:
        assert torch.equal(found.line_points, tensors["lines_junc_idx"][0])
        assert len(found.points) == tensors["keypoints"].shape[1]
        for name, theirs in (
            ("points", "keypoints"),
            ("scores", "keypoint_scores"),
            ("descriptors", "descriptors"),
            ("lines", "lines"),
            ("line_scores", "line_scores"),
        ):
            torch.testing.assert_close(getattr(found, name), tensors[theirs][0], **CLOSE)

    def test_given_keypoints(self, case):
        _, tensors = case
        seen = Keypoints(
            *(tensors[f"sp_{n}"][0] for n in ("keypoints", "keypoint_scores", "all_descriptors"))
        )
        segments = LineSegments(tensors["in_lines"][0], tensors["in_line_scores"][0])
        self.check(build_wireframe(segments, seen, tuple(tensors["image"].shape)), tensors)

    @torch.no_grad()
    def test_own_keypoints(self, case):
        config, tensors = case
        network = SuperPoint()
        network.load_state_dict(weights("superpoint", config))
        scores, dense = network(tensors["image"][None, None] / 255)
        seen = find_keypoints(
            scores[0],
            dense[0],
            max_keypoints=config["max_num_keypoints"],
            threshold=config["detection_threshold"],
        )
        segments = LineSegments(tensors["in_lines"][0], tensors["in_line_scores"][0])
        self.check(build_wireframe(segments, seen, tuple(tensors["image"].shape)), tensors)

    def test_clusters(self, case):
        _, tensors = case
        for key in (key for key in tensors if key.startswith("cluster_points_")):
            labels = cluster_points(tensors[key].numpy())
            expected = tensors[key.replace("points", "labels")].numpy()
            assert np.array_equal(labels, expected), key


class TestBuildWireframe:
    def test_corner_becomes_one_junction(self):
        lines = torch.tensor([[[10.0, 10], [40, 10]], [[42, 10], [42, 60]]])
        found = build_wireframe(
            LineSegments(lines, torch.tensor([2.0, 1.0])), keypoints([[70, 70], [41, 13]]), (80, 80)
        )
        assert found.line_points.tolist() == [[0, 1], [1, 2]]
        assert found.points.tolist() == [[10, 10], [41, 10], [42, 60], [70, 70]]
        torch.testing.assert_close(found.scores, torch.tensor([1.0, 0.75, 0.5, 0.5]))
        assert found.lines.tolist() == [[[10, 10], [41, 10]], [[41, 10], [42, 60]]]

    def test_collapsed_segment_stays(self):
        segments = LineSegments(torch.tensor([[[10.0, 10], [12, 10]]]), torch.ones(1))
        found = build_wireframe(segments, keypoints([]), (80, 80))
        assert found.line_points.tolist() == [[0, 0]] and len(found.points) == 1

    @pytest.mark.parametrize("points", [[], [[20, 20]]])
    def test_no_segments(self, points):
        found = build_wireframe(no_segments(), keypoints(points), (80, 80))
        assert found.points.tolist() == points
        assert found.lines.shape == (0, 2, 2) and found.line_points.shape == (0, 2)
        assert found.descriptors.shape == (4, len(points))

    def test_inputs_are_left_alone(self):
        segments = LineSegments(torch.tensor([[[10.0, 10], [40, 10]]]), torch.tensor([3.0]))
        build_wireframe(segments, keypoints([[10, 10]]), (80, 80))
        assert segments.scores.tolist() == [3.0]


def test_cluster_points_chain_and_radius():
    points = np.array([[0.0, 0], [9, 0], [3, 0], [6, 0], [12.01, 0], [0, 50]], np.float32)
    assert cluster_points(points).tolist() == [0, 0, 0, 0, 1, 2]
    assert cluster_points(np.zeros((0, 2))).tolist() == []


def test_near_points_is_strict():
    points = torch.tensor([[4.0, 0], [3.9, 0]])
    assert near_points(points, torch.zeros(1, 2), 4.0).tolist() == [False, True]
    assert near_points(points, torch.zeros(0, 2), 4.0).tolist() == [False, False]
