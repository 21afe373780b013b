"""Few curves near many samples."""

import pytest
import torch

from fcvg_core.paths import path_points
from fcvg_core.paths.samples import path_through

U = torch.linspace(0, 1, 81, dtype=torch.float64)
WAVE = torch.stack([100 + 800 * U, 300 + 200 * torch.sin(6 * U)], dim=1)
CIRCLE = torch.stack([400 + 200 * torch.cos(6.28 * U), 300 + 200 * torch.sin(6.28 * U)], dim=1)
NOISE = 500 * torch.rand(81, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def error(samples: torch.Tensor, max_error: float) -> tuple[int, float]:
    """Number of curves, and the largest distance at the times of the samples."""
    path = path_through(0, samples, max_error)
    times = torch.linspace(0, 1, len(samples), dtype=torch.float64)
    distances = (path_points([path], times)[:, 0] - samples).norm(dim=1)
    return (len(path.points) - 1) // 3, float(distances.max())


@pytest.mark.parametrize("max_error", [0.1, 1, 5])
@pytest.mark.parametrize(
    "samples",
    [WAVE, WAVE.round(), CIRCLE, NOISE, torch.cat([WAVE, WAVE.flip(0)]), WAVE[:3], WAVE[::16]],
)
def test_error_has_its_limit(samples, max_error: float) -> None:
    assert error(samples, max_error)[1] <= max_error + 1e-9


@pytest.mark.parametrize(("samples", "most"), [(WAVE.round(), 2), (CIRCLE.round(), 4)])
def test_few_curves_suffice(samples, most: int) -> None:
    assert error(samples, 1)[0] <= most


@pytest.mark.parametrize("samples", [WAVE, NOISE])
def test_exact_without_an_error(samples) -> None:
    assert error(samples, 0)[1] < 1e-9


def test_waits_where_the_samples_wait() -> None:
    waiting = WAVE[[0] * 20 + list(range(41)) + [40] * 20]
    path = path_through(0, waiting, 1)
    assert path.speed[:20] == [0] * 20 and path.speed[-20:] == [1] * 20
    assert error(waiting, 1)[1] <= 1
