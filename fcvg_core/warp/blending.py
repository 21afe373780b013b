"""Layers -> how much each layer, and each keyframe in it, counts for every pixel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .grid import blur, look_up
from .layers import SHARPNESS, Comparison, Layer, WarpLayer, compare
from .path_layer import PathLayer
from .view import View

AWAY = 1.0  # difference of a pixel that a layer does not hold
POWER, SMALLEST = 3.0, 0.004  # a layer's weight is (difference + SMALLEST) ** -POWER
HIDDEN = 0.001  # weight of a keyframe that does not show a pixel
# A pixel of a keyframe belongs to a layer in front if its difference there is smaller than behind,
# by FRONT_LEAD to FRONT_LEAD + FRONT_RANGE.
FRONT_LEAD, FRONT_RANGE = 0.02, 0.12
# Largest difference of a pixel that the other keyframe hides behind a layer in front, and how much
# more it may be if nothing hides it.
COVERED, UNCOVERED = 0.02, 0.1
CLAIM_RANGE = 0.04  # lead in both keyframes for which a layer surely is in front
CLAIMED = 0.008  # the difference of a pixel that a layer surely covers
MIN_OBJECT, OBJECT_FIT = 0.003, 0.04  # share of a frame that an object explains at this difference
BAD, BAD_SOFTNESS = 0.04, 0.008  # difference above which a pixel counts as not explained
WIDE = 48.0  # pixels, sigma over which trust is averaged
WHOLE = 0.75  # how much the whole frame counts for the trust in a pixel
TRUSTED, DOUBTED = 0.14, 0.23  # share of what moves that is not explained, for full and least trust
# Film seldom moves evenly, so that even a perfect match is in the wrong place half-way. A plain
# blend is then nearer to the truth than a sharp frame.
LEAST_TRUST = 0.4


@dataclass(frozen=True, eq=False)
class Share:
    """What a layer gives to a frame.

    Attributes:
        to0, to1: maps [h, w, 2] to both keyframes.
        weight0, weight1: [h, w] weights of the keyframes at these places, 0..1.
    """

    to0: np.ndarray
    to1: np.ndarray
    weight0: np.ndarray
    weight1: np.ndarray


class Blend:
    """Decides between layers, by what both keyframes themselves show.

    Args:
        keyframes: [h, w, 3] uint8.
        layers: from `find_layers`; objects that explain too little are left out. A layer of paths
            may follow them.
        view: the camera's move, if the layers are known in the steady picture.

    Attributes:
        explained: 0..1, how much of what differs between the keyframes the layers explain.
        trust: [h, w] 0..1, how much the layers count where no person and no path is; a plain blend
            of both keyframes is the rest.
    """

    def __init__(
        self,
        keyframes: tuple[np.ndarray, np.ndarray],
        layers: list[Layer],
        view: View | None = None,
    ):
        self.keyframes = keyframes
        self.view = view
        costs = [[_cost(layer, self._see(layer, time)) for time in (0.0, 1.0)] for layer in layers]
        kept = [i for i, layer in enumerate(layers) if _is_real(layer, costs[i], costs[0])]
        self.layers = [layers[i] for i in kept]
        costs = [costs[i] for i in kept]
        paths = costs[-1] if isinstance(self.layers[-1], PathLayer) else None
        in_front = [
            cost
            for layer, cost in zip(self.layers, costs, strict=True)
            if layer.in_front and cost is not paths
        ]
        front = [np.min(side, axis=0, initial=AWAY) for side in zip(*in_front, strict=True)]
        # By layer and keyframe, [h, w] each: how much better it explains a pixel than the lines
        # do, and how surely something in front, or a path, has taken the pixel.
        self._leads = [_each(costs[0], cost, np.subtract) for cost in costs]
        self._taken = [
            [np.zeros_like(one) for one in cost]
            if layer.in_front or not front
            else _each(cost, front, _taken)
            for layer, cost in zip(self.layers, costs, strict=True)
        ]
        self._dragged = None if paths is None else self._take_for_paths(costs)
        self.explained, self.trust = self._judge()

    def shares(self, time: float) -> list[Share]:
        """What the layers give to the frame at a time 0..1.

        All weights of a pixel together are the trust in it; a plain blend is the rest. What surely
        follows a path lies over all layers.
        """
        looks = [self._look(i, time) for i in range(len(self.layers))]
        free = np.prod([1 - look.claim for look in looks], axis=0)
        weights = [
            look.weight if layer.in_front else look.weight * free
            for layer, look in zip(self.layers, looks, strict=True)
        ]
        if self._dragged is not None:
            weights[:-1] = [weight * (1 - looks[-1].claim) for weight in weights[:-1]]
        weights = [blur(weight, 1.0) for weight in weights]
        trust = 1 - (1 - self.trust) * (1 - self._known(looks))
        scale = trust / np.sum(weights, axis=0)
        parts = [weight * scale for weight in weights]
        if (sure := looks[-1].here.sure) is not None:
            parts = [part * (1 - sure) for part in parts]
            parts[-1] = parts[-1] + sure
        return [look.share(part, time) for look, part in zip(looks, parts, strict=True)]

    def _see(self, layer: Layer, time: float) -> Comparison:
        return compare(layer, self.keyframes, time, self.view)

    def _take_for_paths(self, costs: list[list[np.ndarray]]) -> list[Sequence[np.ndarray]]:
        """As `_taken`, of what follows a path, which no other layer shows."""
        surely = [self._see(self.layers[-1], time).sure for time in (0.0, 1.0)]
        # What an object's layer explains too belongs to the path, but not what the lines explain.
        taken = _each(_each(costs[0], costs[-1], _taken), surely, np.maximum)
        return [taken] * len(costs[:-1]) + [[np.zeros_like(sure) for sure in surely]]

    def _look(self, i: int, time: float) -> "_Look":
        """A layer at a time 0..1."""
        layer = self.layers[i]
        here = self._see(layer, time)
        taken = _each(self._taken[i], (here.to0, here.to1), look_up)
        dragged, away = None, taken
        if self._dragged is not None:
            dragged = _each(self._dragged[i], (here.to0, here.to1), look_up)
            away = _each(taken, dragged, np.maximum)
        difference = _explained(here.difference, *away)
        weight = (difference + layer.caution + SMALLEST) ** -POWER
        if dragged is not None:
            weight = weight * (1 - (1 - HIDDEN) * dragged[0] * dragged[1])
        claim = np.zeros_like(weight)
        if layer.in_front:
            claim = self._claim(i, here)
            weight = np.maximum(weight, claim * CLAIMED**-POWER)
        if here.where is not None:
            weight = np.where(here.where, weight, 0)
        return _Look(here, taken, dragged, difference, weight, claim)

    def _claim(self, i: int, here: Comparison) -> np.ndarray:
        """How surely a layer in front covers each pixel, 0..1.

        The pixel belongs to the layer in both keyframes, where the lines do not explain it. A
        pixel behind may agree just as well, because both keyframes show it before and after.
        """
        lead = np.minimum(*_each(self._leads[i], (here.to0, here.to1), look_up))
        return _surely(lead) * here.where

    def _known(self, looks: list["_Look"]) -> np.ndarray:
        """How much of the doubt in each pixel is taken away, 0..1.

        Joints and paths say more than agreement, about the pixels where a person or the end of a
        path is or was.
        """
        lines = looks[0].here
        found = np.zeros_like(self.trust)
        for i, layer in enumerate(self.layers):
            if layer.known:
                left = _each(self._leads[i], (lines.to0, lines.to1), look_up)
                most = np.maximum.reduce([looks[i].claim, *_surely(left)])
                found = np.maximum(found, layer.known * most)
        return found

    def _judge(self) -> tuple[float, np.ndarray]:
        """`explained` and `trust`: the second is by what is explained around each pixel, too."""
        looks = [self._look(i, 0.5) for i in range(len(self.layers))]
        best = np.min([look.cost() for look in looks], axis=0)
        moving = blur(cv2.absdiff(*self.keyframes).mean(axis=-1) / 255, SHARPNESS)
        moving = moving * ~looks[0].unseen()
        bad = moving / (1 + np.exp((BAD - best) / BAD_SOFTNESS))
        around = blur(bad, WIDE) / (blur(moving, WIDE) + 0.002)
        whole = bad.sum() / (moving.sum() + 1e-6)
        share = WHOLE * whole + (1 - WHOLE) * around
        doubt = ((share - TRUSTED) / (DOUBTED - TRUSTED)).clip(0, 1)
        return float(1 - whole), 1 - (1 - LEAST_TRUST) * doubt**2 * (3 - 2 * doubt)


@dataclass(frozen=True, eq=False)
class _Look:
    """A layer at one time; all but `here` are [h, w] arrays.

    Attributes:
        taken: how surely each keyframe's pixel belongs to a layer in front, 0..1.
        dragged: how surely it follows a path that the layer does not know, 0..1; None: no path.
        difference: of both keyframes, less where something in front explains it.
        weight: of the layer.
        claim: how surely the layer covers a pixel, 0..1.
    """

    here: Comparison
    taken: tuple[np.ndarray, np.ndarray]
    dragged: tuple[np.ndarray, np.ndarray] | None
    difference: np.ndarray
    weight: np.ndarray
    claim: np.ndarray

    def share(self, weight: np.ndarray, time: float) -> Share:
        """The keyframes' parts in the layer's weight: by time, and by what each shows."""
        here = self.here
        shown0, shown1 = (
            part * np.where(hidden, HIDDEN, 1) * (1 - (1 - HIDDEN) * taken)
            for part, hidden, taken in zip(
                (1 - time, time), (here.hidden0, here.hidden1), self.taken, strict=True
            )
        )
        if self.dragged is not None:
            shown0, shown1 = (
                shown * (1 - (1 - HIDDEN) * dragged)
                for shown, dragged in zip((shown0, shown1), self.dragged, strict=True)
            )
        total = shown0 + shown1
        return Share(here.to0, here.to1, weight * shown0 / total, weight * shown1 / total)

    def unseen(self) -> np.ndarray:
        """Pixels that a keyframe does not show, because they lie outside of it."""
        return self.here.hidden0 | self.here.hidden1

    def cost(self) -> np.ndarray:
        """The difference where both keyframes show a pixel; elsewhere the largest."""
        cost = np.where(self.unseen(), AWAY, self.difference)
        return cost if self.here.where is None else np.where(self.here.where, cost, AWAY)


def _each(
    pair: Sequence[np.ndarray], other: Sequence[np.ndarray], function: Callable
) -> tuple[np.ndarray, np.ndarray]:
    """A function of two arrays, for the first and for the last keyframe."""
    return function(pair[0], other[0]), function(pair[1], other[1])


def _surely(lead: np.ndarray) -> np.ndarray:
    """How surely a pixel belongs to a layer in front, 0..1, by its lead over the lines."""
    return (np.asarray(lead) / CLAIM_RANGE).clip(0, 1)


def _explained(difference: np.ndarray, taken0: np.ndarray, taken1: np.ndarray) -> np.ndarray:
    """A difference, less where something in front covers the pixel in one keyframe."""
    one_sided = np.maximum(taken0, taken1) - taken0 * taken1
    return np.minimum(difference, COVERED + UNCOVERED * (1 - one_sided))


def _cost(layer: Layer, here: Comparison) -> np.ndarray:
    """What speaks against a layer in each pixel, 0..1."""
    cost = here.difference + layer.caution
    return cost if here.where is None else np.where(here.where, cost, AWAY)


def _is_real(layer: Layer, costs: list[np.ndarray], behind: list[np.ndarray]) -> bool:
    """Whether an object explains enough of both keyframes that the lines do not explain."""
    if not (layer.in_front and isinstance(layer, WarpLayer)):
        return True
    explained = [
        ((back - cost > CLAIM_RANGE) & (cost < OBJECT_FIT)).mean()
        for cost, back in zip(costs, behind, strict=True)
    ]
    return min(explained) > MIN_OBJECT


def _taken(cost: np.ndarray, front: np.ndarray) -> np.ndarray:
    """How surely each pixel of a keyframe belongs to a layer in front of this one, 0..1."""
    return np.float32((cost - front - FRONT_LEAD) / FRONT_RANGE).clip(0, 1)
