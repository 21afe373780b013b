"""Layers -> how much each layer, and each keyframe in it, counts for every pixel."""

from dataclasses import replace

import numpy as np
import pytest
from warp_cases import colored, moved_by, person, random_lines, shift, texture

from fcvg_core.standalone.demo.scene import camera_move, draw_sample_pair, draw_scene
from fcvg_core.warp.blending import LEAST_TRUST, Blend
from fcvg_core.warp.grid import pixel_grid
from fcvg_core.warp.layers import (
    FLOW,
    LINES,
    OBJECT,
    PEOPLE_KNOWN,
    PeopleLayer,
    WarpLayer,
    find_layers,
)
from fcvg_core.warp.limbs import pair_limbs

SIZE = (112, 160)
PIXELS = pixel_grid(SIZE)
STILL = WarpLayer(PIXELS, PIXELS, LINES)
TIMES = (0.0, 0.25, 0.5, 1.0)
THING = colored(texture((48, 48), seed=5))
# A thing moves from column 20 to column 60, over a background that stands still.
THING_WAY = np.float32([40, 0])
MIDDLE = np.s_[44:68, 54:78]  # well inside of the thing, half-way
UNCOVERED, COVERED = np.s_[44:68, 26:42], np.s_[44:68, 90:106]  # when the thing is half-way


def thing_frames() -> tuple[np.ndarray, np.ndarray]:
    frames = []
    for left in (20, 60):
        frame = colored(texture(SIZE))
        frame[32:80, left : left + 48] = THING
        frames.append(frame)
    return tuple(frames)


def thing_layer(region: np.ndarray) -> WarpLayer:
    return WarpLayer(PIXELS - THING_WAY / 2, PIXELS + THING_WAY / 2, OBJECT, region)


