"""Paths -> points and strokes of every frame."""

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.paths import Path, path_points, path_strokes
from fcvg_core.paths.track import STEPS, sample_curves

TIMES = torch.tensor([0.0, 0.25, 0.5, 1.0])


def path(*points: tuple, speed="uniform", number: int = 0) -> Path:
    return Path(number, torch.tensor(points), speed)


STRAIGHT = path((0, 0), (0, 0), (100, 0), (100, 0))  # its samples lie closer at both ends
CORNER = path((0, 0), (0, 10), (0, 20), (0, 30), (10, 30), (20, 30), (30, 30))


class TestPoints:
    def test_by_hand(self):
        points = path_points([STRAIGHT, CORNER], TIMES)
        assert points.shape == (4, 2, 2) and points.dtype == torch.float64
        expected = [[0, 0], [25, 0], [50, 0], [100, 0]], [[0, 0], [0, 15], [0, 30], [30, 30]]
        assert torch.allclose(points.transpose(0, 1), torch.tensor(expected).double())

    @pytest.mark.parametrize(
        ("speed", "at_half"),
        [("ease-in", 25), ("ease-out", 75), ("ease-in-out", 50), ([0, 0.2, 1], 20), ([1, 0], 50)],
    )
    def test_speed_is_the_share_of_the_length(self, speed, at_half):
        moved = path((0, 0), (0, 0), (100, 0), (100, 0), speed=speed)
        assert path_points([moved], torch.tensor([0.5]))[0, 0, 0] == pytest.approx(at_half)

    def test_a_bent_curve_by_its_own_formula(self):
        """The way is that of 32 straight pieces; its middle is that of a symmetric curve."""
        bent = path((0, 0), (0, 40), (100, 40), (100, 0))
        samples = sample_curves(bent.points)
        assert samples.shape == (STEPS + 1, 2)
        assert samples[8].tolist() == pytest.approx([0.15625 * 100, 0.5625 * 40])  # u = 1/4
        assert path_points([bent], torch.tensor([0.5]))[0, 0].tolist() == pytest.approx([50, 30])

    def test_curves_share_a_sample(self):
        assert sample_curves(CORNER.points).shape == (2 * STEPS + 1, 2)

    @pytest.mark.parametrize("still", [path((3, 4)), path(*[(3, 4)] * 7)])
    def test_one_point_stands_still(self, still):
        assert path_points([still], TIMES).flatten(1).tolist() == [[3, 4]] * 4

    def test_ends_are_exact(self):
        torch.manual_seed(0)
        paths = [Path(i, 500 * torch.rand(3 * n + 1, 2)) for i, n in enumerate((1, 2, 5, 40))]
        points = path_points(paths, torch.tensor([0.0, 1.0]))
        ends = torch.stack([torch.stack([x.points[0], x.points[-1]]) for x in paths], dim=1)
        assert torch.allclose(points, ends, atol=1e-9, rtol=0)

    def test_even_steps_in_even_time(self):
        torch.manual_seed(0)
        bent = Path(0, 500 * torch.rand(7, 2))
        samples = sample_curves(bent.points)
        length = float((samples[1:] - samples[:-1]).norm(dim=1).sum())
        points = path_points([bent], torch.linspace(0, 1, 2001, dtype=torch.float64))[:, 0]
        steps = (points[1:] - points[:-1]).norm(dim=1)
        assert steps.max() <= length / 2000 + 1e-9  # a step across a corner is shorter
        assert steps.median() == pytest.approx(length / 2000)

    def test_no_paths(self):
        assert path_points([], TIMES).shape == (4, 0, 2)
        assert path_strokes([], TIMES, 10).shape == (4, 0, 2, 2)

    def test_distances_too_small_to_square(self):
        tiny = path((0, 0), (1e-200, 0), (2e-200, 0), (3e-200, 0))
        assert path_points([tiny], TIMES).isfinite().all()

    def test_an_unknown_speed(self):
        with pytest.raises(UserError, match="uniform, ease-in.*got 'reference'"):
            path_points([path((0, 0), speed="reference")], TIMES)


class TestStrokes:
    def test_along_the_path(self):
        strokes = path_strokes([CORNER], torch.tensor([0.25, 0.75]), 8)
        assert strokes.shape == (2, 1, 2, 2)
        expected = torch.tensor([[[0, 11], [0, 19]], [[11, 30], [19, 30]]]).double()
        assert torch.allclose(strokes[:, 0], expected)

    def test_centred_on_the_point_and_as_long_as_wanted(self):
        torch.manual_seed(0)
        paths = [Path(i, 500 * torch.rand(7, 2)) for i in range(3)]
        times = torch.linspace(0, 1, 9)
        strokes = path_strokes(paths, times, 24)
        assert torch.allclose(strokes.mean(dim=2), path_points(paths, times))
        lengths = (strokes[:, :, 1] - strokes[:, :, 0]).norm(dim=-1)
        assert torch.allclose(lengths, torch.full_like(lengths, 24))

    def test_horizontal_where_nothing_moves(self):
        strokes = path_strokes([path((5, 6))], TIMES, 4)
        assert strokes[2, 0].tolist() == [[3, 6], [7, 6]]

    def test_keeps_its_direction_at_the_end(self):
        """A path whose last curve has no length."""
        waiting = path((0, 0), (0, 10), (0, 20), (0, 30), (0, 30), (0, 30), (0, 30))
        stroke = path_strokes([waiting], torch.tensor([1.0]), 8)[0, 0]
        assert stroke.flatten().tolist() == pytest.approx([0, 26, 0, 34])
