"""Possible motions of every pixel, each as a layer."""

import numpy as np
import pytest
from warp_cases import colored, matches_of, moved_by, person, random_lines, shift, texture

from fcvg_core.standalone.demo.scene import camera_move, draw_scene
from fcvg_core.warp.camera import half_way
from fcvg_core.warp.grid import look_up, pixel_grid
from fcvg_core.warp.layers import (
    MAX_UNSEEN,
    OBJECT,
    PEOPLE,
    PeopleLayer,
    WarpLayer,
    compare,
    find_layers,
)
from fcvg_core.warp.limbs import pair_limbs

SIZE = (112, 160)
PIXELS = pixel_grid(SIZE)
WAY = np.float32([12, -6])
ARM = {1: (0.5, 0.25), 2: (0.25, 0.25), 3: (0.25, 0.5)}
ARM_LATER = {joint: (x + 0.1, y) for joint, (x, y) in ARM.items()}


def shifting(region: np.ndarray | None = None) -> WarpLayer:
    return WarpLayer(PIXELS - WAY / 2, PIXELS + WAY / 2, 0.0, region)


def shifted_frames(way: tuple[int, int] = (12, -6)) -> tuple[np.ndarray, np.ndarray]:
    large = colored(texture((200, 240)))
    x, y = way
    return large[40:152, 40:200], large[40 - y : 152 - y, 40 - x : 200 - x]


class TestWarpLayer:
    @pytest.mark.parametrize("time", [0.0, 0.25, 0.5, 1.0])
    def test_shift(self, time: float) -> None:
        to0, to1, where, _ = shifting().maps(time)
        assert np.allclose(to0, PIXELS - time * WAY, atol=1e-4)
        assert np.allclose(to1, PIXELS + (1 - time) * WAY, atol=1e-4)
        assert where is None

    @pytest.mark.parametrize("time", [0.0, 0.3, 0.5, 0.8, 1.0])
    def test_places_move_straight(self, time: float) -> None:
        """A pixel lies on the straight way between its places in both keyframes."""
        half = half_way(camera_move(SIZE), PIXELS).astype(np.float32)
        to0, to1, *_ = WarpLayer(PIXELS - half, PIXELS + half, 0.0).maps(time)
        apart = (1 - time) * to0 + time * to1 - PIXELS
        assert np.abs(apart[16:-16, 16:-16]).max() < 0.05

    def test_middle_is_exact(self) -> None:
        layer = shifting()
        to0, to1, *_ = layer.maps(0.5)
        assert np.array_equal(to0, layer.to0) and np.array_equal(to1, layer.to1)

    def test_region_moves_along(self) -> None:
        region = np.zeros(SIZE, bool)
        region[40:60, 70:90] = True
        layer = shifting(region)
        assert layer.in_front and not shifting().in_front
        for time, (x, y) in ((0.0, (-6, 3)), (0.5, (0, 0)), (1.0, (6, -3))):
            assert np.array_equal(layer.maps(time)[2], np.roll(region, (y, x), axis=(0, 1)))


def test_people_layer() -> None:
    limbs = pair_limbs((person(ARM), person(ARM_LATER)), SIZE)
    layer = PeopleLayer(limbs, SIZE)
    to0, to1, where, _ = layer.maps(0.5)
    assert layer.in_front and layer.caution == PEOPLE
    assert np.allclose(to1 - to0, (16, 0), atol=1e-3)
    assert where[28, 68] and not where[100, 150]  # the shoulder is half-way at (48, 28)


