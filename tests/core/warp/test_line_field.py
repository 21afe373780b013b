"""Matched lines -> a smooth field, which does not fold."""

import itertools

import numpy as np
import pytest
from warp_cases import matches_of, moved_by, random_lines, shift

from fcvg_core.lines.motion import apply_homography
from fcvg_core.standalone.demo.scene import camera_move
from fcvg_core.warp.camera import half_way
from fcvg_core.warp.grid import pixel_grid
from fcvg_core.warp.line_field import LineField, smallest_area, spread_lines

SIZE = (144, 256)
FULL = (512, 512)  # the largest frame in which motions are found
NO_LINES = np.zeros((0, 2, 2))


def is_known(field: LineField, x: float, y: float) -> bool:
    """Whether the whole field is half of a shift, to a hundredth of a pixel."""
    return bool(np.abs(field.half - np.float32([x / 2, y / 2])).max() < 0.01)


class TestSpreadLines:
    @pytest.mark.parametrize("count", [1, 3, 12])
    def test_shift(self, count: int) -> None:
        field = spread_lines(moved_by(shift(6, -4), random_lines(count, SIZE), SIZE), SIZE)
        assert field.half.shape == (*SIZE, 2) and field.half.dtype == np.float32
        assert is_known(field, 6, -4) and field.others.shape == (0, 4)

    def test_camera(self) -> None:
        motion = camera_move(SIZE)
        field = spread_lines(moved_by(motion, random_lines(30, SIZE), SIZE), SIZE)
        assert np.abs(field.half - half_way(motion, pixel_grid(SIZE))).max() < 0.3

    def test_no_lines(self) -> None:
        field = spread_lines(matches_of(NO_LINES, NO_LINES, SIZE), SIZE)
        assert is_known(field, 0, 0) and field.others.shape == (0, 4)

    def test_swapped_ends(self) -> None:
        lines = random_lines(12, SIZE)
        end = lines + (6, -4)
        end[::2] = end[::2, ::-1]
        field = spread_lines(matches_of(lines, end, SIZE), SIZE)
        assert is_known(field, 6, -4) and len(field.others) == 0

    def test_line_of_no_length(self) -> None:
        point = np.array([[[50.0, 40], [50, 40]]])
        assert is_known(spread_lines(matches_of(point, point + (6, -4), SIZE), SIZE), 6, -4)

    def test_line_that_shrinks_to_a_point(self) -> None:
        """Its length in the other keyframe says how many points it has."""
        start, end = np.array([[[40.0, 60], [120, 60]]]), np.array([[[80.0, 60], [80, 60]]])
        still = random_lines(12, SIZE)
        both = (np.concatenate([still, one]) for one in (start, end))
        assert len(spread_lines(matches_of(*both, SIZE), SIZE).others) == 8

    def test_lines_outside_of_the_frame(self) -> None:
        """They vote for the camera's motion."""
        lines = random_lines(12, SIZE) + (2 * SIZE[1], 0)
        assert is_known(spread_lines(moved_by(shift(6, -4), lines, SIZE), SIZE), 6, -4)

    def test_regions_move_apart(self) -> None:
        """Each side follows its own lines, as far as they are no object."""
        lines = random_lines(40, (100, 80))
        left, right = lines + (10, 20), lines + (166, 20)
        start = np.concatenate([left, right])
        end = np.concatenate([left - (3, 0), right + (3, 0)])
        half = spread_lines(matches_of(start, end, SIZE), SIZE).half
        assert np.abs(half[40:100, 30:70] - (-1.5, 0)).max() < 0.2
        assert np.abs(half[40:100, 186:226] - (1.5, 0)).max() < 0.2

    def test_regions_go_on(self) -> None:
        """Far above their lines, too."""
        lines = random_lines(40, (60, 80)) + (30, 420)
        start = np.concatenate([lines, lines + (180, 0), lines + (360, 0)])
        ways = np.repeat([(0, -4), (0, 4), (0, -4)], 40, axis=0)[:, None]
        half = spread_lines(matches_of(start, start + ways, FULL), FULL).half
        left, middle, right = half[280, [60, 250, 440], 1]
        assert left < -1 and middle > 0.5 and right < -1

    def test_what_a_line_adds_stays_near_the_line(self) -> None:
        still = random_lines(30, (SIZE[0], 140))
        one = np.array([[[200.0, 50], [200, 90]]])
        start = np.concatenate([still, one])
        half = spread_lines(matches_of(start, np.concatenate([still, one + (5, 0)]), SIZE), SIZE)
        assert half.half[70, 200, 0] == pytest.approx(2.5, abs=0.1)
        assert np.abs(half.half[20:120, 20:100]).max() < 0.1

    def test_lines_that_leave(self) -> None:
        """A line that moves by itself tells its place and way, and does not bend the field."""
        motion = shift(10, 0)
        lines = random_lines(12, SIZE)
        one = np.array([[[100.0, 70], [116, 70]]])
        matches = matches_of(
            np.concatenate([lines, one]), np.concatenate([lines + (10, 0), one + (50, 8)]), SIZE
        )
        field = spread_lines(matches, SIZE)
        assert is_known(field, 10, 0)
        # Half of the camera's way is added to the first place, and taken from the last place.
        assert np.allclose(field.others[:, :2], [(105, 70), (113, 70), (121, 70)], atol=0.05)
        assert np.allclose(field.others[:, 2:], (40, 8), atol=0.05)
        assert np.allclose(apply_homography(motion, one[0, 0]), (110, 70))

    def test_lines_that_a_tilt_throws_far_away(self) -> None:
        """Outside of the frame, nearly on the horizon of the camera's motion."""
        motion = camera_move(SIZE, angle=0.0, scale=0.9, shift=(0.0, 0.0), tilt=(0.0, 0.4))
        lines = random_lines(40, SIZE)
        horizon = np.full((1, 2, 2), (100.0, 71.5 + SIZE[0] / 0.4 - 0.001))
        start, end = np.concatenate([lines, horizon]), apply_homography(motion, lines)
        matches = matches_of(start, np.concatenate([end, horizon]), SIZE)
        field = spread_lines(matches, SIZE)
        assert np.abs(field.half - half_way(motion, pixel_grid(SIZE))).max() < 2
        assert len(field.others) == 0

    def test_place_and_way_fit_the_field(self) -> None:
        """Carried to the middle by a camera that zooms, a thing is found again at place + way."""
        motion = camera_move(SIZE, angle=0.0, scale=1.2, shift=(0.0, 0.0), tilt=(0.0, 0.0))
        lines = random_lines(30, SIZE)
        start = np.array([[[60.0, 40], [60, 40]]])
        end = apply_homography(motion, start) + (50, 10)
        moved = np.concatenate([apply_homography(motion, lines), end])
        field = spread_lines(matches_of(np.concatenate([lines, start]), moved, SIZE), SIZE)
        ((x, y, way_x, way_y),) = field.others
        column, row = round(x), round(y)
        assert np.abs((column, row) - field.half[row, column] - start[0, 0]).max() < 1
        column, row = round(x + way_x), round(y + way_y)
        assert np.abs((column, row) + field.half[row, column] - end[0, 0]).max() < 1.5


