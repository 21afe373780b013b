"""The type of people, and which of their points are seen."""

import pytest
import torch

from fcvg_core.pose import Poses, is_seen, nobody, stack_frames


def person(people: int = 1) -> Poses:
    return Poses(torch.full((people, 134, 2), 0.5), torch.ones(people, 134))


class TestPoses:
    def test_defaults(self) -> None:
        poses = person(2)
        assert poses.num_people == 2 and poses.brightness.tolist() == [1, 1]
        assert poses.keypoints.dtype == torch.float64

    def test_free_of_nan(self) -> None:
        keypoints, scores = torch.full((1, 134, 2), 0.5), torch.ones(1, 134)
        keypoints[0, 3, 1], scores[0, 5] = torch.nan, torch.inf
        poses = Poses(keypoints, scores, torch.tensor([torch.nan]))
        assert poses.scores[0, [3, 5]].tolist() == [0, 0] and poses.scores.sum() == 132
        assert poses.keypoints.isfinite().all() and poses.brightness.tolist() == [0]
        assert keypoints[0, 3].isnan().any()  # what came in stays as it was

    @pytest.mark.parametrize(
        ("keypoints", "scores", "match"),
        [
            ((1, 133, 2), (1, 133), r"keypoints \[\.\.\., P, 134, 2\], got \[1, 133, 2\]"),
            ((134, 2), (134,), "keypoints"),
            ((1, 134, 2), (2, 134), r"scores \[1, 134\], got \[2, 134\]"),
        ],
    )
    def test_shapes(self, keypoints: tuple, scores: tuple, match: str) -> None:
        with pytest.raises(ValueError, match=match):
            Poses(torch.zeros(keypoints), torch.zeros(scores))

    def test_brightness_shape(self) -> None:
        with pytest.raises(ValueError, match="brightness"):
            Poses(torch.zeros(1, 134, 2), torch.zeros(1, 134), torch.ones(2))

    def test_people_and_frames(self) -> None:
        keypoints = torch.arange(6.0).reshape(2, 3, 1, 1).expand(2, 3, 134, 2) / 6
        brightness = torch.tensor([0.1, 0.2, 0.3])
        video = stack_frames([Poses(k, torch.ones(3, 134), brightness) for k in keypoints])
        assert torch.equal(video.keypoints, keypoints.double())
        chosen = video.people([2, 0])
        assert torch.equal(chosen.keypoints, keypoints[:, [2, 0]].double())
        assert torch.equal(chosen.brightness, brightness[[2, 0]].double().expand(2, 2))
        assert chosen.scores.shape == (2, 2, 134)
        assert torch.equal(video.frame(1).keypoints, keypoints[1].double())


class TestStackFrames:
    @pytest.mark.parametrize("frames", [[], [person(1), nobody()]])
    def test_error(self, frames: list) -> None:
        with pytest.raises(ValueError, match="same number of people in all frames"):
            stack_frames(frames)


def test_is_seen() -> None:
    scores = torch.full((1, 134), 0.3, dtype=torch.float64)
    scores[0, 0], scores[0, 50], scores[0, 51] = 0.31, 0.0, -0.1
    seen = is_seen(Poses(torch.zeros(1, 134, 2), scores))[0]
    assert seen[:24].nonzero().flatten().tolist() == [0]  # body and feet: above 0.3
    assert seen[24:].sum() == 108  # face and hands: above 0
