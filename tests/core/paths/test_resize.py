"""Paths in pictures of other sizes."""

import pytest
import torch

from fcvg_core.paths import Path, fit_paths, scale_paths

PATH = Path(1, torch.tensor([[60.0, 40]]), [0, 1], {"name": "ball"})


@pytest.mark.parametrize(("scale", "expected"), [(2, [120, 80]), ((2, 0.5), [120, 20])])
def test_scaled(scale, expected) -> None:
    (path,) = scale_paths([PATH], scale)
    assert path.points.tolist() == [expected]
    assert (path.id, path.speed, path.notes) == (PATH.id, PATH.speed, PATH.notes)


@pytest.mark.parametrize(
    ("size", "target", "expected"),
    [
        ((100, 200), (50, 100), [30, 20]),  # half as large
        ((100, 200), (100, 100), [10, 40]),  # 50 pixels are cut off on each side
        ((200, 100), (100, 100), [60, -10]),  # and here above and below
    ],
)
def test_fitted_as_the_picture(size, target, expected) -> None:
    (path,) = fit_paths([PATH], size, target)
    assert path.points[0].tolist() == pytest.approx(expected) and path.id == 1
    assert path.speed == [0, 1]