def crossing(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Short lines that pass through each other, among lines that stand still."""
    random = np.random.default_rng(seed)
    still = random.uniform(0, 512, (30, 2, 2))
    count = int(random.integers(2, 12))
    places = random.uniform(60, 450, 2) + random.normal(0, 30, (count, 1, 2))
    angle = random.uniform(0, 2 * np.pi, (count, 1))
    way = 10.5 * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)[:, None]
    ends = places + random.uniform(-4, 4, (count, 2, 2))
    return np.concatenate([still, ends - way]), np.concatenate([still, ends + way])


def areas(half: np.ndarray, time: float) -> np.ndarray:
    """Areas of all pixels of the middle frame at a time, each as two triangles."""
    places = pixel_grid(half.shape[:2]) + (2 * time - 1) * half
    right, down = np.diff(places, axis=1), np.diff(places, axis=0)
    corners = itertools.product((right[:-1], right[1:]), (down[:, :-1], down[:, 1:]))
    return np.stack([a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0] for a, b in corners])


class TestNothingFolds:
    @pytest.mark.parametrize("seed", range(20))
    def test_lines_that_cross(self, seed: int) -> None:
        field = spread_lines(matches_of(*crossing(seed), FULL), FULL)
        for time in (0.0, 0.25, 0.5, 0.75, 1.0):
            assert areas(field.half, time).min() > 0.05

    def test_the_lines_really_cross(self, monkeypatch) -> None:
        """Without smoothing the field folds."""
        monkeypatch.setattr("fcvg_core.warp.line_field.MIN_AREA", -np.inf)
        folded = 0
        for seed in range(20):
            field = spread_lines(matches_of(*crossing(seed), FULL), FULL)
            folded += min(areas(field.half, 0.0).min(), areas(field.half, 1.0).min()) < 0
        assert folded >= 1

    @pytest.mark.parametrize("seed", range(20))
    def test_random_lines(self, seed: int) -> None:
        """Lines that have nothing to do with each other, with small and with large motions."""
        random = np.random.default_rng(seed)
        start = random_lines(int(random.integers(1, 60)), SIZE, seed)
        far = random.choice([2.0, 6.0, 100.0])
        field = spread_lines(
            matches_of(start, start + random.normal(0, far, start.shape), SIZE), SIZE
        )
        for time in (0.0, 0.5, 1.0):
            assert areas(field.half, time).min() > 0.05

    def test_exchanged_lines(self) -> None:
        """Two lines whose partners are exchanged."""
        still, pair = random_lines(20, FULL), np.array([[[200.0, 240], [200, 270]]])
        pair = np.concatenate([pair, pair + (18, 0)])
        start, end = np.concatenate([still, pair]), np.concatenate([still, pair[::-1]])
        field = spread_lines(matches_of(start, end, FULL), FULL)
        assert min(areas(field.half, time).min() for time in (0.0, 1.0)) > 0.05


class TestSmallestArea:
    def test_by_hand(self) -> None:
        still = np.zeros((5, 6, 2))
        assert smallest_area(still) == 1
        squeezed = still.copy()
        squeezed[..., 0] = 0.25 * np.arange(6)
        assert smallest_area(squeezed) == pytest.approx(0.75)
        squeezed[..., 1] = -0.5 * np.arange(5)[:, None]
        # 1.25 * 0.5 in the last keyframe, 0.75 * 1.5 in the first.
        assert smallest_area(squeezed) == pytest.approx(0.625)

    def test_one_cell(self) -> None:
        """A zigzag from node to node is a fold, although every second node moves alike."""
        zigzag = np.zeros((5, 6, 2))
        zigzag[..., 0] = 0.6 * (-1.0) ** np.arange(6)
        assert smallest_area(zigzag) < 0

    def test_turned(self) -> None:
        """What turns does not fold: x moves with y, and y against x."""
        columns, rows = np.meshgrid(np.arange(6.0), np.arange(5.0))
        turn = np.stack([0.5 * rows, -0.5 * columns], axis=-1)
        assert smallest_area(turn) == 1  # in the middle, larger before and after
        sheared = np.stack([0.5 * rows, 0.5 * columns], axis=-1)
        assert smallest_area(sheared) == pytest.approx(0.75)

    def test_through_a_point(self) -> None:
        """Mirrored twice, a cell has a positive area in both keyframes; it folds on the way."""
        columns, rows = np.meshgrid(np.arange(6.0), np.arange(5.0))
        assert smallest_area(np.stack([-1.2 * columns, -1.3 * rows], axis=-1)) < 0
