"""People of two keyframes -> pairs of limbs, and the maps along which they move."""

import numpy as np
import pytest
import torch
from warp_cases import person

from fcvg_core.pose import Poses, nobody
from fcvg_core.warp.grid import pixel_grid
from fcvg_core.warp.limbs import move_limbs, pair_limbs

SIZE = (96, 128)
ARM = {1: (0.5, 0.25), 2: (0.25, 0.25), 3: (0.25, 0.5)}  # neck, shoulder, elbow
BODY = np.array([[(64.0, 24), (32, 24)], [(32, 24), (32, 48)]])  # the same in pixels
UP, ASIDE = np.array([[(64.0, 72), (64, 32)]]), np.array([[(64.0, 72), (104, 72)]])


def several(*people: Poses) -> Poses:
    return Poses(
        torch.cat([one.keypoints for one in people]), torch.cat([one.scores for one in people])
    )


def moved(joints: dict, x: float, y: float) -> dict:
    return {joint: (a + x, b + y) for joint, (a, b) in joints.items()}


class TestPairLimbs:
    def test_by_hand(self) -> None:
        limbs = pair_limbs((person(ARM), person(moved(ARM, 0.125, 0))), SIZE)
        assert np.allclose(limbs, [BODY, BODY + (16, 0)])

    def test_limb_of_one_keyframe(self) -> None:
        without_elbow = {joint: ARM[joint] for joint in (1, 2)}
        limbs = pair_limbs((person(ARM), person(without_elbow)), SIZE)
        assert np.allclose(limbs, np.stack([BODY[:1], BODY[:1]]))

    def test_order_of_people(self) -> None:
        """People are paired by their places, in whatever order a detector found them."""
        left, right = person(ARM), person(moved(ARM, 0.4, 0))
        limbs = pair_limbs((several(left, right), several(right, left)), SIZE)
        assert np.array_equal(limbs[0], limbs[1]) and limbs.shape == (2, 4, 2, 2)

    def test_pairs_that_are_known(self) -> None:
        """They need not be the nearest people."""
        left, right = person(ARM), person(moved(ARM, 0.4, 0))
        people = several(left, right), several(left, right)
        limbs = pair_limbs(people, SIZE, torch.tensor([[0, 1]]))
        assert np.allclose(limbs, [BODY, BODY + (0.4 * SIZE[1], 0)])

    @pytest.mark.parametrize(
        "other",
        [
            nobody(),
            person({5: (0.1, 0.1), 6: (0.2, 0.2)}),
            person({1: (0.5, 0.25)}),
            person({1: (np.nan, 0.25), 2: (0.25, np.inf), 3: (0.25, 0.5)}),
        ],
        ids=["nobody", "no joint in common", "one joint in common", "joints not finite"],
    )
    def test_none(self, other: Poses) -> None:
        for people in ((person(ARM), other), (other, person(ARM))):
            assert pair_limbs(people, SIZE).shape == (2, 0, 2, 2)

    @pytest.mark.parametrize("far", [3.0, -1e6, 1e100])
    def test_limbs_far_away(self, far: float) -> None:
        """Only the upper arm ends there."""
        limbs = pair_limbs((person(ARM), person({**ARM, 3: (0.25, far)})), SIZE)
        assert np.allclose(limbs, np.stack([BODY[:1], BODY[:1]]))

    def test_unsure_joints(self) -> None:
        unsure = person(ARM)
        unsure.scores[0, 3] = 0.2
        assert pair_limbs((person(ARM), unsure), SIZE).shape[1] == 1

    def test_head_to_eyes_is_too_short(self) -> None:
        face = {0: (0.5, 0.2), 14: (0.49, 0.19), 15: (0.51, 0.19)}
        assert pair_limbs((person(face), person(face)), SIZE).shape[1] == 0


