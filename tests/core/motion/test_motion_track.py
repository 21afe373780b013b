"""Lines, people and paths over two keyframes and over several."""

import numpy as np
import pytest
import torch

from fcvg_core.choices import TIMINGS
from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, interpolate_lines
from fcvg_core.motion import Camera, Motion, Region, Span, span_times, track_motion
from fcvg_core.motion.motion_track import STROKE
from fcvg_core.paths import Path, path_strokes
from fcvg_core.pose import Poses, interpolate_poses
from fcvg_core.timeline import inbetween_times

SIZE = (576, 1024)
AT = (0, 12, 24, 40)
CHOICES = {"missing_joints": "hide", "missing_people": "fade"}


def matches(first: list, last: list, **more) -> LineMatches:
    return LineMatches(torch.tensor(first).float(), torch.tensor(last).float(), size=SIZE, **more)


def moved(lines: list, x: float, y: float = 0.0) -> list:
    return (np.array(lines) + [x, y]).tolist()


def random_matches(seed: int, count: int = 40) -> LineMatches:
    ends = torch.rand(2, count, 2, 2, generator=torch.Generator().manual_seed(seed)) * 500
    return LineMatches(ends[0], ends[1], size=SIZE)


def person(x: float, *, hidden: tuple[int, ...] = ()) -> Poses:
    keypoints = torch.zeros(1, 134, 2)
    keypoints[0, :, 0], keypoints[0, :, 1] = x, torch.linspace(0.1, 0.9, 134)
    scores = torch.ones(1, 134)
    scores[0, list(hidden)] = 0
    return Poses(keypoints, scores)


def together(*people: Poses) -> Poses:
    return Poses(torch.cat([x.keypoints for x in people]), torch.cat([x.scores for x in people]))


# Lines that turn, stop and go faster: as a person would draw a test motion.
STOPS = ((100, 100), (180, 130), (190, 300), (400, 310))
LINE = [[0.0, 0.0], [60.0, 20.0]]


def drawn_motion() -> Motion:
    places = [moved([LINE, moved(LINE, 300)], *stop) for stop in STOPS]
    spans = [
        Span(matches=matches(first, last)) for first, last in zip(places, places[1:], strict=False)
    ]
    return Motion(SIZE, tuple(spans))


class TestTwoKeyframes:
    @pytest.mark.parametrize("timing", [*TIMINGS, (0, 0.7, 0.4, 1)])
    def test_lines_bit_for_bit(self, timing) -> None:
        found = random_matches(1)
        track = track_motion(Motion(SIZE, (Span(matches=found),)), (0, 24), timing, **CHOICES)
        assert torch.equal(track.lines.lines, interpolate_lines(found, inbetween_times(25, timing)))
        assert track.lines.seen.all() and torch.equal(track.lines.ids, found.ids)
        assert track.lines.num_matched == found.num_matched
        assert track.people is None and track.paths is None

    @pytest.mark.parametrize("joints", ["hide", "hold"])
    @pytest.mark.parametrize("missing", ["fade", "drop"])
    def test_people_bit_for_bit(self, joints, missing) -> None:
        people = together(person(0.2, hidden=(3, 50)), person(0.9)), person(0.3, hidden=(4,))
        choices = {"missing_joints": joints, "missing_people": missing}
        motion = Motion(SIZE, (Span(people=people),))
        track = track_motion(motion, (0, 24), "ease-in", **choices)
        wanted = interpolate_poses(*people, inbetween_times(25, "ease-in"), **choices)
        for name in ("keypoints", "scores", "brightness"):
            assert torch.equal(getattr(track.people, name), getattr(wanted, name))


def speeds(lines: torch.Tensor) -> np.ndarray:
    """Pixels a frame, [T - 1, ...]."""
    return (lines[1:] - lines[:-1]).numpy()


def jumps(lines: torch.Tensor, frames: list[int]) -> float:
    """The largest change of speed, in pixels a frame, at some frames."""
    return float(np.abs(np.diff(speeds(lines), axis=0))[np.array(frames) - 1].max())


