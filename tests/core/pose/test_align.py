"""A driving video's people on a reference picture."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays
from pose_cases import moved, person, read_poses, together

from fcvg_core.pose import Poses, nobody
from fcvg_core.pose.align import FIT_JOINTS, align_poses, drive_reference, smooth_poses
from fcvg_core.pose.follow import stack_padded

SQUARE = {"driving_size": (100, 100), "reference_size": (100, 100)}


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
        """A wild point that the detector did not believe itself; the official code would use it."""
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

    @pytest.mark.parametrize("height", [0.0, 0.001])
    def test_all_at_one_height(self, height) -> None:
        """Widths tell the size then; the reference is half as wide, on a frame twice as wide."""
        lying = moved(person(), [1.0, height], [0.0, 0.5])
        reference = moved(lying, [0.5, 3.0], [0.25, -0.75])
        aligned = align_poses(
            stack_padded([lying]), reference, driving_size=(100, 100), reference_size=(100, 200)
        )
        x, y = aligned.keypoints[0, 0].unbind(-1)
        assert torch.allclose(x, reference.keypoints[0, :, 0], atol=1e-12)
        before = lying.keypoints[0, :, 1]
        assert torch.allclose(y - y[0], before - before[0], atol=1e-12)

    def test_brightness_stays(self) -> None:
        dim = Poses(person().keypoints, person().scores, torch.tensor([0.5]))
        assert align_poses(stack_padded([dim]), person(), **SQUARE).brightness.eq(0.5).all()

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
            (nobody(), person(), "picture shows: nose, neck, .*video shows: no joint"),
            (person(), nobody(), "picture shows: no joint. The video shows: nose, neck"),
            (
                person(unseen=[i for i in range(18) if i != 2]),
                person(unseen=[i for i in range(18) if i != 5]),
                "picture shows: left shoulder. The video shows: right shoulder. Choose a picture",
            ),
            (person(unseen=FIT_JOINTS), person(), "have no joint in common"),
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


class TestSmoothPoses:
    def video(self, points: np.ndarray, scores: np.ndarray | None = None) -> Poses:
        """Every point of one person at places [T, 2] with scores [T]."""
        points = torch.from_numpy(points)[:, None, None].expand(-1, 1, 134, 2)
        scores = torch.ones(len(points)) if scores is None else torch.from_numpy(scores)
        return Poses(points, scores[:, None, None].expand(-1, 1, 134))

    def test_strength_0(self) -> None:
        video = self.video(np.random.RandomState(0).rand(9, 2))
        assert torch.equal(smooth_poses(video, strength=0).keypoints, video.keypoints)

    @pytest.mark.parametrize("strength", [0.5, 2, 100])
    def test_what_stands_still_stays(self, strength) -> None:
        video = self.video(np.full((7, 2), 0.3), np.random.RandomState(0).rand(7))
        assert torch.equal(smooth_poses(video, strength=strength).keypoints, video.keypoints)

    @pytest.mark.parametrize("strength", [0.5, 2, 100])
    def test_even_movement_stays(self, strength) -> None:
        """Also at the ends, and however sure the points are: no lag and no shrinking."""
        line = np.linspace((0.1, 0.9), (0.7, 0.2), 12)
        video = self.video(line, np.random.RandomState(0).uniform(0.05, 1, 12))
        assert torch.allclose(
            smooth_poses(video, strength=strength).keypoints, video.keypoints, atol=1e-10
        )

    def test_by_hand(self) -> None:
        """Three frames, the middle one off: the line through them is level by symmetry."""
        video = self.video(np.array([[0.0, 0.5], [0.3, 0.5], [0.0, 0.5]]))
        near = math.exp(-0.5)
        want = 0.3 / (1 + 2 * near)
        smooth = smooth_poses(video, strength=1)
        assert smooth.keypoints[1, 0, 0].tolist() == pytest.approx([want, 0.5], abs=1e-12)

    def test_jitter_goes_and_movement_stays(self) -> None:
        t = np.arange(60) / 60
        clean = np.stack([0.5 + 0.3 * np.sin(2 * np.pi * t), 0.5 + 0 * t], 1)
        shaky = clean + np.random.RandomState(0).normal(0, 0.01, clean.shape)
        smooth = smooth_poses(self.video(shaky), strength=2).keypoints[:, 0, 0].numpy()
        assert (
            np.abs(np.diff(smooth, 2, axis=0)).mean() < np.abs(np.diff(shaky, 2, axis=0)).mean() / 5
        )
        assert np.abs(smooth - clean).mean() < np.abs(shaky - clean).mean() / 1.5

    def test_points_not_found(self) -> None:
        """They neither move nor count."""
        places, scores = np.linspace(0, 1, 8)[:, None].repeat(2, 1), np.ones(8)
        places[3], scores[3] = 40.0, 0.0
        smooth = smooth_poses(self.video(places, scores), strength=2).keypoints[:, 0, 0]
        assert smooth[3].tolist() == [40.0, 40.0]
        found = [0, 1, 2, 4, 5, 6, 7]
        assert np.allclose(smooth[found].numpy(), places[found], atol=1e-10)

    def test_negative_scores_do_not_count(self) -> None:
        places, scores = np.zeros((5, 2)), np.ones(5)
        places[2], scores[2] = 9.0, -1.0
        smooth = smooth_poses(self.video(places, scores), strength=1).keypoints[:, 0, 0]
        assert smooth[[0, 1, 3, 4]].eq(0).all() and smooth[2].tolist() == [9, 9]

    def test_unsure_points_follow(self) -> None:
        places = np.zeros((7, 2))
        places[3] = 0.1
        unsure = np.ones(7)
        unsure[3] = 0.05
        sure = smooth_poses(self.video(places), strength=1).keypoints[3, 0, 0, 0]
        follows = smooth_poses(self.video(places, unsure), strength=1).keypoints[3, 0, 0, 0]
        assert 0 < follows < sure / 3

    def test_people_are_apart(self) -> None:
        one, two = (np.random.RandomState(i).rand(6, 2) for i in range(2))
        a, b = self.video(one), self.video(two)
        both = Poses(torch.cat([a.keypoints, b.keypoints], 1), torch.cat([a.scores, b.scores], 1))
        smooth = smooth_poses(both, strength=1)
        for i, alone in enumerate((a, b)):
            want = smooth_poses(alone, strength=1).keypoints
            assert torch.equal(smooth.keypoints[:, i : i + 1], want)

    @pytest.mark.parametrize("num_frames", [1, 2])
    def test_few_frames(self, num_frames) -> None:
        video = self.video(np.random.RandomState(0).rand(num_frames, 2))
        assert torch.allclose(
            smooth_poses(video, strength=3).keypoints, video.keypoints, atol=1e-12
        )

    def test_scores_and_brightness_stay(self) -> None:
        video = self.video(np.random.RandomState(0).rand(4, 2), np.random.RandomState(1).rand(4))
        dim = Poses(video.keypoints, video.scores, torch.full((4, 1), 0.5))
        smooth = smooth_poses(dim, strength=1)
        assert torch.equal(smooth.scores, dim.scores) and smooth.brightness.eq(0.5).all()

    @pytest.mark.parametrize("strength", [-1, math.nan, math.inf])
    def test_wrong_strength(self, strength) -> None:
        with pytest.raises(ValueError, match=f"0 frames or more, got {strength}"):
            smooth_poses(self.video(np.zeros((3, 2))), strength=strength)

    def test_not_a_video(self) -> None:
        with pytest.raises(ValueError, match=r"got \[1, 134\]"):
            smooth_poses(person(), strength=1)


class TestDriveReference:
    def drive(self, frames: list[Poses], reference: Poses, **choices) -> Poses:
        usual = {"one_person": True, "smoothing": 0.0, "reference_first": True}
        return drive_reference(frames, reference, **SQUARE, **{**usual, **choices})

    def test_begins_with_the_reference(self) -> None:
        frames = [person(at=(0.3 + 0.01 * i, 0.5)) for i in range(4)]
        reference = person(at=(0.6, 0.4), size=(0.05, 0.15))
        track = self.drive(frames, reference)
        assert track.scores.shape == (5, 1, 134)
        assert torch.equal(track.keypoints[0], reference.keypoints)
        alone = self.drive(frames, reference, reference_first=False)
        assert torch.equal(alone.keypoints, track.keypoints[1:])
        way = alone.keypoints[-1] - alone.keypoints[0]  # half as large, so half as far
        assert way[..., 0].mean() == pytest.approx(0.015) and way[..., 1].abs().max() < 1e-12

    def test_one_person_or_everybody(self) -> None:
        frames = [together(person(1, at=(0.2, 0.5)), person(at=(0.8, 0.5))), person(at=(0.8, 0.5))]
        reference = together(person(at=(0.5, 0.5)), person(2, at=(0.9, 0.5)))
        assert self.drive(frames, reference).num_people == 1
        everybody = self.drive(frames, reference, one_person=False)
        assert everybody.scores.shape == (3, 2, 134)
        assert (everybody.scores > 0).any(-1).tolist() == [[True] * 2, [True] * 2, [True, False]]

    def test_smoothing(self) -> None:
        shaky = np.random.RandomState(0).normal(0, 0.01, 12)
        frames = [person(at=(0.5 + x, 0.5)) for x in shaky]
        jitter = [
            self.drive(frames, person(), smoothing=s).keypoints[1:, 0, 0, 0].diff(2).abs().mean()
            for s in (0.0, 2.0)
        ]
        assert jitter[1] < jitter[0] / 3

    @pytest.mark.parametrize("one_person", [True, False])
    @pytest.mark.parametrize("who", ["driving", "reference"])
    def test_nobody(self, who: str, one_person: bool) -> None:
        people = {"driving": person(), "reference": person(), who: nobody()}
        with pytest.raises(ValueError, match="have no joint in common"):
            self.drive([people["driving"]] * 2, people["reference"], one_person=one_person)
