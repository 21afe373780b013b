"""Control frames drawn small and thick, over the keyframes."""

import numpy as np
import pytest
import torch

from fcvg_core.control import (
    cover,
    draw_moving_lines,
    draw_thick_lines,
    draw_thick_people,
    fade_keyframes,
)
from fcvg_core.lines import LineMatches
from fcvg_core.pose import STYLES, Poses
from fcvg_core.timeline import inbetween_times

SIZE, SMALL = (128, 256), (64, 128)
TIMES = inbetween_times(3, "uniform")


def two_lines() -> LineMatches:
    """Horizontal lines that move down by 40 pixels."""
    lines = torch.tensor([[[20.0, 20.0], [120.0, 20.0]], [[140.0, 60.0], [240.0, 60.0]]])
    return LineMatches(lines, lines + torch.tensor([0.0, 40.0]), size=SIZE)


def rows_of(frame: np.ndarray) -> list[int]:
    return sorted(set(frame.any(-1).nonzero()[0].tolist()))


def test_keyframes_fade_into_each_other() -> None:
    first, last = np.full((2, 3, 3), 100, np.uint8), np.full((2, 3, 3), 200, np.uint8)
    faded = fade_keyframes(first, last, TIMES)
    assert [np.unique(frame).tolist() for frame in faded] == [[40], [60], [80]]


class TestLines:
    def test_at_the_same_places_in_a_smaller_frame(self) -> None:
        drawn = draw_thick_lines(two_lines(), TIMES, SMALL, line_width=1, seed=0)
        assert drawn.shape == (3, *SMALL, 3)
        for frame, moved in zip(drawn, (0, 10, 20), strict=True):
            rows = rows_of(frame[:, :64])
            assert len(rows) in (2, 3) and 10 + moved in rows

    def test_the_colours_are_those_of_the_control_frames(self) -> None:
        wanted = draw_moving_lines(two_lines(), TIMES, line_width=1, seed=7)
        drawn = draw_thick_lines(two_lines(), TIMES, SMALL, line_width=1, seed=7)
        for frame, small in zip(wanted, drawn, strict=True):
            colors = (np.unique(image.reshape(-1, 3), axis=0).tolist() for image in (frame, small))
            assert next(colors) == next(colors)

    def test_lines_that_are_wide_stay_wide(self) -> None:
        drawn = draw_thick_lines(two_lines(), TIMES, SMALL, line_width=20, seed=0)
        assert len(rows_of(drawn[0, :, :64])) >= 10


class TestPeople:
    @pytest.fixture
    def people(self) -> Poses:
        """Neck and hip of a person, above each other."""
        keypoints, scores = torch.zeros(1, 1, 134, 2), torch.zeros(1, 1, 134)
        keypoints[0, 0, 1], keypoints[0, 0, 8] = torch.tensor([[0.5, 0.2], [0.5, 0.8]])
        scores[0, 0, [1, 8]] = 1.0
        return Poses(keypoints, scores)

    @pytest.mark.parametrize(("width", "least", "most"), [(1.0, 2, 5), (8.0, 15, 20)])
    def test_as_thick_as_can_be_seen(self, people: Poses, width, least, most) -> None:
        (frame,) = draw_thick_people(people, (288, 512), style=STYLES["fcvg"].scaled(width))
        assert least <= frame[144].any(-1).sum() <= most

    def test_in_the_colours_of_the_style(self, people: Poses) -> None:
        (frame,) = draw_thick_people(people, SMALL, style=STYLES["fcvg"].colored("white"))
        assert frame.max() == 255 and (frame[..., 0] == frame[..., 2]).all()


def test_cover_takes_whole_pixels() -> None:
    below = np.full((1, 1, 2, 3), 9, np.uint8)
    above = np.array([[[[0, 0, 0], [0, 5, 0]]]], np.uint8)
    assert cover(below, above).tolist() == [[[[9, 9, 9], [0, 5, 0]]]]