def region(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    area = np.zeros(SIZE, bool)
    area[top:bottom, left:right] = True
    return area


AROUND_THING = region(25, 20, 105, 92)


def shifting(way: tuple[float, float], caution: float = LINES) -> WarpLayer:
    half = np.float32(way) / 2
    return WarpLayer(PIXELS - half, PIXELS + half, caution)


def part(blend: Blend, i: int, time: float) -> np.ndarray:
    """What a layer gives of all that the layers give."""
    weights = [share.weight0 + share.weight1 for share in blend.shares(time)]
    return weights[i] / np.sum(weights, axis=0)


class TestShares:
    @pytest.mark.parametrize("time", TIMES)
    def test_sum(self, time: float) -> None:
        """All weights together are the trust, or more where people are; none is below 0."""
        frames = draw_sample_pair(SIZE)
        arm = {1: (0.5, 0.25), 2: (0.25, 0.25), 3: (0.25, 0.5)}
        people = person(arm), person({joint: (x + 0.1, y) for joint, (x, y) in arm.items()})
        matches = moved_by(camera_move(SIZE), random_lines(20, SIZE), SIZE)
        blend = Blend(frames, find_layers(frames, matches, pair_limbs(people, SIZE)))
        shares = blend.shares(time)
        weights = [weight for share in shares for weight in (share.weight0, share.weight1)]
        assert len(shares) == len(blend.layers) >= 4
        assert all(weight.shape == SIZE and weight.min() >= 0 for weight in weights)
        total = np.sum(weights, axis=0)
        assert (total > blend.trust - 1e-5).all() and total.max() < 1 + 1e-5
        alone = Blend(frames, find_layers(frames, matches, None))
        total = sum(share.weight0 + share.weight1 for share in alone.shares(time))
        np.testing.assert_allclose(total, alone.trust, atol=1e-5)

    @pytest.mark.parametrize("time", [0.25, 0.5, 0.9])
    def test_keyframes_count_by_time(self, time: float) -> None:
        """Where both show a pixel."""
        frames = colored(texture(SIZE)), colored(texture(SIZE))
        (share,) = Blend(frames, [STILL]).shares(time)
        assert np.allclose(share.weight0, 1 - time) and np.allclose(share.weight1, time)

    def test_what_one_keyframe_does_not_show(self) -> None:
        """It comes from the other keyframe."""
        large = colored(texture((112, 200)))
        frames = large[:, :160], large[:, 20:180]
        (share,) = Blend(frames, [shifting((-20, 0))]).shares(0.5)
        # The right edge of the middle frame comes from the last keyframe, the left from the first.
        assert share.weight1[:, 152:].min() > 0.95 and share.weight0[:, :8].min() > 0.95
        assert np.allclose(share.weight0[:, 20:140], 0.5)

    def test_layer_that_agrees(self) -> None:
        large = colored(texture((112, 200)))
        frames = large[:, :160], large[:, 20:180]
        blend = Blend(frames, [STILL, shifting((-20, 0)), shifting((13, 7))])
        assert part(blend, 1, 0.5)[20:-20, 20:-20].min() > 0.8

    def test_doubt_decides_between_equals(self) -> None:
        """Two layers agree; the one with more caution counts less."""
        frames = colored(texture(SIZE)), colored(texture(SIZE))
        blend = Blend(frames, [STILL, replace(STILL, caution=FLOW)])
        assert part(blend, 0, 0.5).min() > 0.95


class TestObjects:
    def test_covers_what_is_behind(self) -> None:
        blend = Blend(thing_frames(), [STILL, thing_layer(AROUND_THING)])
        assert part(blend, 1, 0.5)[MIDDLE].min() > 0.9

    def test_covers_what_both_keyframes_show(self) -> None:
        """Half-way the thing is where both keyframes show the background, which agrees too."""
        frames = []
        for left in (16, 96):
            frame = colored(texture(SIZE))
            frame[32:80, left : left + 32] = THING[:, :32]
            frames.append(frame)
        half = np.float32([40, 0])
        thing = WarpLayer(PIXELS - half, PIXELS + half, OBJECT, region(46, 22, 98, 90))
        blend = Blend(tuple(frames), [STILL, thing])
        assert part(blend, 1, 0.5)[44:68, 64:80].min() > 0.9
        assert part(blend, 0, 0.5)[44:68, :30].min() > 0.9

    def test_stays_in_its_region(self) -> None:
        blend = Blend(thing_frames(), [STILL, thing_layer(region(54, 44, 78, 68))])
        outside = np.ones(SIZE, bool)
        outside[36:76, 46:86] = False
        assert part(blend, 1, 0.5)[outside].max() < 1e-3

    def test_what_it_uncovers(self) -> None:
        """The background behind it comes from the keyframe in which the object is elsewhere."""
        share = Blend(thing_frames(), [STILL, thing_layer(AROUND_THING)]).shares(0.5)[0]
        assert share.weight1[UNCOVERED].mean() > 4 * share.weight0[UNCOVERED].mean()
        assert share.weight0[COVERED].mean() > 4 * share.weight1[COVERED].mean()

    def test_what_it_hides_before_a_moving_camera(self) -> None:
        """The place in each keyframe decides: the left edge is in the first keyframe beside it."""
        large = colored(texture((112, 200)))
        frames = large[:, 30:190].copy(), large[:, 6:166].copy()
        for frame, left in zip(frames, (30, 90), strict=True):
            frame[32:80, left : left + 48] = THING
        half = np.float32([30, 0])
        thing = WarpLayer(PIXELS - half, PIXELS + half, OBJECT, region(46, 20, 122, 92))
        share = Blend(frames, [shifting((24, 0)), thing]).shares(0.5)[0]
        beside = np.s_[44:68, 24:32]
        assert share.weight0[beside].mean() == pytest.approx(0.5, abs=0.1)

    def test_place_at_other_times(self) -> None:
        blend = Blend(thing_frames(), [STILL, thing_layer(AROUND_THING)])
        for time in (0.25, 0.75):
            left = round(20 + 40 * time)
            assert part(blend, 1, time)[44:68, left + 12 : left + 36].min() > 0.9

    def test_object_that_explains_nothing(self) -> None:
        frames = colored(texture(SIZE)), colored(texture(SIZE))
        wrong = replace(thing_layer(AROUND_THING), caution=0.0)
        assert Blend(frames, [STILL, wrong]).layers == [STILL]
        assert len(Blend(thing_frames(), [STILL, wrong]).layers) == 2

    def test_object_that_the_lines_explain(self) -> None:
        """What moves with the lines needs no layer of its own."""
        large = colored(texture((112, 200)))
        frames = large[:, 40:], large[:, :160]
        lines = shifting((40, 0))
        assert Blend(frames, [lines, thing_layer(AROUND_THING)]).layers == [lines]


class TestPeople:
    def test_are_trusted_more_than_what_is_around_them(self) -> None:
        """Where a person is, was and will be."""
        frames = []
        for left in (30, 90):
            frame = colored(texture(SIZE) // 8 + 110)
            frame[20:100, left : left + 24] = 220
            frames.append(frame)
        limbs = np.float64([[[[x, 24], [x, 96]]] for x in (42, 102)])
        blend = Blend(tuple(frames), [STILL, PeopleLayer(limbs, SIZE)])
        blend.trust = np.full(SIZE, LEAST_TRUST)
        shares = blend.shares(0.5)
        total = sum(share.weight0 + share.weight1 for share in shares)
        for left in (36, 66, 96):
            place = np.s_[40:80, left : left + 12]
            np.testing.assert_allclose(total[place], 1 - (1 - LEAST_TRUST) * (1 - PEOPLE_KNOWN))
        np.testing.assert_allclose(total[:, 140:], LEAST_TRUST)
        assert part(blend, 1, 0.5)[40:80, 66:78].min() > 0.9
        # Where the person was, the last keyframe shows what was behind.
        before = np.s_[40:80, 36:48]
        assert shares[0].weight1[before].mean() > 10 * shares[0].weight0[before].mean()


class TestTrust:
    def test_bounds(self) -> None:
        for first, last in ((7, 7), (7, 21), (33, 50)):
            frames = draw_scene(first, SIZE), draw_scene(last, SIZE, camera_move(SIZE))
            matches = moved_by(shift(3, 2), random_lines(20, SIZE), SIZE)
            trust = Blend(frames, find_layers(frames, matches, None)).trust
            assert trust.shape == SIZE
            assert trust.min() >= LEAST_TRUST - 1e-6 and trust.max() <= 1

    def test_what_agrees_is_trusted(self) -> None:
        frames = draw_scene(7, SIZE), draw_scene(7, SIZE, shift(8, 0))
        assert Blend(frames, [shifting((8, 0))]).trust.min() > 0.99

    def test_unrelated_frames_are_not_trusted(self) -> None:
        frames = draw_scene(7, SIZE), draw_scene(21, SIZE)
        trust = Blend(frames, find_layers(frames, None, None)).trust
        assert trust.max() < LEAST_TRUST + 0.01

    def test_trust_differs_by_region(self) -> None:
        """Less where a part changes that no layer explains."""
        size = (128, 512)
        first = colored(texture(size))
        last = first.copy()
        last[:, :50] = colored(texture((128, 50), seed=3))
        last[:, 50:] = np.roll(first, 6, axis=1)[:, 50:]
        pixels, half = pixel_grid(size), np.float32([3, 0])
        trust = Blend((first, last), [WarpLayer(pixels - half, pixels + half, LINES)]).trust
        assert trust[:, :30].mean() < trust[:, 300:].mean() - 0.2

    def test_still_frames_are_trusted(self) -> None:
        frames = colored(texture(SIZE)), colored(texture(SIZE))
        assert Blend(frames, [STILL]).trust.min() == 1
