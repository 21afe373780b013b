"""People as the official code draws them, pixel by pixel."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays
from pose_cases import read_poses

from fcvg_core.errors import UserError
from fcvg_core.pose import STYLES, Poses, PoseStyle, draw_poses, nobody, stack_frames
from fcvg_core.pose.skeleton import BODY, FACE, LEFT_HAND, RIGHT_HAND

EXACT = {"min_point_score": -torch.inf}  # the official code draws what it did not find in black
FCVG, CONTROLNEXT = STYLES["fcvg"], STYLES["controlnext-svd-v2"]


def one(x: float = 0.5, score: float = 1.0) -> Poses:
    keypoints = torch.zeros(1, 1, 134, 2)
    keypoints[..., 0] = x
    keypoints[..., 1] = torch.linspace(0.1, 0.9, 134)
    return Poses(keypoints, torch.full((1, 1, 134), score))


class TestGolden:
    def test_styles(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "draw.npz")
        names = [key.removesuffix("_fcvg") for key in case if key.endswith("_fcvg")]
        assert names
        for name in names:
            poses = stack_frames([read_poses(case, f"{name}_")])
            for suffix, style in (("fcvg", FCVG), ("controlnext", CONTROLNEXT)):
                expected = case[f"{name}_{suffix}"]
                drawn = draw_poses(poses, expected.shape[:2], style=replace(style, **EXACT))[0]
                assert (drawn == expected).all(), (name, suffix)

    def test_aligned(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "rescale.npz")
        for number, expected in zip(case["draw_frames"], case["draw"], strict=True):
            poses = stack_frames([read_poses(case, f"out{number}_", scored_by=f"in{number}_")])
            drawn = draw_poses(poses, expected.shape[:2], style=replace(CONTROLNEXT, **EXACT))[0]
            assert (drawn == expected).all(), number


class TestDrawPoses:
    def test_nobody(self) -> None:
        frames = draw_poses(stack_frames([nobody()] * 3), (6, 8), style=FCVG)
        assert frames.shape == (3, 6, 8, 3) and frames.dtype == np.uint8 and not frames.any()

    @pytest.mark.parametrize("size", [(1, 1), (1, 400), (7, 5), (2160, 3840)])
    def test_any_size(self, size: tuple[int, int]) -> None:
        frames = draw_poses(one(), size, style=FCVG)
        assert frames.shape == (1, *size, 3) and (frames.any() or min(size) < 100)

    @pytest.mark.parametrize("score", [0.0, -1.0])
    def test_what_was_not_found_is_not_drawn(self, score: float) -> None:
        assert not draw_poses(one(score=score), (288, 512), style=FCVG).any()

    @pytest.mark.parametrize(
        ("part", "min_joint_score"),
        [(BODY, 2.0), (slice(0, 1), 0.3), (LEFT_HAND, 0.3), (slice(93, 94), 0.3), (FACE, 0.3)],
        ids=["limbs", "joints", "fingers", "points of a hand", "face"],
    )
    def test_a_person_that_fades(self, part: slice, min_joint_score: float) -> None:
        levels = []
        for brightness in (1.0, 0.5, 0.0):
            pose = one(score=0.0)
            pose.scores[..., part] = 1.0
            faded = Poses(pose.keypoints, pose.scores, torch.full((1, 1), brightness))
            style = replace(FCVG, min_joint_score=min_joint_score)
            levels.append(int(draw_poses(faded, (2160, 2160), style=style).max()))
        assert levels[0] > levels[1] > levels[2] == 0
        assert levels[1] == pytest.approx(levels[0] / 2, abs=2)

    def test_the_left_hand_comes_first(self) -> None:
        """Where both are, the right one is seen."""
        pose = one(score=0.0)
        pose.scores[..., LEFT_HAND], pose.scores[..., RIGHT_HAND] = 1.0, 0.5
        pose.keypoints[..., RIGHT_HAND, :] = pose.keypoints[..., LEFT_HAND, :]
        assert draw_poses(pose, (2160, 2160), style=FCVG).max() == 127

    def test_very_long_frames_need_little_memory(self) -> None:
        """Drawn on a canvas of at most 16384 columns, not of 2160 rows and 4 million columns."""
        frames = draw_poses(one(), (4, 8000), style=FCVG)
        assert frames.shape == (1, 4, 8000, 3)
        columns = np.flatnonzero(frames.any(axis=(0, 1, 3)))
        assert columns.mean() == pytest.approx(4000, abs=40)

    def test_who_is_gone_hides_nobody(self) -> None:
        pose = one()
        alone = draw_poses(pose, (288, 512), style=FCVG)
        twice = Poses(
            pose.keypoints.repeat(1, 2, 1, 1), pose.scores.repeat(1, 2, 1), torch.tensor([[1.0, 0]])
        )
        assert (draw_poses(twice, (288, 512), style=FCVG) == alone).all()

    @pytest.mark.parametrize("far", [-1e30, 1e30, 3e9, -5.0])
    def test_far_outside(self, far: float) -> None:
        pose = one()
        pose.keypoints[..., ::3, :] = far
        assert draw_poses(pose, (32, 32), style=FCVG).shape == (1, 32, 32, 3)

    @pytest.mark.parametrize("far", [-1e30, 1e30, 3e9, -5.0])
    def test_points_far_outside_are_left_out(self, far: float) -> None:
        """Of the face: nothing joins its points."""
        pose = one(score=0.0)
        pose.scores[..., FACE] = 1.0
        without = one(score=0.0)
        without.scores[..., FACE] = 1.0
        pose.keypoints[..., ::3, :], without.scores[..., ::3] = far, 0.0
        drawn, wanted = (draw_poses(x, (2160, 2160), style=FCVG) for x in (pose, without))
        assert drawn.any() and (drawn == wanted).all()

    def test_red_and_blue(self) -> None:
        """The right shoulder's limb is blue, as FCVG was trained; OpenPose's is red."""
        pose = one(score=0.0)
        pose.scores[..., [1, 2]] = 1.0
        frame = draw_poses(pose, (288, 512), style=replace(FCVG, min_joint_score=2.0))[0]
        assert frame[..., 2].any() and not frame[..., :2].any()

    @pytest.mark.parametrize(
        ("poses", "size", "match"),
        [(nobody(), (8, 8), r"scores \[T, P, 134\]"), (one(), (0, 8), "at least 1 x 1 pixel")],
    )
    def test_error(self, poses: Poses, size: tuple, match: str) -> None:
        with pytest.raises(ValueError, match=match):
            draw_poses(poses, size, style=FCVG)


class TestColors:
    def lit(self, part: list[int] | slice, colors: str, score: float = 1.0, **style) -> np.ndarray:
        """The brightest pixel of each channel, where only some points of somebody are seen."""
        pose = one(score=0.0)
        pose.scores[..., part] = score
        drawn = draw_poses(pose, (2160, 2160), style=replace(FCVG, **style).colored(colors))
        return drawn.reshape(-1, 3).max(0)

    @pytest.mark.parametrize(
        ("joint", "color"),
        [(0, (255, 0, 0)), (1, (255, 85, 0)), (5, (85, 255, 0)), (17, (255, 0, 85))],
    )
    def test_joints(self, joint: int, color: tuple[int, int, int]) -> None:
        """OpenPose's nose is red; red and blue are exchanged in FCVG's colours."""
        part = slice(joint, joint + 1)
        assert tuple(self.lit(part, "openpose")) == color
        assert tuple(self.lit(part, "fcvg")) == color[::-1]
        assert tuple(self.lit(part, "white")) == (255, 255, 255)

    def test_limbs_are_darker_than_joints(self) -> None:
        only_limbs = {"min_joint_score": 2.0}
        assert self.lit([1, 2], "openpose", **only_limbs).tolist() == [153, 0, 0]
        assert self.lit([1, 2], "fcvg", **only_limbs).tolist() == [0, 0, 153]
        assert self.lit([1, 2], "white", **only_limbs).tolist() == [255, 255, 255]

    @pytest.mark.parametrize(
        ("part", "openpose"),
        [(slice(92, 93), (0, 0, 255)), (slice(113, 114), (0, 0, 255)), (FACE, (255, 255, 255))],
        ids=["left hand", "right hand", "face"],
    )
    def test_points_of_hands_and_face(self, part: slice, openpose: tuple[int, int, int]) -> None:
        assert tuple(self.lit(part, "openpose")) == openpose
        assert tuple(self.lit(part, "white")) == (255, 255, 255)

    def test_fingers_are_white_too(self) -> None:
        drawn = draw_poses(one(), (576, 576), style=FCVG.colored("white"))
        assert drawn.any() and (drawn == drawn[..., :1]).all()

    @pytest.mark.parametrize("colors", ["openpose", "white"])
    def test_an_uncertain_point_is_as_bright_as_others(self, colors: str) -> None:
        for part in (slice(0, 1), slice(92, 93), slice(24, 25)):
            assert (self.lit(part, colors, 0.4) == self.lit(part, colors)).all()
            assert not self.lit(part, colors, 0.29).any()
            assert self.lit(part, "fcvg", 0.4).max() == 102

    def test_who_fades_is_dark(self) -> None:
        faded = Poses(one().keypoints, one().scores, torch.full((1, 1), 0.5))
        assert draw_poses(faded, (2160, 2160), style=FCVG.colored("white")).max() == 127

    def test_unknown(self) -> None:
        with pytest.raises(UserError, match="no colors 'red'; expected fcvg, openpose, white"):
            FCVG.colored("red")

    def test_those_of_the_training_change_nothing(self) -> None:
        assert FCVG.colored("fcvg") == FCVG


class TestPoseStyle:
    def test_scaled(self) -> None:
        assert FCVG.scaled(2) == PoseStyle(
            limb_width=16, hand_width=8, joint_radius=8, face_radius=6
        )
        assert FCVG.scaled(0.01).face_radius == 1 and FCVG.scaled(1) == FCVG

    def test_wider_lines(self) -> None:
        lit = [
            np.count_nonzero(draw_poses(one(), (288, 512), style=FCVG.scaled(f))) for f in (1, 3)
        ]
        assert lit[1] > lit[0]