class TestMoveLimbs:
    @pytest.mark.parametrize("time", [0.0, 0.3, 1.0])
    def test_still(self, time: float) -> None:
        to0, to1, _ = move_limbs(np.stack([BODY, BODY]), time, SIZE)
        assert to0.shape == (*SIZE, 2) and to0.dtype == np.float32
        for places in (to0, to1):
            assert np.abs(places - pixel_grid(SIZE)).max() < 1e-3

    @pytest.mark.parametrize("time", [0.0, 0.25, 1.0])
    def test_shift(self, time: float) -> None:
        to0, to1, _ = move_limbs(np.stack([BODY, BODY + (16, -4)]), time, SIZE)
        way = np.float32([16, -4])
        assert np.abs(to0 - (pixel_grid(SIZE) - time * way)).max() < 1e-3
        assert np.abs(to1 - (pixel_grid(SIZE) + (1 - time) * way)).max() < 1e-3

    def test_turned_limb(self) -> None:
        """Turned to the right: what lies to the right of the limb in the first keyframe is below
        it in the last."""
        to0, to1, near = move_limbs(np.stack([UP, ASIDE]), 0.0, SIZE)
        assert np.abs(to0 - pixel_grid(SIZE)).max() < 1e-3
        assert np.allclose(to1[48, 64], (88, 72), atol=0.1)
        assert np.allclose(to1[48, 70], (88, 78), atol=0.1)
        assert np.allclose(to1[26, 64], (110, 72), atol=0.1)  # beyond the end
        assert near[48, 64] and near[48, 70] and not near[48, 20]

    def test_place_is_between(self) -> None:
        """Half-way the limb lies between its places, and its pixels come from both."""
        to0, to1, near = move_limbs(np.stack([UP, UP + (20, 0)]), 0.5, SIZE)
        assert np.allclose(to0[50, 74], (64, 50), atol=0.01)
        assert np.allclose(to1[50, 74], (84, 50), atol=0.01)
        assert near[50, 74] and not near[50, 40]

    def test_limb_that_grows(self) -> None:
        """Along the limb everything is stretched, aside nothing."""
        longer = np.array([[(64.0, 72), (64, 12)]])
        _, to1, _ = move_limbs(np.stack([UP, longer]), 0.0, SIZE)
        assert np.allclose(to1[52, 70], (70, 42), atol=0.1)

    def test_nearer_limb_counts_more(self) -> None:
        start = np.concatenate([UP - (40, 0), UP + (40, 0)])
        end = start + np.array([(-6, 0), (6, 0)])[:, None]
        _, to1, _ = move_limbs(np.stack([start, end]), 0.0, SIZE)
        way = (to1 - pixel_grid(SIZE))[50, :, 0]
        assert way[26] == pytest.approx(-6, abs=0.1) and way[102] == pytest.approx(6, abs=0.1)
        assert abs(way[64]) < 0.6 and (np.diff(way[26:103]) > -1e-3).all()

    def test_longer_limb_counts_more(self) -> None:
        """At the same distance by the root of the length: here 6 * (2 - 1) / (2 + 1) pixels."""
        long, short = np.array([(40.0, 20), (40, 60)]), np.array([(80.0, 35), (80, 45)])
        start = np.stack([long, short])
        end = start + np.array([(6, 0), (-6, 0)])[:, None]
        _, to1, _ = move_limbs(np.stack([start, end]), 0.0, SIZE)
        assert to1[40, 60, 0] - 60 == pytest.approx(2, abs=0.3)

    def test_reach(self) -> None:
        """Half of the median length, and 4 pixels."""
        _, _, near = move_limbs(np.stack([UP, UP]), 0.0, (96, 128))
        columns = np.flatnonzero(near[52])
        assert columns.min() == pytest.approx(64 - 24, abs=4)
        assert columns.max() == pytest.approx(64 + 24, abs=4)

    @pytest.mark.parametrize("time", [0.0, 0.5])
    def test_limb_of_no_length(self, time: float) -> None:
        """It holds what is near it, not the whole frame."""
        point = np.array([[(20.0, 20), (20, 20)]])
        start = np.concatenate([UP, point])
        to0, _, near = move_limbs(np.stack([start, start]), time, SIZE)
        assert near.mean() < 0.4 and not near[90, 10]
        assert np.abs(to0 - pixel_grid(SIZE)).max() < 1e-3

    def test_limb_that_turns_round(self) -> None:
        """Half-way it has no length."""
        both = np.stack([UP, UP[:, ::-1]])
        assert move_limbs(both, 0.5, SIZE)[2].mean() < 0.1

    @pytest.mark.parametrize("size", [(33, 47), (32, 32), (97, 130)])
    def test_sizes(self, size: tuple[int, int]) -> None:
        to0, to1, near = move_limbs(np.stack([BODY, BODY]), 0.5, size)
        assert to0.shape == to1.shape == (*size, 2) and near.shape == size
        assert np.abs(to0 - pixel_grid(size)).max() < 1e-3
