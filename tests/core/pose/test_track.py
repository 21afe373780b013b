"""Who is who, and where everybody is in between."""

from itertools import permutations
from pathlib import Path

import pytest
import torch
from golden_cases import load_arrays
from pose_cases import read_poses, together

from fcvg_core.pose import Poses, interpolate_poses, is_seen, match_people, nobody
from fcvg_core.pose.skeleton import BODY, FACE
from fcvg_core.pose.track import blend_poses
from fcvg_core.timeline import inbetween_times

HALF = torch.tensor([0.0, 0.5, 1.0])


def people(*x: float, scores: float = 1.0) -> Poses:
    """Upright people at these places, each point a little below the one before."""
    keypoints = torch.zeros(len(x), 134, 2)
    keypoints[:, :, 0] = torch.tensor(x)[:, None]
    keypoints[:, :, 1] = torch.linspace(0.1, 0.9, 134)
    return Poses(keypoints, torch.full((len(x), 134), scores))


def change(poses: Poses, joint: int, *, score: float, at: tuple | None = None) -> Poses:
    keypoints, scores = poses.keypoints.clone(), poses.scores.clone()
    scores[:, joint] = score
    if at is not None:
        keypoints[:, joint] = torch.tensor(at, dtype=torch.float64)
    return Poses(keypoints, scores, poses.brightness)


def move(start: Poses, end: Poses, **choices) -> Poses:
    choices = {"missing_joints": "hide", "missing_people": "fade", **choices}
    return interpolate_poses(start, end, HALF, pairs=match_people(start, end), **choices)


def halves(x: float, *, face: float = 0.0) -> tuple[Poses, Poses]:
    """The upper and the lower body of somebody; the face too, if its score is given."""
    parts = []
    for hidden in (range(9, 18), range(9)):
        scores = torch.zeros(1, 134)
        scores[:, BODY], scores[:, FACE] = 1.0, face
        scores[:, list(hidden)] = 0.0
        parts.append(Poses(people(x).keypoints, scores))
    return parts[0], parts[1]


class TestMatchPeople:
    def test_golden(self, golden: Path) -> None:
        """Never worse than the official code's, person by person; nobody is matched twice."""
        case = load_arrays(golden / "dwpose" / "match_bodies.npz")
        better = 0
        for i in range(len(case["n1"])):
            n1, n2 = int(case["n1"][i]), int(case["n2"][i])
            start, end = (torch.from_numpy(case[key][i]) for key in ("candidate1", "candidate2"))
            pairs = match_people(from_bodies(start[:n1]), from_bodies(end[:n2]))
            assert len(pairs) == min(n1, n2) == len(set(pairs[:, 1].tolist()))
            greedy = [(a, int(b)) for a, b in enumerate(case["match"][i]) if b >= 0]
            costs = [
                sum(float((start[a] - end[b]).norm(dim=-1).mean()) for a, b in pairing)
                for pairing in (pairs.tolist(), greedy)
            ]
            if len(greedy) == min(n1, n2):
                assert costs[0] <= costs[1] + 1e-12
                better += costs[0] < costs[1] - 1e-12
        assert better > 0

    def test_the_best_of_all(self) -> None:
        torch.manual_seed(0)
        start, end = torch.rand(4, 18, 2).double(), torch.rand(4, 18, 2).double()
        pairs = match_people(from_bodies(start), from_bodies(end))
        cost = (start[:, None] - end[None]).norm(dim=-1).mean(-1)
        best = min(permutations(range(4)), key=lambda p: sum(cost[i, j] for i, j in enumerate(p)))
        assert pairs[:, 1].tolist() == list(best)

    def test_greedy_would_be_worse(self) -> None:
        # The first one is nearest to 0.4, but then the second has to go all the way.
        assert match_people(people(0.5, 0.3), people(0.4, 0.9)).tolist() == [[0, 1], [1, 0]]

    def test_only_seen_joints_count(self) -> None:
        start = change(people(0.2, 0.8), 4, score=0.1, at=(50.0, 50.0))
        assert match_people(start, people(0.75, 0.25)).tolist() == [[0, 1], [1, 0]]

    def test_nothing_in_common(self) -> None:
        """Matched by their middles, and no pair: nothing of them could be drawn in between."""
        upper, lower = halves(0.2)
        assert match_people(upper, lower).shape == (0, 2)
        upper, lower = halves(0.2, face=1.0)
        assert match_people(upper, lower).tolist() == [[0, 0]]

    def test_who_stands_still_is_not_exchanged(self) -> None:
        """One shows the upper body first and the lower body last, the other one all of it."""
        upper, lower = halves(0.2, face=1.0)
        whole = people(0.7)
        pairs = match_people(together(upper, whole), together(lower, whole))
        assert pairs.tolist() == [[0, 0], [1, 1]]

    def test_somebody_of_whom_nothing_is_seen(self) -> None:
        assert match_people(people(0.5, scores=0.0), people(0.5)).shape == (0, 2)

    def test_a_joint_at_the_end_of_the_numbers(self) -> None:
        """The distance to it overflows."""
        far = change(people(0.2, 0.6), 2, score=1.0, at=(1e308, -1e308))
        assert match_people(far, people(0.6, 0.2)).shape == (2, 2)

    def test_different_numbers(self) -> None:
        assert match_people(people(0.1, 0.5, 0.9), people(0.88)).tolist() == [[2, 0]]
        assert match_people(people(0.88), people(0.1, 0.5, 0.9)).tolist() == [[0, 2]]

    @pytest.mark.parametrize("numbers", [(0, 0), (0, 2), (2, 0)])
    def test_nobody(self, numbers: tuple[int, int]) -> None:
        start, end = (people(*[0.5] * n) if n else nobody() for n in numbers)
        pairs = match_people(start, end)
        assert pairs.shape == (0, 2) and pairs.dtype == torch.int64


