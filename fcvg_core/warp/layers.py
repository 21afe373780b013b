"""Possible motions of every pixel, each as a layer: of the camera, of objects, of people."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from ..lines import LineMatches
from .flow import refine
from .grid import blur, follow, is_outside, look_up, pixel_grid
from .limbs import move_limbs
from .line_field import spread_lines
from .objects import find_objects
from .view import View

# How much worse a layer must agree before another is preferred, 0..1: flow alone finds something
# alike everywhere, what lines say is rarely wrong.
LINES, PEOPLE, OBJECT, LINES_AND_FLOW, FLOW = 0.0, 0.0, 0.006, 0.01, 0.03
SHARPNESS = 3.0  # pixels, sigma over which colours are compared
MAX_UNSEEN = 0.03  # largest difference where a keyframe does not show a pixel at all
STEPS = 4  # until a map is turned round

PEOPLE_KNOWN = 0.5  # of the doubt, how much joints take away: a person moves, but seldom evenly


class Maps(NamedTuple):
    """Where a layer's pixels are in both keyframes.

    Attributes:
        to0, to1: maps [h, w, 2] to the keyframes.
        where: [h, w] bool, where the maps hold; None: everywhere.
        sure: [h, w] 0..1, where they hold whatever the keyframes show; None: nowhere.
    """

    to0: np.ndarray
    to1: np.ndarray
    where: np.ndarray | None = None
    sure: np.ndarray | None = None


class Layer(Protocol):
    """A motion from the first keyframe to the last.

    Attributes:
        caution: the difference that counts against the layer, 0..1.
        in_front: whether it covers what does not belong to it.
        known: 0..1, how much of the doubt the layer takes away where it is.
    """

    caution: float
    in_front: bool
    known: float

    def maps(self, time: float, at: np.ndarray | None = None) -> Maps:
        """Maps from the frame at a time 0..1 to both keyframes.

        Args:
            at: [h, w, 2] places of the frame's pixels, if they are not the pixels' own.
        """


@dataclass(frozen=True, eq=False)
class WarpLayer:
    """A motion that is known in the middle frame; pixels move straight and evenly.

    Attributes:
        to0, to1: maps [h, w, 2] from the middle frame to the keyframes.
        region: [h, w] bool, pixels of the middle frame that the layer may hold; None: all.
    """

    to0: np.ndarray
    to1: np.ndarray
    caution: float
    region: np.ndarray | None = None
    known: float = 0.0

    @property
    def in_front(self) -> bool:
        """Whether it covers what does not belong to it."""
        return self.region is not None

    def maps(self, time: float, at: np.ndarray | None = None) -> Maps:
        """See `Layer`."""
        pixels = pixel_grid(self.to0.shape[:2])
        moved = (1 - time) * self.to0 + time * self.to1 - pixels
        middle = at = pixels if at is None else at
        for _ in range(STEPS):
            middle = at - look_up(moved, middle)
        where = None
        if self.region is not None:
            where = look_up(np.float32(self.region), middle) > 0.5
        return Maps(follow(self.to0, middle), follow(self.to1, middle), where)


@dataclass(frozen=True, eq=False)
class PeopleLayer:
    """People, who move with their limbs: [2, N, 2, 2] pixels, see `pair_limbs`."""

    limbs: np.ndarray
    size: tuple[int, int]
    caution: float = PEOPLE
    in_front: bool = True
    known: float = PEOPLE_KNOWN

    def maps(self, time: float, at: np.ndarray | None = None) -> Maps:
        """See `Layer`."""
        return Maps(*move_limbs(self.limbs, time, self.size, at))


def find_layers(
    keyframes: tuple[np.ndarray, np.ndarray],
    matches: LineMatches | None,
    limbs: np.ndarray | None,
) -> list[Layer]:
    """All layers but that of paths; the first is that of the lines, or one where nothing moves.

    Args:
        keyframes: [h, w, 3] uint8, as the steady picture shows them (see `View`).
        matches: of the keyframes' size.
        limbs: [2, N, 2, 2] pixels of people, see `pair_limbs`; None: nobody is known.
    """
    size = keyframes[0].shape[:2]
    grays = tuple(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in keyframes)
    pixels = pixel_grid(size)
    half, others = np.zeros_like(pixels), np.zeros((0, 4))
    if matches is not None:
        field = spread_lines(matches, size)
        half, others = field.half, field.others
    lines = WarpLayer(pixels - half, pixels + half, LINES)
    layers: list[Layer] = [
        lines,
        WarpLayer(*refine(grays, lines.to0, lines.to1), LINES_AND_FLOW),
        WarpLayer(*refine(grays, pixels, pixels), FLOW),
    ]
    difference = np.min([compare(layer, keyframes, 0.5).difference for layer in layers], axis=0)
    middles = look_up(grays[0], lines.to0), look_up(grays[1], lines.to1)
    for thing in find_objects(*middles, difference, others):
        to0 = follow(lines.to0, pixels - thing.way / 2)
        to1 = follow(lines.to1, pixels + thing.way / 2)
        layers.append(WarpLayer(*refine(grays, to0, to1, thing.region), OBJECT, thing.region))
    if limbs is not None and limbs.size:
        layers.append(PeopleLayer(limbs, size))
    return layers


@dataclass(frozen=True, eq=False)
class Comparison:
    """A layer at one time.

    Attributes:
        to0, to1: maps [h, w, 2] to both keyframes.
        where: [h, w] bool, where the layer holds; None: everywhere.
        hidden0, hidden1: [h, w] bool, pixels that lie outside of a keyframe.
        difference: [h, w] 0..1, how much the two keyframes differ there.
        sure: [h, w] 0..1, where the layer holds whatever the keyframes show; None: nowhere.
    """

    to0: np.ndarray
    to1: np.ndarray
    where: np.ndarray | None
    hidden0: np.ndarray
    hidden1: np.ndarray
    difference: np.ndarray
    sure: np.ndarray | None


def compare(
    layer: Layer,
    keyframes: tuple[np.ndarray, np.ndarray],
    time: float,
    view: View | None = None,
) -> Comparison:
    """How well both keyframes agree with each other in a layer at a time 0..1.

    Args:
        view: the camera's move, if the layer is known in the steady picture.
    """
    if view is None:
        to0, to1, where, sure = layer.maps(time)
    else:
        at = np.float32(view.steady_places(pixel_grid(keyframes[0].shape[:2]), time))
        to0, to1, where, sure = layer.maps(time, at)
        to1 = np.float32(view.in_last(to1))
    apart = cv2.absdiff(look_up(keyframes[0], to0), look_up(keyframes[1], to1))
    difference = blur(apart.mean(axis=-1) / 255, SHARPNESS)
    hidden0, hidden1 = is_outside(to0), is_outside(to1)
    unseen = hidden0 | hidden1
    difference = np.where(unseen, np.minimum(difference, MAX_UNSEEN), difference)
    return Comparison(to0, to1, where, hidden0, hidden1, difference, sure)