class TestSmoothSpeed:
    @pytest.mark.parametrize("timing", ["uniform", "ease-in-out", (0, 0.2, 0.7, 0.8, 1)])
    def test_the_speed_changes_less_at_keyframes_than_between_them(self, timing) -> None:
        """On straight ways it changes at keyframes alone, by up to 13.5 pixels a frame."""
        motion = drawn_motion()
        smooth = track_motion(motion, AT, timing, **CHOICES).lines.lines
        keys, between = list(AT[1:-1]), [x for x in range(1, AT[-1]) if x not in AT]
        assert jumps(straight_lines(motion, timing), keys) > 3 * jumps(smooth, keys)
        assert jumps(smooth, keys) < 1.05 * jumps(smooth, between)

    def test_finer_frames_have_no_jump_at_all(self) -> None:
        """With ten times the frames the change of speed at a keyframe falls to a tenth."""
        found = []
        for finer in (1, 10):
            at = [finer * frame for frame in AT]
            track = track_motion(drawn_motion(), at, "uniform", **CHOICES)
            found.append(finer * jumps(track.lines.lines.double(), at[1:-1]))
        assert found[0] < 3 and found[1] < found[0] / 8

    def test_a_value_stays_between_its_keyframes(self) -> None:
        lines = track_motion(drawn_motion(), AT, "uniform", **CHOICES).lines.lines
        for begin, end in zip(AT, AT[1:], strict=False):
            low, high = (
                torch.minimum(lines[begin], lines[end]),
                torch.maximum(lines[begin], lines[end]),
            )
            part = lines[begin : end + 1]
            assert (part >= low - 1e-4).all() and (part <= high + 1e-4).all()

    def test_keyframes_are_exact(self) -> None:
        motion = drawn_motion()
        lines = track_motion(motion, AT, "reference", **CHOICES).lines.lines
        for frame, span in zip(AT, motion.spans, strict=False):
            assert torch.equal(lines[frame], span.matches.lines0)
        assert torch.equal(lines[-1], motion.spans[-1].matches.lines1)

    def test_an_even_motion_stays_even(self) -> None:
        places = [moved([LINE], 10 * frame) for frame in AT]
        spans = (Span(matches=matches(a, b)) for a, b in zip(places, places[1:], strict=False))
        lines = track_motion(Motion(SIZE, tuple(spans)), AT, "uniform", **CHOICES).lines.lines
        assert np.allclose(speeds(lines)[..., 0], 10, atol=1e-3)


def straight_lines(motion: Motion, timing: str) -> torch.Tensor:

    parts = [
        interpolate_lines(span.matches, times)
        for span, times in zip(motion.spans, span_times(AT, timing), strict=True)
    ]
    return torch.cat([parts[0], *(part[1:] for part in parts[1:])])


class TestLinesOfSeveralKeyframes:
    def test_a_line_is_seen_between_keyframes_that_both_have_it(self) -> None:
        """One line lives on, one ends at the second keyframe, one begins there."""
        one, two, three = LINE, moved(LINE, 200), moved(LINE, 0, 200)
        spans = (
            Span(
                matches=matches(
                    [one, two], [moved(one, 9), moved(two, 9)], ids=torch.tensor([4, 9])
                )
            ),
            Span(matches=matches([three, moved(one, 9)], [moved(three, 30), moved(one, 40)])),
        )
        track = track_motion(Motion(SIZE, spans), (0, 4, 10), "uniform", **CHOICES).lines
        assert track.lines.shape == (11, 3, 2, 2)
        assert track.ids.tolist() == [4, 9, 0]
        frames = [row.nonzero().flatten().tolist() for row in track.seen.T]
        assert frames == [list(range(11)), list(range(5)), list(range(4, 11))]
        assert track.lines.isnan().flatten(2).all(-1).equal(~track.seen)
        assert track.lines[10, 0].tolist() == moved(one, 40)
        assert track.lines[7, 2, 0, 0] == 15  # a line of one span moves straight

    def test_a_span_without_lines(self) -> None:
        spans = (Span(), Span(matches=matches([LINE], [moved(LINE, 8)])))
        track = track_motion(Motion(SIZE, spans), (0, 4, 8), "uniform", **CHOICES).lines
        assert track.seen.squeeze(1).tolist() == [False] * 4 + [True] * 5

    def test_a_line_of_no_number_is_not_seen(self) -> None:
        far = [[float("nan"), 0.0], [1.0, 1.0]]
        spans = (Span(matches=matches([far], [LINE])), Span(matches=matches([LINE], [LINE])))
        track = track_motion(Motion(SIZE, spans), (0, 4, 8), "uniform", **CHOICES).lines
        assert track.seen.squeeze(1).tolist() == [False] * 4 + [True] * 5


