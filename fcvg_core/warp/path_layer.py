"""Points that follow paths -> a layer of the pixels around the points, which move with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from ..paths import Path, path_points
from .flow import refine
from .grid import blur, coarse_grid, fill_cells, look_up, pixel_grid, smooth_cells, to_pixels
from .layers import Layer, Maps, WarpLayer, compare
from .view import View

FALL = 3  # power of the distance with which a point's influence falls
# Pixels of a frame whose longer side is 512.
REACH = 64.0  # around a point, pixels follow it as far as both keyframes agree
SURE, SURE_ALONE = 5.0, 24.0  # they follow it anyhow; the second number: if nothing agrees
EDGE = 8.0  # from pixels that surely follow to those that do so if they agree
AGREES, DISAGREES = 0.03, 0.08  # difference of what lies under a point that both keyframes show
LEAD, AROUND = 0.05, 6.0  # how much better it agrees than by the lines, and pixels around it
KNOWN = 1.0  # of the doubt, how much a path takes away: it was drawn on purpose


@dataclass(frozen=True, eq=False)
class Tracks:
    """Paths in a span's small frames.

    Attributes:
        paths: M > 0, in pixels of the keyframes.
        size: (height, width) of the keyframes, in pixels.
        small: (height, width) of the small frames.
        view: takes the camera's move out of the places; None: the camera stands still.
    """

    paths: Sequence[Path]
    size: tuple[int, int]
    small: tuple[int, int]
    view: View | None = None

    def places(self, time: float) -> np.ndarray:
        """Where the points are in the steady picture at a time 0..1: [M, 2] pixels."""
        points = path_points(self.paths, torch.tensor([time]))[0].numpy()
        ratio = np.array(self.small[::-1]) / self.size[::-1]
        places = (points + 0.5) * ratio - 0.5
        return places if self.view is None else self.view.steady_places(places, time)


@dataclass(frozen=True, eq=False)
class PathLayer:
    """What lies around points that follow paths.

    Attributes:
        tracks: of M points.
        sure: [M] pixels around each point that surely follow it.
        turning: how what lies around the points turns and grows beside their ways: from the middle
            frame, where the points are at the time 0.5. None: it does not.
    """

    tracks: Tracks
    sure: np.ndarray
    turning: WarpLayer | None = None
    caution: float = 0.0
    in_front: bool = True
    known: float = KNOWN

    def maps(self, time: float, at: np.ndarray | None = None) -> Maps:
        """See `Layer`."""
        size = self.tracks.small
        nodes = coarse_grid(size)
        if at is not None:
            nodes = look_up(at, nodes)
        now = self.tracks.places(time)
        ways = [self.tracks.places(other) - now for other in (0.0, 0.5, 1.0)]
        distances = [np.linalg.norm(nodes - place, axis=-1) for place in now]
        to0, middle, to1 = (to_pixels(nodes + _spread(way, distances), size) for way in ways)
        if self.turning is not None:
            turned = self.turning.maps(time, middle)
            to0, to1 = to0 + turned.to0 - middle, to1 + turned.to1 - middle
        near = fill_cells(np.min(distances, axis=0) <= REACH, size)
        sure = [
            ((radius + EDGE - distance) / EDGE).clip(0, 1)
            for radius, distance in zip(self.sure, distances, strict=True)
        ]
        return Maps(to0, to1, near, smooth_cells(np.max(sure, axis=0), size))


def find_path_layer(
    tracks: Tracks,
    keyframes: tuple[np.ndarray, np.ndarray],
    steady: tuple[np.ndarray, np.ndarray],
    lines: Layer,
) -> PathLayer:
    """The layer of points that follow paths.

    Where both keyframes show the same under a point, and not by the motion of the lines, they say
    themselves how far around it pixels move with it. Otherwise a circle around the point moves.

    Args:
        keyframes: [h, w, 3] uint8, the small frames of `tracks`.
        steady: the same as the steady picture shows them.
        lines: the layer of the lines.
    """
    layer = PathLayer(tracks, np.full(len(tracks.paths), SURE))
    layer = replace(layer, turning=_find_turning(layer, steady))
    here, there = (compare(each, keyframes, 0.0, tracks.view) for each in (layer, lines))
    places = np.float32(tracks.places(0.0))[None]
    apart, lead, hidden = (
        look_up(np.float32(plane), places)[0]
        for plane in (
            here.difference,
            blur(there.difference - here.difference, AROUND),
            here.hidden0 | here.hidden1,
        )
    )
    agrees = _part(DISAGREES - apart, DISAGREES - AGREES) * (hidden == 0)
    sure = SURE_ALONE + (SURE - SURE_ALONE) * agrees * _part(lead, LEAD)
    return replace(layer, sure=sure, turning=_weaken(layer.turning, tracks, agrees))


def _part(value: np.ndarray, whole: float) -> np.ndarray:
    return (value / whole).clip(0, 1)


def _find_turning(layer: PathLayer, steady: tuple[np.ndarray, np.ndarray]) -> WarpLayer:
    """What optical flow adds to the ways of points, in the middle frame."""
    grays = tuple(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in steady)
    to0, to1, near, _ = layer.maps(0.5)
    refined = refine(grays, to0, to1, near)
    pixels = pixel_grid(near.shape)
    return WarpLayer(pixels + refined[0] - to0, pixels + refined[1] - to1, layer.caution)


def _weaken(turning: WarpLayer, tracks: Tracks, parts: np.ndarray) -> WarpLayer:
    """A part [M] of how what lies around each point turns."""
    nodes, places = coarse_grid(tracks.small), tracks.places(0.5)
    distances = [np.linalg.norm(nodes - place, axis=-1) for place in places]
    part = smooth_cells(_spread(parts[:, None], distances)[..., 0], tracks.small)[..., None]
    pixels = pixel_grid(tracks.small)
    to0, to1 = (pixels + part * (places - pixels) for places in (turning.to0, turning.to1))
    return replace(turning, to0=to0, to1=to1)


def _spread(values: np.ndarray, distances: list[np.ndarray]) -> np.ndarray:
    """Values [M, 2] of points, between the points by distance: [rows, columns, 2]."""
    weights = [1 / (1 + distance) ** FALL for distance in distances]
    total = sum(weight[..., None] * value for weight, value in zip(weights, values, strict=True))
    return total / sum(weights)[..., None]
