"""Sampled points -> paths that pass through them at their times."""

from typing import Any

import torch
from torch import Tensor

from ..bounds import FRAMES
from ..errors import UserError
from ..json_text import parse_json
from ..quoting import quote
from .fit import fit_curves
from .paths_json import FARTHEST, MAX_PATHS, is_coordinate
from .track import find_moved
from .types import UNIFORM, Path

SPLINES_FORM = (
    'one list of points {"x": 12, "y": 34}, or a list of such lists: the output coord_str of '
    "Spline Editor (KJNodes)"
)
EVEN = 1e-6  # shares of the length that differ by less from an even speed are even


def path_through(number: int, samples: Tensor, max_error: float) -> Path:
    """A path with the id `number` that is at each sample when the sample's time has come.

    The times of the samples are spread evenly over the motion.

    Args:
        samples: [N, 2] (x, y) in pixels, N is 1 to 1024.
        max_error: how far the point may be from a sample at the sample's time, in pixels. 0: the
            path is exact, and between two samples the point moves evenly and straight. Above 0 the
            path has few Bezier curves; see `fit_curves`.
    """
    samples = samples.to(torch.float64)
    moved = find_moved(samples)
    points, behind = fit_curves(samples[moved], max_error)
    return Path(number, points, _speed(behind[moved.cumsum(0) - 1]))


def read_kj_splines(text: str | bytes, name: str, *, max_error: float) -> tuple[Path, ...]:
    """Paths from the text that KJNodes' Spline Editor gives for the splines drawn in it.

    The editor gives points that it has sampled along each spline, rounded to whole pixels. The
    path of a spline passes through all of them, evenly in time. A single point, which the editor
    repeats, stands still.

    Args:
        text: JSON in the form of `SPLINES_FORM`.
        name: of the text, for messages.
        max_error: see `path_through`.

    Raises:
        UserError: the text has another form. The message says which spline and which point.

    Source: kijai/ComfyUI-KJNodes nodes/curve_nodes.py SplineEditor.splinedata, and
        web/js/editors/spline_editor_canvas.js samplePoints.
    """
    try:
        found = parse_json(text)
        splines = _as_splines(found)
        points = [_read_spline(spline, f"spline {i}") for i, spline in enumerate(splines, 1)]
    except ValueError as error:
        raise UserError(
            f"{name} does not hold splines ({error}). Expected: {SPLINES_FORM}."
        ) from error
    return tuple(path_through(i, samples, max_error) for i, samples in enumerate(points))


def check_samples(count: int, name: str) -> None:
    """Raise ValueError if there are more samples than a speed can have."""
    if count > FRAMES.maximum:
        raise ValueError(f"{name} has {count} points, more than {FRAMES.maximum}")


def _speed(behind: Tensor) -> str | list[float]:
    """The speed from the length [N] that is behind the point at each sample."""
    if behind[-1] == 0:
        return UNIFORM
    shares = behind / behind[-1]
    even = torch.linspace(0, 1, len(shares), dtype=shares.dtype)
    return UNIFORM if (shares - even).abs().max() < EVEN else shares.tolist()


def _as_splines(found: Any) -> list[Any]:
    """A list of splines, whether there is one or there are several."""
    if not isinstance(found, list) or not found:
        raise ValueError("it is no list" if not isinstance(found, list) else "the list is empty")
    splines = [found] if isinstance(found[0], dict) else found
    if len(splines) > MAX_PATHS:
        raise ValueError(f"there are {len(splines)} splines, more than {MAX_PATHS}")
    return splines


def _read_spline(spline: Any, name: str) -> Tensor:
    """Points of one spline as [N, 2]; ValueError says which point is wrong."""
    if not isinstance(spline, list) or not spline:
        found = "an empty list" if spline == [] else quote(spline)
        raise ValueError(f"{name} is {found}, not a list of points")
    check_samples(len(spline), name)
    for place, point in enumerate(spline, 1):
        keys = [point.get(key) for key in "xy"] if isinstance(point, dict) else [None]
        if not all(map(is_coordinate, keys)):
            raise ValueError(
                f"point {place} of {name} is {quote(point)}; expected x and y, numbers of pixels "
                f"from -{FARTHEST:.0f} to {FARTHEST:.0f}"
            )
    return torch.tensor([[point["x"], point["y"]] for point in spline], dtype=torch.float64)
