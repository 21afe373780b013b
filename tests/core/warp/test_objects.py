"""What the camera's motion does not explain -> objects that move by themselves."""

import time

import numpy as np
import pytest
from warp_cases import texture

from fcvg_core.warp.objects import MAX_OBJECTS, RADIUS, find_objects

SIZE = (144, 208)
NO_POINTS = np.zeros((0, 4))
THING = texture((60, 60), seed=5)


def frames(*places: tuple[int, int], seed: int = 1) -> list[np.ndarray]:
    """The same background with a thing at each of the places (left, top), one frame a place."""
    found = []
    for left, top in places:
        picture = texture(SIZE, seed)
        picture[top : top + 60, left : left + 60] = THING
        found.append(picture)
    return found


def difference(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    return np.abs(first / 255 - last / 255)


def points(count: int, x: float, y: float, way: tuple[float, float]) -> np.ndarray:
    """Points in a row, 10 pixels apart."""
    return np.array([(x + 10 * i, y, *way) for i in range(count)], float)


def find_in(first: np.ndarray, last: np.ndarray, known: np.ndarray = NO_POINTS) -> list:
    return find_objects(first, last, difference(first, last), known)


class TestFindObjects:
    def test_moved_square(self) -> None:
        first, last = frames((20, 40), (58, 52))
        things = find_in(first, last)
        assert np.abs(things[0].way - (38, 12)).max() < 0.5
        # In the middle frame its centre is at (69, 76).
        region = things[0].region
        assert region.shape == SIZE and region.dtype == bool
        assert region[61:91, 54:84].all() and not region[:, 140:].any()

    def test_nothing_moves(self) -> None:
        (frame,) = frames((20, 40))
        assert find_in(frame, frame) == []

    def test_nothing_to_see(self) -> None:
        """Grey areas look alike everywhere."""
        first, last = np.full(SIZE, 90, np.uint8), np.full(SIZE, 160, np.uint8)
        assert find_in(first, last) == []

    def test_repetitive_pattern(self) -> None:
        """A pattern that repeats can't be found again for sure."""
        bars = np.tile(np.repeat(np.uint8([40, 200]), 8), (SIZE[0], SIZE[1] // 16))
        moved = np.roll(bars, 4, axis=1)
        assert find_objects(bars, moved, np.ones(SIZE), NO_POINTS) == []

    def test_too_faint(self) -> None:
        """Less contrast than noise may have."""
        faint = [frame // 8 for frame in frames((20, 40), (58, 52))]
        assert find_objects(*faint, np.ones(SIZE), NO_POINTS) == []

    def test_too_far(self) -> None:
        """Farther than a quarter of the frame nothing is searched."""
        first, last = frames((4, 40), (144, 40))
        assert not any(abs(thing.way[0] - 140) < 5 for thing in find_in(first, last))

    def test_small_frame(self) -> None:
        small = texture((20, 24))
        assert find_objects(small, texture((20, 24), 9), np.ones((20, 24)), NO_POINTS) == []


class TestKnownPoints:
    """Points of lines alone: the frames are grey."""

    def find(self, known: np.ndarray) -> list:
        blank = np.full(SIZE, 90, np.uint8)
        return find_objects(blank, blank, np.zeros(SIZE), known)

    def test_way_and_region(self) -> None:
        (thing,) = self.find(points(3, 50, 60, (20, -10)))
        assert thing.way.tolist() == [20, -10]
        rows, columns = np.nonzero(thing.region)
        assert (columns.min(), columns.max()) == (60 - RADIUS, 80 + RADIUS)
        assert (rows.min(), rows.max()) == (55 - RADIUS, 55 + RADIUS)

    def test_too_few(self) -> None:
        assert self.find(points(2, 50, 60, (20, 0))) == []

    def test_ways_that_differ(self) -> None:
        known = points(3, 50, 60, (20, 0))
        known[:, 2] += (0, 6, 12)
        assert self.find(known[::2].repeat(1, axis=0)) == []
        known[:, 2] = (20, 23, 26)
        assert len(self.find(known)) == 1

    def test_far_points_are_no_object(self) -> None:
        known = points(3, 20, 60, (20, 0))
        known[:, 0] = (20, 110, 200)
        assert self.find(known) == []

    def test_two_ways_are_two_objects(self) -> None:
        """The object with the most points comes first."""
        known = np.concatenate([points(3, 30, 60, (20, 0)), points(5, 30, 64, (-12, 0))])
        assert [thing.way[0] for thing in self.find(known)] == [-12, 20]

    def test_most_objects(self) -> None:
        known = np.concatenate([points(3, 30, 60, (10 * i, 0)) for i in range(6)])
        assert len(self.find(known)) == MAX_OBJECTS

    def test_points_outside_of_the_frame(self) -> None:
        (thing,) = self.find(points(3, -300, 400, (20, 0)))
        assert not thing.region.any()

    def test_very_many_points(self) -> None:
        """A thousand wrong lines take neither minutes nor gigabytes."""
        random = np.random.default_rng(0)
        known = np.concatenate(
            [random.uniform(0, 140, (30_000, 2)), random.uniform(-50, 50, (30_000, 2))], axis=1
        )
        start = time.perf_counter()
        assert len(self.find(known)) == MAX_OBJECTS
        assert time.perf_counter() - start < 5

    @pytest.mark.parametrize("count", [1999, 6000])
    def test_thinned_points_are_spread(self, count: int) -> None:
        known = points(count, 50, 60, (20, 0))
        known[:, 0] = np.linspace(40, 100, count)
        (thing,) = self.find(known)
        columns = np.flatnonzero(thing.region[60])
        assert columns.min() <= 15 and columns.max() >= 145