class TestCompare:
    def test_what_agrees(self) -> None:
        """Everything that both keyframes show; what one does not show is not known."""
        here = compare(shifting(), shifted_frames(), 0.5)
        assert np.array_equal(here.hidden0, (here.to0 < -0.5).any(-1) | (here.to0[..., 1] > 111.5))
        assert here.hidden0[:, :6].all() and not here.hidden0[:109, 6:].any()
        assert here.hidden1[:, -6:].all() and not here.hidden1[3:, :-6].any()
        both = ~(here.hidden0 | here.hidden1)
        assert here.difference[20:-20, 20:-20].max() < 0.001
        assert here.difference[~both].max() <= MAX_UNSEEN + 1e-6

    def test_what_does_not_agree(self) -> None:
        still = WarpLayer(PIXELS, PIXELS, 0.0)
        here = compare(still, shifted_frames(), 0.5)
        assert here.difference.mean() > 0.1 and not here.hidden0.any()

    def test_by_hand(self) -> None:
        """The difference is the mean of the colours', 0..1."""
        first, last = np.full((*SIZE, 3), 10, np.uint8), np.full((*SIZE, 3), 10, np.uint8)
        last[..., 0] += 51
        here = compare(WarpLayer(PIXELS, PIXELS, 0.0), (first, last), 0.3)
        assert np.allclose(here.difference, 0.2 / 3, atol=1e-5)


class TestFindLayers:
    def test_lines_come_first(self) -> None:
        matches = moved_by(shift(*WAY), random_lines(12, SIZE), SIZE)
        lines, with_flow, flow = find_layers(shifted_frames(), matches, None)
        assert np.allclose(lines.to1 - lines.to0, WAY, atol=0.01)
        assert lines.caution < with_flow.caution < flow.caution
        assert not any(layer.in_front for layer in (lines, with_flow, flow))
        inner = (slice(24, -24), slice(24, -24))
        assert np.abs((with_flow.to1 - with_flow.to0)[inner] - WAY).mean() < 0.1

    def test_flow_starts_from_nothing(self) -> None:
        """Wrong lines do not lead the flow alone astray."""
        frames = shifted_frames((4, -2))
        matches = moved_by(shift(-30, 20), random_lines(12, SIZE), SIZE)
        lines, _, flow, *_ = find_layers(frames, matches, None)
        inner = (slice(24, -24), slice(24, -24))
        assert np.allclose(lines.to1 - lines.to0, (-30, 20), atol=0.01)
        assert np.abs((flow.to1 - flow.to0)[inner] - (4, -2)).mean() < 0.3

    def test_no_lines(self) -> None:
        lines, *_ = find_layers(shifted_frames(), None, None)
        assert np.array_equal(lines.to0, PIXELS) and np.array_equal(lines.to1, PIXELS)

    def test_people(self) -> None:
        people = person(ARM), person(ARM_LATER)
        *others, layer = find_layers(shifted_frames(), None, pair_limbs(people, SIZE))
        assert isinstance(layer, PeopleLayer)
        assert not any(isinstance(other, PeopleLayer) for other in others)
        nothing = person(ARM), person({5: (0.1, 0.1)})
        layers = find_layers(shifted_frames(), None, pair_limbs(nothing, SIZE))
        assert not any(isinstance(layer, PeopleLayer) for layer in layers)

    def test_object_before_a_moving_camera(self) -> None:
        """Its place and its way are those of the object alone."""
        first, last = shifted_frames()
        first, last = first.copy(), last.copy()
        thing = colored(texture((48, 48), seed=5))
        first[30:78, 30:78] = last[34:82, 62:110] = thing
        matches = moved_by(shift(*WAY), random_lines(12, SIZE), SIZE)
        layer = find_layers((first, last), matches, None)[3]
        assert layer.in_front and layer.caution == OBJECT
        to0, to1, where, _ = layer.maps(0.5)
        assert where[56, 70]  # its middle, half-way
        assert np.allclose(to0[56, 70], (54, 54), atol=1) and np.allclose(
            to1[56, 70], (86, 58), atol=1
        )

    def test_object_that_lines_know(self) -> None:
        """Grey, so that it can't be searched; lines on it leave the camera's motion."""
        frame = draw_scene(7, SIZE)
        first, last = frame.copy(), frame.copy()
        first[40:70, 20:50] = last[40:70, 60:90] = 128
        still = random_lines(12, (SIZE[0], 10))
        edges = np.array([[(20.0, 40), (50, 40)], [(20, 70), (50, 70)]])
        matches = matches_of(
            np.concatenate([still, edges]), np.concatenate([still, edges + (40, 0)]), SIZE
        )
        layers = find_layers((first, last), matches, None)
        assert any(layer.in_front for layer in layers)
        assert np.allclose(look_up(np.float32(layers[3].region), np.float32([[(55, 55)]])), 1)