def from_bodies(bodies: torch.Tensor) -> Poses:
    keypoints = torch.zeros(len(bodies), 134, 2, dtype=torch.float64)
    keypoints[:, BODY] = bodies
    return Poses(keypoints, torch.ones(len(bodies), 134))


class TestInterpolatePoses:
    def test_golden(self, golden: Path) -> None:
        tested = 0
        for path in sorted((golden / "dwpose").glob("interp_*.npz")):
            case = load_arrays(path)
            start, end = read_poses(case, "start_"), read_poses(case, "end_")
            if start.num_people != end.num_people:
                continue  # the official code is wrong there
            match = torch.from_numpy(case["match"])
            times = inbetween_times(25)[torch.from_numpy(case["frames"]) + 1]
            expected = read_poses(case)
            track = blend_poses(start, end.people(match), times)
            assert torch.equal(track.keypoints, expected.keypoints), path.name
            assert torch.equal(track.scores, expected.scores), path.name
            tested += 1
            pairs = torch.stack([torch.arange(len(match)), match], dim=1)
            shown = interpolate_poses(
                start,
                end,
                torch.cat([times, torch.ones(1)]),
                pairs=pairs,
                missing_joints="hide",
                missing_people="fade",
            )
            last = shown.frame(-1)
            assert torch.equal(last.keypoints, end.people(match).keypoints), path.name
            shown = Poses(shown.keypoints[:-1], shown.scores[:-1])
            between = (times > 0) & (times < 1)
            shared = (is_seen(start) & is_seen(end.people(match))).expand(len(times), -1, -1)
            assert torch.equal(shown.keypoints, expected.keypoints), path.name
            assert torch.equal(shown.scores[shared], expected.scores[shared]), path.name
            assert not shown.scores[between][~shared[between]].any(), path.name
        assert tested >= 4

    def test_the_ends_are_the_keyframes(self) -> None:
        start, end = people(0.1, 0.9, scores=0.7), people(0.8, 0.3, scores=0.9)
        track = move(start, end)
        assert torch.equal(track.frame(0).keypoints, start.keypoints)
        assert torch.equal(track.frame(-1).keypoints, end.people([1, 0]).keypoints)
        assert torch.equal(track.frame(-1).scores, end.scores)

    def test_times_that_end_before_the_last_keyframe(self) -> None:
        start, end = people(0.2), change(people(0.6), 4, score=0.0)
        track = interpolate_poses(
            start,
            end,
            torch.tensor([0.0, 0.5]),
            missing_joints="hide",
            missing_people="fade",
        )
        assert track.keypoints[1, 0, :, 0].tolist() == pytest.approx([0.4] * 134)
        assert track.scores[1, 0, 4] == 0 and track.scores[1, 0, 5] == 1

    def test_half_way(self) -> None:
        track = move(people(0.2), people(0.6))
        assert track.keypoints[1, 0, :, 0].tolist() == pytest.approx([0.4] * 134)

    @pytest.mark.parametrize("seen_first", [True, False])
    def test_a_joint_of_one_keyframe(self, seen_first: bool) -> None:
        ends = [
            change(people(0.2), 4, score=0.8, at=(0.3, 0.5)),
            change(people(0.6), 4, score=0.0, at=(0.0, 0.0)),
        ]
        if not seen_first:
            ends.reverse()
        hidden = move(*ends)
        assert hidden.scores[:, 0, 4].tolist() == [0.8 * seen_first, 0, 0.8 * (not seen_first)]
        held = move(*ends, missing_joints="hold")
        assert held.scores[1, 0, 4] == 0.8
        # The body is half way, so is the joint: 0.1 right of the others, as where it was seen.
        assert held.keypoints[1, 0, 4].tolist() == pytest.approx([0.5, 0.5], abs=0.02)
        for track in (hidden, held):  # nothing else is touched
            others = [i for i in range(134) if i != 4]
            assert torch.equal(track.scores[1, 0, others], torch.ones(133).double())

    def test_people_of_one_keyframe_fade(self) -> None:
        track = move(people(0.1, 0.5), people(0.52))
        leaving, staying = track.people([0]), track.people([1])
        assert leaving.brightness[:, 0].tolist() == [1, 0.5, 0]
        assert (leaving.keypoints == people(0.1).keypoints).all()
        assert staying.brightness[:, 0].tolist() == [1, 1, 1]
        assert move(people(0.52), people(0.1, 0.5)).brightness[:, 0].tolist() == [0, 0.5, 1]

    def test_an_empty_person_hides_nobody(self) -> None:
        """Some editors write one; who comes into the picture fades in all the same."""
        track = move(people(0.5, scores=0.0), people(0.5))
        assert track.brightness[:, -1].tolist() == [0, 0.5, 1]

    def test_people_of_one_keyframe_dropped(self) -> None:
        track = move(people(0.1, 0.5), people(0.52), missing_people="drop")
        assert track.num_people == 1 and track.keypoints[0, 0, 0, 0] == pytest.approx(0.5)

    @pytest.mark.parametrize("missing_people", ["fade", "drop"])
    def test_nobody(self, missing_people: str) -> None:
        expected = 2 if missing_people == "fade" else 0
        track = move(nobody(), people(0.1, 0.5), missing_people=missing_people)
        assert track.scores.shape == (3, expected, 134)
        assert move(nobody(), nobody()).scores.shape == (3, 0, 134)

    @pytest.mark.parametrize("missing_joints", ["hide", "hold"])
    def test_free_of_nan(self, missing_joints: str) -> None:
        """Those of whom nothing is known are nowhere seen; the others fade where they are."""
        broken = Poses(torch.full((2, 134, 2), torch.nan), torch.full((2, 134), torch.nan))
        for whole, brightness in ((people(0.3), [0, 0.5, 1]), (people(0.3, 0.6), [1, 0.5, 0])):
            ends = (broken, whole) if brightness[0] == 0 else (whole, broken)
            track = move(*ends, missing_joints=missing_joints)
            assert track.keypoints.isfinite().all()
            seen = track.scores.any(-1)[0]
            assert seen.sum() == whole.num_people and not track.scores[:, ~seen].any()
            assert (track.keypoints[:, seen] == whole.keypoints).all()
            assert (track.scores[:, seen] == whole.scores).all()
            assert (torch.tensor(brightness) == track.brightness[:, seen].T).all()

    def test_inputs_stay(self) -> None:
        start, end = people(0.1, 0.5), people(0.52)
        before = start.keypoints.clone(), start.scores.clone()
        move(start, end, missing_joints="hold")
        assert torch.equal(start.keypoints, before[0]) and torch.equal(start.scores, before[1])

    @pytest.mark.parametrize(
        ("choice", "match"),
        [
            ({"missing_joints": "fly"}, "missing_joints to be one of hide, hold; got 'fly'"),
            ({"missing_people": "stay"}, "missing_people to be one of fade, drop; got 'stay'"),
        ],
    )
    def test_another_choice(self, choice: dict, match: str) -> None:
        with pytest.raises(ValueError, match=match):
            move(people(0.1), people(0.2), **choice)

    def test_times_are_a_row(self) -> None:
        with pytest.raises(ValueError, match=r"times \[T\], got \[1, 2\]"):
            interpolate_poses(
                people(0.1),
                people(0.2),
                torch.zeros(1, 2),
                pairs=torch.tensor([[0, 0]]),
                missing_joints="hide",
                missing_people="fade",
            )
