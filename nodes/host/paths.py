"""What the nodes of paths need of the host's values: CURVE, and the size of a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.paths import Path, fit_paths, report_paths
from .images import first_picture
from .wan import check_wan_size

ROUNDED = 1e-6  # rounding error by which a height may lie outside 0..1


def curve_heights(curve: object, count: int) -> list[float]:
    """Heights of a CURVE at even steps from its left end to its right end.

    Args:
        curve: the connected value, as core's Curve Editor gives it, or the points of a curve, as an
            API graph may hold them.
        count: number of heights, at least 2.

    Raises:
        UserError: the value is no CURVE, or a height is not in 0..1.

    Source: ComfyUI comfy_api/latest/_input/curve_types.py CurveInput.
    """
    height_at = _read_curve(curve).interp
    heights = np.array([height_at(float(x)) for x in np.linspace(0, 1, count)])
    if not (heights.min() >= -ROUNDED and heights.max() <= 1 + ROUNDED):  # NaN fails here as well
        raise UserError(
            f"curve has heights from {heights.min():g} to {heights.max():g}, but a motion lies in "
            "0..1: move the points of the curve."
        )
    return heights.clip(0, 1).tolist()


def _read_curve(curve: object) -> Any:
    """A CURVE of the host, also from its points."""
    if callable(getattr(curve, "interp", None)):
        return curve
    try:
        from comfy_api.input import CurveInput  # hosts after 0.8

        return CurveInput.from_raw(curve)
    except (ImportError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"curve is of type {type(curve).__name__}, but a CURVE is expected: connect Curve "
            "Editor, which newer releases of ComfyUI have."
        ) from error


def fit_to_video(
    paths: Sequence[Path], first_frame: Tensor | None, size: tuple[int, int]
) -> tuple[Path, ...]:
    """Paths that lie on a keyframe, in a video of another model, which crops and resizes it.

    What is known of the paths is logged.

    Args:
        first_frame: an IMAGE; None: the paths keep their pixels.
        size: (height, width) of the video.

    Raises:
        ValueError: the picture is no IMAGE, or the model does not take this size.
    """
    check_wan_size(*size)
    if first_frame is not None:
        picture = first_picture(first_frame, "first_frame")
        paths = fit_paths(paths, tuple(picture.shape[1:3]), size)
    report_paths(paths)
    return tuple(paths)
