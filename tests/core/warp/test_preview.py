"""Keyframes, lines and people -> frames in which the keyframes' own pixels move."""

import time

import cv2
import numpy as np
import pytest
import torch
from warp_cases import colored, matches_of, moved_by, person, psnr, random_lines, shift, texture

from fcvg_core.lines import LineMatches
from fcvg_core.lines.filter import select_matches
from fcvg_core.pose import Poses, nobody
from fcvg_core.standalone.demo.scene import camera_move, draw_scene
from fcvg_core.timeline import inbetween_times
from fcvg_core.warp import preview_motion

SIZE = (96, 160)
MIDDLE = torch.tensor([0.0, 0.5, 1.0])
NAN, INF = float("nan"), float("inf")
ARM = {1: (0.5, 0.3), 2: (0.3, 0.3), 3: (0.3, 0.6)}
ARM_LATER = {joint: (x + 0.1, y) for joint, (x, y) in ARM.items()}
NO_LINES = np.zeros((0, 2, 2))


def camera_frames(size: tuple[int, int] = SIZE, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    return draw_scene(seed, size), draw_scene(seed, size, camera_move(size))


def camera_lines(size: tuple[int, int] = SIZE, count: int = 25) -> LineMatches:
    return moved_by(camera_move(size), random_lines(count, size), size)


def plain_blend(keyframes: tuple[np.ndarray, np.ndarray], part: float = 0.5) -> np.ndarray:
    return np.rint((1 - part) * keyframes[0] + part * keyframes[1].astype(float)).astype(np.uint8)


def is_plain_blend(frames: np.ndarray, keyframes: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether the middle one of three frames is a plain blend, up to the rounding of a half."""
    apart = np.abs(frames[1].astype(int) - plain_blend(keyframes))
    return bool(apart.max() <= 1) and bool((apart == 0).mean() > 0.4)


class TestKeyframes:
    @pytest.mark.parametrize(
        "timing",
        ["reference", "uniform", "ease-in", "ease-out", "ease-in-out", [0.2, 0.9], [1, 0, 0.5]],
        ids=str,
    )
    def test_ends_are_the_keyframes(self, timing) -> None:
        keyframes, times = camera_frames(), inbetween_times(5, timing)
        frames = preview_motion(keyframes, times, matches=camera_lines())
        assert frames.shape == (5, *SIZE, 3) and frames.dtype == np.uint8
        for frame, progress in zip(frames[1:-1], times[1:-1].tolist(), strict=True):
            if progress in (0, 1):
                assert np.array_equal(frame, keyframes[int(progress)])
            else:
                assert not any(np.array_equal(frame, keyframe) for keyframe in keyframes)
        assert np.array_equal(frames[0], keyframes[0])
        assert np.array_equal(frames[-1], keyframes[1])

    def test_two_frames(self) -> None:
        keyframes = camera_frames()
        frames = preview_motion(keyframes, torch.tensor([0.3, 0.4]), matches=camera_lines())
        assert np.array_equal(frames, keyframes)

    def test_same_time_same_frame(self) -> None:
        """A frame depends on its own time alone, in whatever video and order it is."""
        keyframes, matches = camera_frames(), camera_lines()
        one = preview_motion(keyframes, torch.tensor([0, 0.25, 0.75, 1]), matches=matches)
        other = preview_motion(keyframes, torch.tensor([0, 0.75, 0.5, 0.25, 1]), matches=matches)
        assert np.array_equal(one[1], other[3]) and np.array_equal(one[2], other[1])

    def test_identical_keyframes(self) -> None:
        """Whatever the lines and people say."""
        frame = camera_frames()[0]
        people = person(ARM), person(ARM_LATER)
        frames = preview_motion(
            (frame, frame.copy()), inbetween_times(5), matches=camera_lines(), people=people
        )
        assert (frames == frame).all()

    def test_no_jump_at_the_ends(self) -> None:
        """Shortly after the first keyframe, and shortly before the last, almost nothing differs."""
        keyframes = camera_frames()
        times = torch.tensor([0, 0.01, 0.99, 1])
        frames = preview_motion(keyframes, times, matches=camera_lines()).astype(int)
        assert np.abs(frames[1] - frames[0]).mean() < 2
        assert np.abs(frames[2] - frames[3]).mean() < 2
        border = np.abs(frames[1] - frames[0])
        assert max(border[:, :4].mean(), border[:, -4:].mean(), border[:4].mean()) < 5


class TestNothingMoves:
    @pytest.mark.parametrize(
        "people",
        [
            None,
            (nobody(), nobody()),
            (person(ARM), nobody()),
            (nobody(), person(ARM)),
            (person(ARM), person({5: (0.1, 0.1), 6: (0.2, 0.2)})),
            (person(ARM), person({1: (NAN, 0.3), 2: (0.3, INF), 3: (0.3, 0.6)})),
        ],
        ids=["none", "nobody", "in the first", "in the last", "no limb shared", "not finite"],
    )
    def test_plain_blend(self, people: tuple[Poses, Poses] | None) -> None:
        keyframes = camera_frames()
        for matches in (None, matches_of(NO_LINES, NO_LINES, SIZE)):
            frames = preview_motion(keyframes, MIDDLE, matches=matches, people=people)
            assert is_plain_blend(frames, keyframes)

    @pytest.mark.parametrize("part", [0.25, 0.8])
    def test_blend_by_time(self, part: float) -> None:
        keyframes = camera_frames()
        frame = preview_motion(keyframes, torch.tensor([0, part, 1]))[1]
        assert np.abs(frame.astype(int) - plain_blend(keyframes, part)).max() <= 1

    @pytest.mark.parametrize("odd", [NAN, INF, -INF, 1e5, 1e12, -1e30], ids=str)
    def test_lines_that_do_not_count(self, odd: float) -> None:
        """Not finite, or far away: as if they were not there."""
        keyframes, good = camera_frames(), random_lines(20, SIZE)
        bad = good[:3].copy()
        bad[0, 0, 0] = bad[1, 1, 1] = bad[2] = odd
        moved = moved_by(camera_move(SIZE), good, SIZE)
        end = moved.lines1.numpy()
        frames = preview_motion(keyframes, MIDDLE, matches=moved)
        for lines0, lines1 in ((bad, good[:3]), (good[:3], bad)):
            alone = matches_of(lines0, lines1, SIZE)
            assert is_plain_blend(preview_motion(keyframes, MIDDLE, matches=alone), keyframes)
            both = matches_of(np.concatenate([lines0, good]), np.concatenate([lines1, end]), SIZE)
            assert np.array_equal(preview_motion(keyframes, MIDDLE, matches=both), frames)


class TestDoubt:
    def test_it_is_said(self, caplog) -> None:
        preview_motion((draw_scene(1, SIZE), draw_scene(2, SIZE)), MIDDLE, matches=camera_lines())
        assert "explain only" in caplog.text and "much of the preview is a plain" in caplog.text

    def test_otherwise_nothing_is_said(self, caplog) -> None:
        preview_motion(camera_frames(), MIDDLE, matches=camera_lines())
        assert not caplog.text


class TestMotion:
    def test_camera(self) -> None:
        """Much nearer to the truth than a plain blend, at all times."""
        size = (128, 224)
        keyframes = camera_frames(size)
        times = [0.1, 0.5, 0.9]
        frames = preview_motion(
            keyframes, torch.tensor([0, *times, 1]), matches=camera_lines(size, 30)
        )
        for frame, part, least in zip(frames[1:], times, (6, 8, 6), strict=False):
            moved = {"angle": 4.0 * part, "scale": 1 + 0.12 * part}
            moved["shift"] = (-0.05 * part, 0.02 * part)
            truth = draw_scene(
                7, size, camera_move(size, **moved, tilt=(0.12 * part, -0.04 * part))
            )
            gain = psnr(frame, truth) - psnr(plain_blend(keyframes, part), truth)
            assert gain > least, (part, gain)

    @pytest.mark.parametrize("part", [0.05, 0.5, 0.95])
    def test_shift_is_exact(self, part: float) -> None:
        """Also at the border, where one keyframe alone shows what is there."""
        large = colored(texture((SIZE[0], 240)))
        keyframes = large[:, 20:180], large[:, 40:200]
        matches = moved_by(shift(-20, 0), random_lines(12, SIZE), SIZE)
        frame = preview_motion(keyframes, torch.tensor([0, part, 1]), matches=matches)[1]
        left = round(20 + 20 * part)
        apart = np.abs(frame.astype(int) - large[:, left : left + 160])
        assert apart[:, 16:-16].max() <= 8 and apart.mean() < 0.7

    def test_black_and_white(self) -> None:
        """Where the cubic overshoots, black stays black and white stays white."""
        large = colored(np.where(texture((SIZE[0], 180)) > 127, 255, 0).astype(np.uint8))
        keyframes = large[:, :160], large[:, 15:175]
        matches = moved_by(shift(-15, 0), random_lines(12, SIZE), SIZE)
        frame = preview_motion(keyframes, MIDDLE, matches=matches)[1].astype(float)
        between = (large[:, 7:167].astype(float) + large[:, 8:168]) / 2
        assert np.abs(frame - between)[:, 16:-16].max() < 60

    def test_unrelated_frames(self) -> None:
        """What is not trusted is blended by time."""
        keyframes = draw_scene(7, SIZE), draw_scene(21, SIZE)
        times = torch.tensor([0, 0.15, 0.85, 1])
        frames = preview_motion(keyframes, times, matches=camera_lines())
        for frame, near, far in zip(frames[1:-1], keyframes, keyframes[::-1], strict=True):
            assert psnr(frame, near) > psnr(frame, far) + 8

    def test_one_line(self) -> None:
        """It moves everything, because nothing speaks against it."""
        large = colored(texture((SIZE[0], 200)))
        keyframes = large[:, :160], large[:, 20:180]
        line = np.array([[[80.0, 30], [80, 60]]])
        matches = matches_of(line, line - (20, 0), SIZE)
        frame = preview_motion(keyframes, MIDDLE, matches=matches)[1]
        assert psnr(frame, large[:, 10:170]) > 30

    def test_line_of_no_length(self) -> None:
        large = colored(texture((SIZE[0], 200)))
        point = np.array([[[80.0, 30], [80, 30]]])
        matches = matches_of(point, point - (20, 0), SIZE)
        frame = preview_motion((large[:, :160], large[:, 20:180]), MIDDLE, matches=matches)[1]
        assert psnr(frame, large[:, 10:170]) > 30

    def test_limbs(self) -> None:
        """A person's arm moves, and the wall behind it stays."""

        def draw(arm: dict[int, tuple[float, float]]) -> np.ndarray:
            frame = colored(texture(SIZE) // 4 + 40)
            places = [np.array(arm[joint]) * SIZE[::-1] for joint in (1, 2, 3)]
            for start, end in zip(places, places[1:], strict=False):
                ends = (tuple(map(round, place)) for place in (start, end))
                cv2.line(frame, *ends, (220, 160, 120), 16)
            return frame

        keyframes = draw(ARM), draw(ARM_LATER)
        frame = preview_motion(keyframes, MIDDLE, people=(person(ARM), person(ARM_LATER)))[1]
        truth = draw({joint: (x + 0.05, y) for joint, (x, y) in ARM.items()})
        assert psnr(frame, truth) > psnr(plain_blend(keyframes), truth) + 3
        assert np.abs(frame.astype(int) - keyframes[0])[:, 130:].max() <= 1

    def test_people_and_lines_together(self) -> None:
        keyframes, people = camera_frames(), (person(ARM), person(ARM_LATER))
        alone = preview_motion(keyframes, MIDDLE, matches=camera_lines())
        both = preview_motion(keyframes, MIDDLE, matches=camera_lines(), people=people)
        assert both.shape == alone.shape and not np.array_equal(both, alone)


class TestEditedMatches:
    def test_removed_lines(self) -> None:
        """Without the lines of a region the region does not move."""
        size = (96, 256)
        large = colored(texture((96, 340)))
        first, last = large[:, :256].copy(), large[:, :256].copy()
        last[:, 90:] = large[:, 162:328]  # by 72 pixels to the left: too far for a search
        lines = random_lines(12, (96, 50)) + (175, 0)
        still = random_lines(30, (96, 70)) + (10, 0)
        matches = matches_of(
            np.concatenate([still, lines]), np.concatenate([still, lines - (72, 0)]), size
        )
        whole = preview_motion((first, last), MIDDLE, matches=matches)[1]
        kept = select_matches(matches, torch.arange(42) < 30)
        without = preview_motion((first, last), MIDDLE, matches=kept)[1]
        truth = large[:, 171:211]
        assert psnr(whole[:, 135:175], truth) > psnr(without[:, 135:175], truth) + 3
        assert np.abs(whole[:, :60].astype(int) - without[:, :60]).max() <= 1

    def test_moved_line(self) -> None:
        keyframes, line = camera_frames(), np.array([[[80.0, 30], [80, 60]]])
        frames = [
            preview_motion(keyframes, MIDDLE, matches=matches_of(line, line + way, SIZE))[1]
            for way in ((0, 0), (10, 0))
        ]
        assert np.abs(frames[0].astype(int) - frames[1]).mean() > 1


def smooth_pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unrelated frames of grey values 60 to 180, without edges at which a cubic overshoots."""
    frames = (texture(SIZE, 2 * seed + i, sigma=6.0).astype(float) for i in (0, 1))
    return tuple(
        colored(np.rint(60 + 120 * (f - f.min()) / (f.max() - f.min())).astype(np.uint8))
        for f in frames
    )


class TestWrongLines:
    @pytest.mark.parametrize("seed", range(6))
    def test_no_garbage(self, seed: int) -> None:
        """No value that the keyframes do not have: these are 60 to 180, and a cubic overshoots."""
        random = np.random.default_rng(seed)
        keyframes, start = smooth_pair(seed), random_lines(40, SIZE, seed)
        end = start + random.normal(0, random.choice([4.0, 80.0]), start.shape)
        frames = preview_motion(keyframes, MIDDLE, matches=matches_of(start, end, SIZE))
        assert frames.min() >= 58 and frames.max() <= 182

    @pytest.mark.parametrize("seed", range(4))
    def test_no_worse_than_a_blend(self, seed: int) -> None:
        keyframes, random = camera_frames(), np.random.default_rng(seed)
        start = random_lines(40, SIZE, seed)
        end = start + random.normal(0, 30, (40, 1, 2))
        frame = preview_motion(keyframes, MIDDLE, matches=matches_of(start, end, SIZE))[1]
        half = camera_move(SIZE, angle=2.0, scale=1.06, shift=(-0.025, 0.01), tilt=(0.06, -0.02))
        truth = draw_scene(7, SIZE, half)
        assert psnr(frame, truth) > psnr(plain_blend(keyframes), truth)

    def test_crossing_and_exchanged_lines(self) -> None:
        """Two pairs among many right ones spoil nothing."""
        size = (128, 224)
        keyframes, good = camera_frames(size), camera_lines(size, 30)
        start, end = (lines.numpy().copy() for lines in (good.lines0, good.lines1))
        end[[0, 1]] = end[[1, 0]]
        end[2:4] = (
            end[2:4].mean(axis=1, keepdims=True)
            - (end[2:4] - end[2:4].mean(1, keepdims=True))[..., ::-1]
        )
        right = preview_motion(keyframes, MIDDLE, matches=good)[1]
        wrong = preview_motion(keyframes, MIDDLE, matches=matches_of(start, end, size))[1]
        assert psnr(wrong, right) > 25

    def test_very_many_lines(self) -> None:
        """Three thousand wrong lines take a moment, not minutes."""
        random, size = np.random.default_rng(0), (144, 256)
        ends = random.uniform(0, 1, (2, 3000, 2, 2)) * size[::-1]
        start = time.perf_counter()
        preview_motion(camera_frames(size), MIDDLE, matches=matches_of(*ends, size))
        assert time.perf_counter() - start < 8


class TestSymmetry:
    """Played backwards, the frames are nearly the same. What differs: objects are searched from
    the first keyframe to the last."""

    @pytest.mark.parametrize("seed", [7, 21])
    def test_backwards(self, seed: int) -> None:
        first, last = camera_frames(seed=seed)
        matches, times = camera_lines(), torch.tensor([0, 0.3, 0.7, 1])
        people = person(ARM), person(ARM_LATER)
        back = LineMatches(matches.lines1, matches.lines0, SIZE)
        forward = preview_motion((first, last), times, matches=matches, people=people)
        reverse = preview_motion((last, first), times, matches=back, people=people[::-1])
        for frame, other in zip(forward[1:-1], reverse[-2:0:-1], strict=True):
            assert psnr(frame, other) > 45


class TestFrames:
    @pytest.mark.parametrize(
        "size",
        [(31, 300), (32, 32), (33, 47), (64, 2048), (257, 333), (160, 96), (600, 40)],
        ids=str,
    )
    def test_sizes(self, size: tuple[int, int]) -> None:
        keyframes = colored(texture(size)), colored(np.roll(texture(size), 3, axis=1))
        lines = random_lines(6, size) * 0.9
        people = person(ARM), person(ARM_LATER)
        matches = moved_by(shift(3, 0), lines, size)
        frames = preview_motion(keyframes, MIDDLE, matches=matches, people=people)
        assert np.array_equal(frames[::2], keyframes)
        assert min(size) >= 32 or is_plain_blend(frames, keyframes)

    def test_one_pixel(self) -> None:
        keyframes = np.full((1, 1, 3), 10, np.uint8), np.full((1, 1, 3), 30, np.uint8)
        point = np.zeros((1, 2, 2))
        frames = preview_motion(keyframes, MIDDLE, matches=matches_of(point, point, (1, 1)))
        assert frames[:, 0, 0, 0].tolist() == [10, 20, 30]

    @pytest.mark.parametrize("size", [(300, 640), (640, 300)], ids=str)
    def test_large_frames(self, size: tuple[int, int]) -> None:
        """The motion is found in smaller frames, and enlarged."""
        large = colored(cv2.resize(texture((140, 140)), (700, 700), interpolation=cv2.INTER_CUBIC))
        keyframes = large[: size[0], : size[1]], large[40 : size[0] + 40, 60 : size[1] + 60]
        matches = moved_by(shift(-60, -40), random_lines(20, size), size)
        frame = preview_motion(keyframes, MIDDLE, matches=matches)[1]
        assert psnr(frame, large[20 : size[0] + 20, 30 : size[1] + 30]) > 35

    def test_a_thousand(self) -> None:
        size = (32, 36)
        large = colored(texture((32, 38)))
        keyframes = large[:, 2:], large[:, :36]
        times, told = inbetween_times(1000, "uniform"), []
        frames = preview_motion(
            keyframes,
            times,
            matches=moved_by(shift(2, 0), random_lines(3, size), size),
            progress=lambda *report: told.append(report),
        )
        assert len(frames) == 1000
        assert told == [("preview", i + 1, 1000) for i in range(1000)]
        assert np.abs(np.diff(frames.astype(int), axis=0)).max() < 12

    def test_layout_of_arrays(self) -> None:
        """Slices, mirrored and read-only arrays are as good as others."""
        keyframes, matches = camera_frames(), camera_lines()
        expected = preview_motion(keyframes, MIDDLE, matches=matches)
        sliced = tuple(np.repeat(frame, 2, axis=1)[:, ::2] for frame in keyframes)
        mirrored = tuple(frame[::-1].copy()[::-1] for frame in keyframes)
        columns = tuple(np.asfortranarray(frame) for frame in keyframes)
        for frames in (sliced, mirrored, columns, list(keyframes)):
            assert np.array_equal(preview_motion(frames, MIDDLE, matches=matches), expected)
            assert np.array_equal(preview_motion(frames, MIDDLE), preview_motion(keyframes, MIDDLE))

    def test_inputs_stay(self) -> None:
        keyframes, matches, people = (
            camera_frames(),
            camera_lines(),
            (person(ARM), person(ARM_LATER)),
        )
        before = [frame.copy() for frame in keyframes]
        lines = matches.lines0.clone(), matches.lines1.clone()
        points = [pose.keypoints.clone() for pose in people]
        times = MIDDLE.clone()
        for frame in keyframes:
            frame.flags.writeable = False
        frames = preview_motion(keyframes, times, matches=matches, people=people)
        frames[:] = 0
        assert np.array_equal(keyframes, before) and torch.equal(times, MIDDLE)
        assert torch.equal(matches.lines0, lines[0]) and torch.equal(matches.lines1, lines[1])
        assert all(torch.equal(p.keypoints, q) for p, q in zip(people, points, strict=True))

    def test_random_numbers_are_left_to_others(self) -> None:
        """The process's random numbers of OpenCV neither change the frames nor are used up."""
        keyframes, matches = camera_frames(), camera_lines()
        frames = preview_motion(keyframes, MIDDLE, matches=matches)
        for seed in (1, 12345):
            cv2.setRNGSeed(seed)
            following = cv2.randu(np.zeros((2, 8)), 0, 1).copy()
            cv2.setRNGSeed(seed)
            again = preview_motion(keyframes, MIDDLE, matches=matches)
            assert np.array_equal(cv2.randu(np.zeros((2, 8)), 0, 1), following)
            assert np.array_equal(again, frames)


class TestErrors:
    def test_sizes_differ(self) -> None:
        frames = np.zeros((64, 80, 3), np.uint8), np.zeros((64, 81, 3), np.uint8)
        with pytest.raises(ValueError, match=r"of one size, got \[64, 80, 3\] and \[64, 81, 3\]"):
            preview_motion(frames, MIDDLE)

    @pytest.mark.parametrize(
        "frame",
        [
            np.zeros((64, 80, 4), np.uint8),
            np.zeros((64, 80), np.uint8),
            np.zeros((64, 80, 3), np.uint16),
            np.full((64, 80, 3), NAN),
            np.zeros((0, 80, 3), np.uint8),
        ],
        ids=["RGBA", "grey", "16 bit", "NaN", "empty"],
    )
    def test_no_frame(self, frame: np.ndarray) -> None:
        good = np.zeros((64, 80, 3), np.uint8)
        for keyframes in ((frame, good), (good, frame)):
            with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8, got "):
                preview_motion(keyframes, MIDDLE)

    @pytest.mark.parametrize("times", [torch.zeros(1), torch.zeros(0), torch.zeros(3, 1)])
    def test_times(self, times: torch.Tensor) -> None:
        with pytest.raises(ValueError, match="at least 2 frames"):
            preview_motion(camera_frames(), times)

    def test_matches_of_another_size(self) -> None:
        with pytest.raises(ValueError, match=r"keyframes' size \(96, 160\), got \(96, 161\)"):
            preview_motion(
                camera_frames(), MIDDLE, matches=matches_of(NO_LINES, NO_LINES, (96, 161))
            )