class TestPeopleOfSeveralKeyframes:
    def test_a_person_lives_on(self) -> None:
        a, b, c = person(0.1), person(0.5), person(0.6)
        motion = Motion(SIZE, (Span(people=(a, b)), Span(people=(b, c))))
        people = track_motion(motion, (0, 10, 20), "uniform", **CHOICES).people
        assert people.num_people == 1 and people.brightness.eq(1).all()
        for frame, poses in ((0, a), (10, b), (20, c)):
            assert torch.equal(people.keypoints[frame], poses.keypoints)
        speed = people.keypoints[:, 0, 0, 0].diff()
        assert speed.diff().abs()[9] < 0.3 * 0.03  # straight ways: 0.04, then 0.01 a frame
        assert (speed > 0).all()

    @pytest.mark.parametrize("joints", ["hide", "hold"])
    def test_a_joint_that_one_keyframe_hides(self, joints) -> None:
        a, b, c = person(0.1), person(0.3, hidden=(3,)), person(0.5)
        motion = Motion(SIZE, (Span(people=(a, b)), Span(people=(b, c))))
        choices = CHOICES | {"missing_joints": joints}
        people = track_motion(motion, (0, 4, 8), "uniform", **choices).people
        seen = (people.scores[:, 0, 3] > 0).tolist()
        held = joints == "hold"
        assert seen == [True, held, held, held, False, held, held, held, True]
        if held:  # it moves with the body
            assert people.keypoints[:4, 0, 3, 0].tolist() == pytest.approx([0.1, 0.15, 0.2, 0.25])

    @pytest.mark.parametrize(("missing", "lights"), [("fade", [0, 0.5, 1, 1, 1]), ("drop", None)])
    def test_a_person_who_comes_later(self, missing, lights) -> None:
        a, b, new = person(0.1), person(0.2), person(0.8)
        both = together(b, new)
        spans = (Span(people=(a, both)), Span(people=(both, together(person(0.3), new))))
        choices = CHOICES | {"missing_people": missing}
        people = track_motion(Motion(SIZE, spans), (0, 4, 8), "uniform", **choices).people
        assert people.num_people == 2
        comer = people.brightness[::2, int(people.keypoints[8, 1, 0, 0] > 0.5)]
        assert comer.tolist() == (lights or [0, 0, 1, 1, 1])

    def test_a_person_of_one_keyframe_is_drawn_below(self) -> None:
        a, b, alone = person(0.1), person(0.2), person(0.8)
        spans = (Span(people=(a, together(b, alone))), Span(people=(together(b, alone), b)))
        people = track_motion(Motion(SIZE, spans), (0, 4, 8), "uniform", **CHOICES).people
        assert people.brightness[:, 0].tolist() == [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]
        assert people.brightness[:, 1].eq(1).all()


