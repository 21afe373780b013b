import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import fill
from safetensors.torch import load_file

from fcvg_core.lines.superpoint import (
    SuperPoint,
    find_keypoints,
    sample_descriptors,
    suppress_neighbours,
)

FOLDER = Path(os.environ.get("FCVG_GOLDEN") or Path(__file__).parents[2] / "golden") / "gluestick"
CASES = [path for path in sorted(FOLDER.glob("*.json")) if path.stem.startswith("superpoint")]


@pytest.fixture(scope="module", params=CASES, ids=[path.stem for path in CASES])
def case(request):
    """What a golden case says, its tensors, and the network that it fills."""
    config = json.loads(request.param.read_text(encoding="utf-8"))["config"]
    network = SuperPoint()
    weights = fill({k: tuple(v.shape) for k, v in network.state_dict().items()}, config)
    for suffix, factor in config["scale"].items():
        for key in weights:
            if key.endswith(suffix):
                weights[key] *= np.float32(factor)
    network.load_state_dict(weights)
    return config, load_file(request.param.with_suffix(".safetensors")), network.eval()


@torch.no_grad()
@pytest.mark.parametrize("prefix", ["", "odd_"])
def test_golden(case, prefix):
    config, tensors, network = case
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
            scores[0], dense[0],
            max_keypoints=len(expected) if suffix else -1,
            threshold=config["detection_threshold"],
        )  # fmt: skip
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
