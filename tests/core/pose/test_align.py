"""A driving video's people on a reference picture."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays
from pose_cases import read_poses

from fcvg_core.pose import Poses, nobody
from fcvg_core.pose.align import (
    FIT_JOINTS,
    align_poses,
    follow_person,
    stack_padded,
)

SQUARE = {"driving_size": (100, 100), "reference_size": (100, 100)}


def person(seed: int = 0, *, at=(0.5, 0.5), size=(0.1, 0.3), unseen=()) -> Poses:
    """One person whose points lie around a place; the joints of `unseen` have low scores."""
    offsets = np.random.RandomState(seed).uniform(-1, 1, (1, 134, 2))
    scores = np.ones((1, 134))
    scores[:, list(unseen)] = 0.2
    return Poses(torch.from_numpy(np.array(at) + offsets * size), torch.from_numpy(scores))


def together(*people: Poses) -> Poses:
    return Poses(torch.cat([p.keypoints for p in people]), torch.cat([p.scores for p in people]))


def moved(poses: Poses, scale, shift) -> Poses:
    return Poses(
        poses.keypoints * torch.tensor(scale).double() + torch.tensor(shift).double(), poses.scores
    )


class TestStackPadded:
    def test_uneven(self) -> None:
        video = stack_padded([nobody(), together(person(1), person(2)), person(3)])
        assert video.keypoints.shape == (3, 2, 134, 2) and video.brightness.shape == (3, 2)
        assert (video.scores > 0).any(-1).tolist() == [[False] * 2, [True] * 2, [True, False]]
        assert torch.equal(video.keypoints[2, 0], person(3).keypoints[0])

    def test_keeps_brightness(self) -> None:
        dim = Poses(person().keypoints, person().scores, torch.tensor([0.5]))
        assert stack_padded([dim, together(dim, dim)]).brightness.tolist() == [[0.5, 1], [1, 1]]

    def test_nobody_at_all(self) -> None:
        assert stack_padded([nobody(), nobody()]).scores.shape == (2, 0, 134)

    def test_no_frame(self) -> None:
        with pytest.raises(ValueError, match="at least one frame"):
            stack_padded([])


class TestFollowPerson:
    def test_who_changes_places(self) -> None:
        """The dancer walks to the right; others come and go, and are listed first by turns."""
        dancer = [person(1, at=(0.2 + 0.02 * i, 0.5)) for i in range(10)]
        other = person(2, at=(0.8, 0.5))
        frames = [
            together(*((other, a) if i % 2 else (a, other)) if 2 <= i < 7 else (a,))
            for i, a in enumerate(dancer)
        ]
        followed = follow_person(frames)
        assert torch.equal(followed.keypoints, torch.stack([a.keypoints for a in dancer]))
        assert (followed.scores == 1).all()

    def test_absent_for_a_while(self) -> None:
        dancer = [person(1, at=(0.3 + 0.01 * i, 0.5)) for i in range(9)]
        passer = person(2, at=(0.9, 0.5))
        frames = [passer if 3 <= i < 6 else a for i, a in enumerate(dancer)]
        followed = follow_person(frames)
        assert (followed.scores > 0).any(-1).flatten().tolist() == [True] * 3 + [False] * 3 + [
            True
        ] * 3
        assert torch.equal(followed.keypoints[8], dancer[8].keypoints)

    def test_more_joints_win(self) -> None:
        half, whole = person(1, at=(0.2, 0.5), unseen=range(8, 18)), person(2, at=(0.8, 0.5))
        followed = follow_person([together(half, whole)] * 3)
        assert torch.equal(followed.keypoints, torch.stack([whole.keypoints] * 3))

    def test_the_larger_of_two(self) -> None:
        far, near = person(1, at=(0.2, 0.5), size=(0.02, 0.05)), person(1, at=(0.7, 0.5))
        followed = follow_person([together(far, near)] * 2)
        assert torch.equal(followed.keypoints[0], near.keypoints)

    def test_a_leap_is_somebody_else(self) -> None:
        """The person here for two frames is not the one there for three."""
        here, there = person(1, at=(0.1, 0.1), size=0.05), person(1, at=(0.9, 0.9), size=0.05)
        followed = follow_person([here, here, there, there, there])
        assert (followed.scores[:, 0, 0] > 0).tolist() == [False, False, True, True, True]

    def test_two_who_swap_their_numbers(self) -> None:
        """Nearest one by one would link both to the person in the middle."""
        a, b = person(1, at=(0.40, 0.5)), person(1, at=(0.50, 0.5))
        a1, b1 = person(1, at=(0.46, 0.5)), person(1, at=(0.56, 0.5))
        followed = follow_person([together(a, b), together(b1, a1), a1])
        assert torch.equal(followed.keypoints[0], a.keypoints)
        assert torch.equal(followed.keypoints[1], a1.keypoints)

    def test_nobody(self) -> None:
        followed = follow_person([nobody(), nobody()])
        assert followed.scores.shape == (2, 1, 134) and not followed.scores.any()

    def test_only_the_body_counts(self) -> None:
        """Somebody of whom only hands and face are seen is not linked, and does no harm."""
        hands = person(1, unseen=range(18))
        assert not follow_person([hands, hands]).scores.any()

    def test_no_frame(self) -> None:
        with pytest.raises(ValueError, match="at least one frame"):
            follow_person([])

    def test_a_video_as_frame(self) -> None:
        with pytest.raises(ValueError, match=r"got \[1, 1, 134\] in frame 1"):
            follow_person([person(), stack_padded([person()])])


class TestAlignPoses:
    @pytest.mark.parametrize("batched", [False, True])
    def test_by_hand(self, batched) -> None:
        """The reference is twice as wide as high, so x grows half as much as y."""
        reference = moved(person(), [1.0, 2.0], [-0.125, -0.25])
        driving = stack_padded([person(), person()])
        aligned = align_poses(
            driving,
            stack_padded([reference]) if batched else reference,
            driving_size=(100, 100),
            reference_size=(100, 200),
        )
        assert torch.allclose(aligned.keypoints[0], reference.keypoints, atol=1e-12)
        assert torch.equal(aligned.scores, driving.scores)

    def test_portrait_to_landscape(self) -> None:
        """In pixels a circle stays a circle."""
        driving_size, reference_size = (320, 180), (288, 512)
        reference = person(3, at=(0.6, 0.4), size=(0.05, 0.2))
        aligned = align_poses(
            stack_padded([person()]),
            reference,
            driving_size=driving_size,
            reference_size=reference_size,
        )
        before = np.ptp(person().keypoints[0].numpy(), axis=0) * driving_size[::-1]
        after = np.ptp(aligned.keypoints[0, 0].numpy(), axis=0) * reference_size[::-1]
        assert after[0] / before[0] == pytest.approx(after[1] / before[1], rel=1e-12)

    def test_everybody_moves_alike(self) -> None:
        driving = stack_padded([person(), together(person(), person(5))])
        reference = moved(person(), [0.5, 0.5], [0.1, 0.2])
        aligned = align_poses(driving, reference, **SQUARE)
        want = driving.keypoints * 0.5 + torch.tensor([0.1, 0.2])
        there = driving.scores > 0
        assert torch.allclose(aligned.keypoints[there], want[there], atol=1e-12)
        assert aligned.scores.shape == (2, 2, 134)

    def test_joints_not_found_do_not_count(self) -> None:
        """A wild point that the detector did not believe itself; the reference would use it."""
        clean = person()
        points, scores = clean.keypoints.clone(), clean.scores.clone()
        points[0, 10] = torch.tensor([0.0, 3.0])
        scores[0, 10] = 0.1
        driving = stack_padded([Poses(points, scores)])
        others = [i for i in range(134) if i != 10]
        aligned = align_poses(driving, clean, **SQUARE)
        assert torch.allclose(
            aligned.keypoints[0, 0, others], clean.keypoints[0, others], atol=1e-12
        )
        as_reference = align_poses(driving, clean, **SQUARE, min_score=-math.inf)
        assert not torch.allclose(as_reference.keypoints, aligned.keypoints, atol=1e-2)

    def test_joints_the_reference_hides_do_not_count(self) -> None:
        hidden = person(unseen=[9, 10, 12, 13])
        points = hidden.keypoints.clone()
        points[0, [9, 10, 12, 13]] = 0.9
        aligned = align_poses(stack_padded([person()]), Poses(points, hidden.scores), **SQUARE)
        assert torch.allclose(aligned.keypoints[0], person().keypoints, atol=1e-12)

    def test_no_frame_with_one_person(self) -> None:
        """The one who is there in all frames counts, whatever their number among the people."""
        dancer, near, far = (
            person(1, at=(0.3, 0.5)),
            person(2, at=(0.8, 0.5)),
            person(3, at=(0.6, 0.2)),
        )
        frames = [together(near, dancer), together(dancer, far), together(far, dancer)]
        aligned = align_poses(stack_padded(frames), moved(dancer, [0.5, 0.5], [0.2, 0.1]), **SQUARE)
        want = dancer.keypoints[0] * 0.5 + torch.tensor([0.2, 0.1])
        assert torch.allclose(aligned.keypoints[1, 0], want, atol=1e-12)

    def test_all_at_one_height(self) -> None:
        """Widths tell the size then: here both shrink to a half, in proportion."""
        lying = moved(person(), [1.0, 0.0], [0.0, 0.5])
        reference = moved(lying, [0.5, 1.0], [0.25, 0.25])
        aligned = align_poses(stack_padded([lying]), reference, **SQUARE)
        assert torch.allclose(aligned.keypoints[0], reference.keypoints, atol=1e-12)

    def test_upside_down(self) -> None:
        """The picture is not turned over; the widths are those of the reference."""
        reference = moved(person(), [0.5, -1.0], [0.0, 1.0])
        aligned = align_poses(stack_padded([person()]), reference, **SQUARE)
        before, after = person().keypoints[0], aligned.keypoints[0, 0]
        assert torch.allclose(after - after[0], (before - before[0]) * 0.5, atol=1e-12)

    @pytest.mark.parametrize("joint", [0, 17])
    def test_one_joint_in_common(self, joint) -> None:
        """It is put in place, and the size is kept."""
        alone = person(unseen=[i for i in range(18) if i != joint])
        aligned = align_poses(
            stack_padded([person()]), moved(alone, [1.0, 1.0], [0.1, -0.2]), **SQUARE
        )
        want = person().keypoints + torch.tensor([0.1, -0.2])
        assert torch.allclose(aligned.keypoints[0], want, atol=1e-12)

    def test_all_points_in_one_place(self) -> None:
        spot = moved(person(), [0.0, 0.0], [0.5, 0.5])
        aligned = align_poses(stack_padded([spot]), spot, **SQUARE)
        assert aligned.keypoints.eq(0.5).all()

    @pytest.mark.parametrize(
        ("driving", "reference", "message"),
        [
            (nobody(), person(), "the picture shows nose, neck, .*, the video nobody's"),
            (person(), nobody(), "the picture shows nobody's, the video nose, neck"),
            (
                person(unseen=[i for i in range(18) if i != 2]),
                person(unseen=[i for i in range(18) if i != 5]),
                "the picture shows left shoulder, the video right shoulder. Choose a picture",
            ),
            (person(unseen=FIT_JOINTS), person(), "share no joint to fit by"),
        ],
    )
    def test_nothing_in_common(self, driving, reference, message) -> None:
        with pytest.raises(ValueError, match=message):
            align_poses(stack_padded([driving]), reference, **SQUARE)

    @pytest.mark.parametrize(
        ("driving", "reference", "message"),
        [
            (person(), person(), r"with T > 0, got \[1, 134\]"),
            (Poses(torch.zeros(0, 1, 134, 2), torch.zeros(0, 1, 134)), person(), "with T > 0"),
            (stack_padded([person()]), stack_padded([person()] * 2), "one reference picture"),
        ],
    )
    def test_wrong_shapes(self, driving, reference, message) -> None:
        with pytest.raises(ValueError, match=message):
            align_poses(driving, reference, **SQUARE)

    def test_wrong_size(self) -> None:
        with pytest.raises(ValueError, match=r"at least 1 x 1 pixel, got \(0, 9\)"):
            align_poses(
                stack_padded([person()]), person(), driving_size=(0, 9), reference_size=(9, 9)
            )

    def test_inputs_stay(self) -> None:
        driving, reference = stack_padded([person()]), moved(person(), [0.5, 0.5], [0.0, 0.0])
        before = driving.keypoints.clone()
        align_poses(driving, reference, **SQUARE)
        assert torch.equal(driving.keypoints, before)

    def test_golden(self, golden: Path) -> None:
        """The official functions on six frames, one of two people (measured: 7e-16)."""
        case = load_arrays(golden / "dwpose" / "rescale.npz")
        numbers = range(sum(key.endswith("_faces") and key.startswith("in") for key in case))
        frames = [read_poses(case, f"in{i}_") for i in numbers]
        want = stack_padded([read_poses(case, f"out{i}_", scored_by=f"in{i}_") for i in numbers])
        aligned = align_poses(
            stack_padded(frames),
            read_poses(case, "ref_"),
            driving_size=tuple(case["video_hw"]),
            reference_size=tuple(case["ref_hw"]),
            min_score=-math.inf,
        )
        there = want.scores > 0
        assert there.sum() > 800
        assert (aligned.keypoints - want.keypoints)[there].abs().max() < 1e-12

    @pytest.mark.parametrize("seed", range(3))
    def test_against_polyfit(self, seed) -> None:
        """The fit as numpy does it, on people with a few unsure joints and clean frames."""
        rough = np.random.RandomState(seed)
        reference = moved(person(), [0.6, 0.7], [0.1, 0.2])
        frames = [
            moved(person(unseen=[i]), rough.uniform(0.9, 1.1, 2), rough.uniform(-0.1, 0.1, 2))
            for i in range(4)
        ]
        aligned = align_poses(
            stack_padded(frames), reference, driving_size=(320, 180), reference_size=(288, 512)
        )
        pairs = [
            (*frame.keypoints[0, j].tolist(), *reference.keypoints[0, j].tolist())
            for frame in frames
            for j in FIT_JOINTS
            if frame.scores[0, j] > 0.3
        ]
        x, y, ref_x, ref_y = np.array(pairs).T
        ay, by = np.polyfit(y, ref_y, 1)
        ax = ay / (320 / 180 / 288 * 512)
        want = frames[1].keypoints[0].numpy() * (ax, ay) + (np.mean(ref_x - ax * x), by)
        assert np.allclose(aligned.keypoints[1, 0].numpy(), want, atol=1e-12)