class TestCamera:
    def motion(self, count: int, rotate: float = 60.0) -> Motion:
        """Lines that a camera carries along, which turns evenly over all keyframes."""
        part = Camera(rotate=rotate, zoom=1.5).part(1 / count)
        lines = [torch.tensor([LINE, moved(LINE, 500, 300)])]
        for _ in range(count):
            way = part.at(torch.ones(1), SIZE)[0]
            points = torch.cat([lines[-1].double(), torch.ones(2, 2, 1)], dim=-1) @ way.T
            lines.append(points[..., :2].float())
        spans = (
            Span(matches=LineMatches(a, b, size=SIZE), camera=part)
            for a, b in zip(lines, lines[1:], strict=False)
        )
        return Motion(SIZE, tuple(spans))

    @pytest.mark.parametrize("rotate", [60.0, 170.0, 300.0])
    def test_what_the_camera_carries_turns_evenly(self, rotate) -> None:
        """Spans of a part of the turn each are the same as one span with the whole turn."""
        several = track_motion(self.motion(2, rotate), (0, 10, 20), "uniform", **CHOICES)
        one = track_motion(self.motion(1, rotate), (0, 20), "uniform", **CHOICES)
        several, one = several.lines.lines, one.lines.lines
        torch.testing.assert_close(several, one, atol=1e-2, rtol=0)

    def test_what_is_held_does_not_follow(self) -> None:
        span = self.motion(1).spans[0]
        everywhere = Region(0, np.array([[-1e4, -1e4], [1e4, -1e4], [1e4, 1e4], [-1e4, 1e4]]))
        spans = (
            Span(
                matches=span.matches,
                people=(person(0.4), person(0.6)),
                camera=span.camera,
                holds=(everywhere,),
            ),
        ) * 2
        track = track_motion(Motion(SIZE, spans), (0, 4, 8), "uniform", **CHOICES)
        assert track.lines.lines[:5, :2].eq(span.matches.lines0).all()
        assert (track.people.keypoints[:5, 0] - person(0.4).keypoints).abs().max() < 1e-9


class TestPaths:
    def path(self, number: int, *points: tuple[float, float]) -> Path:
        return Path(number, torch.tensor(points, dtype=torch.float64))

    def test_strokes_of_each_span(self) -> None:
        spans = (
            Span(paths=(self.path(5, (0, 0), (10, 0), (20, 0), (30, 0)),)),
            Span(paths=(self.path(2, (7, 7)), self.path(5, (30, 0)))),
        )
        track = track_motion(Motion(SIZE, spans), (0, 6, 12), "uniform", **CHOICES).paths
        assert track.ids.tolist() == [2, 5]
        assert track.seen[:, 0].tolist() == [False] * 6 + [True] * 7 and track.seen[:, 1].all()
        middles = track.lines.mean(dim=2)
        assert middles[[0, 3, 6, 9], 1, 0].tolist() == pytest.approx([0, 15, 30, 30])
        assert track.lines[3, 1].tolist() == [[15 - STROKE / 2, 0], [15 + STROKE / 2, 0]]

    def test_two_keyframes(self) -> None:
        """A path beside lines leaves the lines as they are."""
        found, path = random_matches(2, 5), self.path(0, (0, 0), (9, 9), (20, 30), (40, 40))
        track = track_motion(
            Motion(SIZE, (Span(matches=found, paths=(path,)),)), (0, 8), "ease-in", **CHOICES
        )
        times = inbetween_times(9, "ease-in")
        assert torch.equal(track.lines.lines, interpolate_lines(found, times))
        assert torch.equal(track.paths.lines, path_strokes((path,), times, STROKE))


def test_a_motion_needs_its_number_of_keyframes() -> None:
    with pytest.raises(ValueError, match="expected 4 keyframes, got 3"):
        track_motion(drawn_motion(), (0, 12, 24), "uniform", **CHOICES)


def test_a_timing_that_does_not_rise_is_refused() -> None:
    with pytest.raises(UserError, match="do not rise from keyframe to keyframe"):
        track_motion(drawn_motion(), AT, (0, 1, 0.5, 0.2, 1), **CHOICES)
