"""Who is who in a video."""

import pytest
import torch
from pose_cases import person, together

from fcvg_core.pose import Poses, follow_person, nobody, stack_padded


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

    def test_goes_on_while_absent(self) -> None:
        """The longer somebody is not found, the farther they may have come."""
        path = [0.1 + 0.07 * i for i in range(10)]
        dancer = [person(1, at=(x, 0.5), size=0.1) for x in path]
        frames = [nobody() if 2 <= i < 8 else a for i, a in enumerate(dancer)]
        seen = (follow_person(frames).scores > 0).any(-1).flatten().tolist()
        assert seen == [True] * 2 + [False] * 6 + [True] * 2

    def test_other_joints_by_turns(self) -> None:
        """What was seen of somebody before is remembered where it was."""
        upper, lower = person(1, unseen=range(8, 18)), person(1, unseen=range(8))
        frames = [person(1), upper, lower, upper]
        assert (follow_person(frames).scores > 0.9).any(-1).all()

    def test_nothing_in_common(self) -> None:
        """Nothing tells that a head and a pair of legs at one place are one person."""
        head, legs = person(1, unseen=range(5, 134)), person(1, unseen=[*range(5), *range(18, 134)])
        followed = follow_person([head, legs, legs])
        assert (followed.scores > 0).any(-1).flatten().tolist() == [False, True, True]

    def test_unsure_places_do_not_count(self) -> None:
        """A joint that is not seen lies anywhere; where it was seen last is what counts."""
        strayed = person(1, unseen=range(17))
        points = strayed.keypoints.clone()
        points[:, :17] += 5
        followed = follow_person([person(1), Poses(points, strayed.scores), person(1)])
        assert (followed.scores[:, 0, 0] > 0).tolist() == [True] * 3

    def test_one_joint_seen(self) -> None:
        """It has no length of its own."""
        only_nose = range(1, 18)
        frames = [person(1, at=(0.5 + 0.01 * i, 0.5), unseen=only_nose) for i in range(3)]
        assert (follow_person(frames).scores[:, 0, 0] > 0).all()

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
