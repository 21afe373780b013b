"""SuperPoint against the official code, and its parts by hand."""

import json

import pytest
import torch
from gluestick_cases import cases, load, weights
from torch.nn import functional as F

from fcvg_core.lines import superpoint
from fcvg_core.lines.superpoint import (
    SuperPoint,
    find_keypoints,
    sample_descriptors,
    suppress_neighbours,
)


@pytest.fixture(scope="module", params=cases("superpoint"), ids=lambda path: path.stem)
def case(request):
    """What a golden case says, its tensors, and the network that it fills."""
    config, tensors = load(request.param)
    network = SuperPoint()
    network.load_state_dict(weights("superpoint", config))
    return config, tensors, network.eval()


@torch.no_grad()
@pytest.mark.parametrize("prefix", ["", "odd_"])
def test_golden(case, prefix):
    config, tensors, network = case
    if f"{prefix}image" not in tensors:
        pytest.skip("not in this case")
    scores, dense = network(tensors[f"{prefix}image"][None, None] / 255)
    close = {"rtol": 0, "atol": 1e-5}
    torch.testing.assert_close(scores, tensors[f"{prefix}dense_scores"], **close)
    if f"{prefix}nms_scores" in tensors:
        peaks = suppress_neighbours(scores[0])
        assert torch.equal(peaks > 0, tensors[f"{prefix}nms_scores"][0] > 0)
        torch.testing.assert_close(dense, tensors[f"{prefix}dense_descriptors"], **close)
    for suffix in ("", "_top"):
        if f"{prefix}keypoints{suffix}" not in tensors:
            continue
        expected = tensors[f"{prefix}keypoints{suffix}"][0]
        found = find_keypoints(
            scores[0],
            dense[0],
            max_keypoints=len(expected) if suffix else -1,
            threshold=config["detection_threshold"],
        )
        assert torch.equal(found.points, expected)
        wanted = tensors[f"{prefix}keypoint_scores{suffix}"][0]
        torch.testing.assert_close(found.scores, wanted, **close)
        sampled = sample_descriptors(found.dense, found.points)
        torch.testing.assert_close(sampled, tensors[f"{prefix}descriptors{suffix}"][0], **close)


def test_names_are_the_checkpoints(own_golden):
    names = json.loads((own_golden / "gluestick" / "keys.json").read_text())["superpoint"]
    assert {k: list(v.shape) for k, v in SuperPoint().state_dict().items()} == names


class TestFindKeypoints:
    def test_nothing_to_find(self):
        found = find_keypoints(torch.zeros(16, 24), torch.ones(4, 2, 3), max_keypoints=10)
        assert found.points.shape == (0, 2)
        assert sample_descriptors(found.dense, found.points).shape == (4, 0)

    def test_border_and_neighbours(self):
        scores = torch.zeros(32, 32)
        scores[10, 12], scores[11, 13], scores[2, 20], scores[20, 20] = 0.9, 0.8, 0.7, 0.5
        found = find_keypoints(scores, torch.ones(4, 4, 4), max_keypoints=-1)
        assert found.points.tolist() == [[12.0, 10.0], [20.0, 20.0]]

    def test_best_come_first_where_there_are_more(self):
        scores = torch.zeros(32, 32)
        scores[8, 8], scores[20, 20], scores[8, 24] = 0.3, 0.9, 0.6
        found = find_keypoints(scores, torch.ones(4, 4, 4), max_keypoints=2)
        assert found.points.tolist() == [[20.0, 20.0], [24.0, 8.0]]


class TestSuppressNeighbours:
    @pytest.mark.parametrize("size", [(8, 8), (16, 40), (33, 5)])
    def test_equals_max_pooling(self, size):
        scores = torch.rand(size, generator=torch.Generator().manual_seed(0))
        scores = (scores * 50).round() / 50  # with ties
        assert torch.equal(suppress_neighbours(scores), self.by_pooling(scores))

    @staticmethod
    def by_pooling(scores):
        def pool(x):
            return F.max_pool2d(x[None], 9, stride=1, padding=4)[0]

        kept = scores == pool(scores)
        for _ in range(2):
            near = pool(kept.float()) > 0
            rest = scores.masked_fill(near, 0)
            kept = kept | ((rest == pool(rest)) & ~near)
        return scores.masked_fill(~kept, 0)


class TestSampleDescriptors:
    def test_middle_of_a_cell(self):
        dense = F.normalize(torch.rand(4, 3, 5, generator=torch.Generator().manual_seed(0)), dim=0)
        found = sample_descriptors(dense, torch.tensor([[3.5, 3.5]]))
        torch.testing.assert_close(found[:, 0], dense[:, 0, 0])

    def test_far_outside(self):
        found = sample_descriptors(torch.ones(4, 3, 5), torch.tensor([[-500.0, 0.0]]))
        assert torch.equal(found, torch.zeros(4, 1))


@torch.no_grad()
def test_half_precision_gives_float32():
    torch.manual_seed(0)
    exact, half = SuperPoint(), SuperPoint(dtype=torch.bfloat16)
    half.load_state_dict(exact.state_dict())
    image = torch.rand(1, 1, 64, 72)
    (scores, dense), wanted = half(image), exact(image)
    assert scores.dtype == dense.dtype == torch.float32
    torch.testing.assert_close(scores, wanted[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(dense, wanted[1], rtol=0, atol=1e-2)


@torch.no_grad()
@pytest.mark.parametrize("size", [(16, 16), (65, 64), (97, 70), (98, 8), (131, 40)])
def test_bands_change_nothing(monkeypatch, size):
    torch.manual_seed(0)
    network, image = SuperPoint(), torch.rand(1, 1, *size)
    expected = network(image)
    monkeypatch.setattr(superpoint, "BAND_PIXELS", 0)
    for found, wanted in zip(network(image), expected, strict=True):
        assert found.shape[-2:] == wanted.shape[-2:]
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
