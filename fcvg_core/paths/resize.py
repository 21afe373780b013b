"""Paths -> the same paths in a picture of another size."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from .types import Path


def scale_paths(paths: Sequence[Path], scale: float | tuple[float, float]) -> tuple[Path, ...]:
    """The paths in a picture that is `scale` times as large, or (x, y) times as wide and high."""
    return tuple(
        replace(path, points=path.points * path.points.new_tensor(scale)) for path in paths
    )


def fit_paths(
    paths: Sequence[Path], size: tuple[int, int], target: tuple[int, int]
) -> tuple[Path, ...]:
    """The paths after their picture is cropped and resized; see `fit_points`."""
    return tuple(replace(path, points=fit_points(path.points, size, target)) for path in paths)


def fit_points(points: Tensor, size: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """Points after their picture is cropped around its centre and resized, as ComfyUI does it.

    Args:
        points: [..., 2] (x, y) in pixels.
        size: (height, width) of the picture on which the points lie.
        target: (height, width) of the result.

    Source: ComfyUI comfy/utils.py common_upscale with crop "center".
    """
    (height, width), (new_height, new_width) = size, target
    aspect, new_aspect = width / height, new_width / new_height
    left = max(round((width - width * (new_aspect / aspect)) / 2), 0)
    top = max(round((height - height * (aspect / new_aspect)) / 2), 0)
    scale = (new_width / (width - 2 * left), new_height / (height - 2 * top))
    return (points - points.new_tensor([left, top])) * points.new_tensor(scale)
