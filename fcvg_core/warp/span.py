"""Two neighbouring keyframes and what moves between them -> any frame between the two."""

import logging
from dataclasses import replace

import cv2
import numpy as np
import torch

from ..lines import LineMatches
from ..lines.filter import select_matches
from ..motion import Span, held_mask, hold_still
from .blending import Blend
from .grid import enlarge, is_near, look_up
from .layers import Layer, find_layers
from .limbs import pair_limbs
from .path_layer import Tracks, find_path_layer
from .view import View

# Motions are found in frames whose longer side is at most so long: they are smooth, and the
# numbers of this room, in pixels, fit frames of this size.
LONGEST = 512
MIN_SIDE = 32  # pixels; optical flow needs so many
MOSTLY = 0.7  # mean trust below which the log says that much is a plain blend
FEATHER = 0.01  # of the longer side; width over which a region that stands still fades


class SpanPreview:
    """The frames between two keyframes.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        span: what moves, in pixels of the keyframes.
        between: begin of what is logged, for example "Keyframes 2 and 3: "; or empty.
    """

    def __init__(self, keyframes: tuple[np.ndarray, np.ndarray], span: Span, between: str = ""):
        self.keyframes = keyframes
        size = keyframes[0].shape[:2]
        self._held = held_mask(span.holds, size, FEATHER * max(size)) if span.holds else None
        self._blend = _blend_of(keyframes, hold_still(span, size), between)

    def frame(self, time: float) -> np.ndarray:
        """The frame at a time 0..1: [H, W, 3] uint8; at 0 and at 1 the keyframe itself."""
        first, last = self.keyframes
        if time in (0.0, 1.0):
            return self.keyframes[int(time)]
        if self._blend is None:
            frame = cv2.addWeighted(first, 1 - time, last, time, 0)
        else:
            frame = _paint(self.keyframes, self._blend, time)
        if self._held is None:
            return frame
        held = self._held[..., None]
        return np.rint(first * held + frame * (1 - held)).astype(np.uint8)


def _blend_of(keyframes: tuple[np.ndarray, np.ndarray], span: Span, between: str) -> Blend | None:
    """How the layers are blended; None if nothing moves, or nothing says how."""
    size = keyframes[0].shape[:2]
    drawn = bool(span.paths) or span.camera is not None
    if span.matches is not None:
        span = replace(span, matches=_near_lines(span.matches))
    if not (drawn or _show_motion(span, size)):
        logging.warning(
            "%sNo line and no person is in both keyframes: the preview is a plain blend of both.",
            between,
        )
        return None
    if min(size) < MIN_SIDE or (np.array_equal(*keyframes) and not drawn):
        return None
    blend = _look(keyframes, span)
    if blend.trust.mean() < MOSTLY:
        logging.warning(
            "%sLines, objects and people explain only %d %% of what changes between the keyframes: "
            "much of the preview is a plain blend of both.",
            between,
            round(100 * blend.explained),
        )
    return blend


def _show_motion(span: Span, size: tuple[int, int]) -> bool:
    """Whether a line, or a limb of a person, is in both keyframes."""
    lines = span.matches is not None and len(span.matches.lines0) > 0
    people = span.people
    return lines or (people is not None and pair_limbs(people, size, span.pairs).size > 0)


def _near_lines(matches: LineMatches) -> LineMatches:
    """The lines that lie in the frame or near it, in both keyframes."""
    ends = torch.stack([matches.lines0, matches.lines1])
    near = is_near(ends.numpy(), matches.size).all(axis=(0, 2))
    return select_matches(matches, torch.from_numpy(near))


def _look(keyframes: tuple[np.ndarray, np.ndarray], span: Span) -> Blend:
    """The layers of both keyframes, found in smaller frames."""
    size = keyframes[0].shape[:2]
    scale = min(LONGEST / max(size), 1)
    small = tuple(max(round(side * scale), MIN_SIDE) for side in size)
    frames = tuple(
        cv2.resize(frame, small[::-1], interpolation=cv2.INTER_AREA) for frame in keyframes
    )
    if span.matches is not None:
        span = replace(span, matches=_shrink(span.matches, small))
    view = None if span.camera is None else View(span.camera, size, small)
    steady = frames if view is None else (frames[0], view.steady_frame(frames))
    layers = _find_layers(steady, span, view)
    if span.paths:
        tracks = Tracks(span.paths, size, small, view)
        layers.append(find_path_layer(tracks, frames, steady, layers[0]))
    return Blend(frames, layers, view)


def _shrink(matches: LineMatches, small: tuple[int, int]) -> LineMatches:
    """Lines in the pixels of smaller frames."""
    height, width = matches.size
    ratio = matches.lines0.new_tensor([small[1] / width, small[0] / height])
    # Pixel centres are whole numbers.
    lines0, lines1 = ((lines + 0.5) * ratio - 0.5 for lines in (matches.lines0, matches.lines1))
    return replace(matches, lines0=lines0, lines1=lines1, size=small)


def _find_layers(
    steady: tuple[np.ndarray, np.ndarray], span: Span, view: View | None
) -> list[Layer]:
    """Layers of lines, objects and people, in the steady picture."""
    matches, people, pairs = span.matches, span.people, span.pairs
    if view is not None:
        if matches is not None:
            matches = _near_lines(view.steady_lines(matches))
        if people is not None:
            pairs = span.people_pairs  # as control frames pair them
            people = people[0], view.steady_people(people[1])
    size = steady[0].shape[:2]
    limbs = None if people is None else pair_limbs(people, size, pairs)
    return find_layers(steady, matches, limbs)


def _paint(keyframes: tuple[np.ndarray, np.ndarray], blend: Blend, time: float) -> np.ndarray:
    """The frame at a time between 0 and 1: [H, W, 3] uint8."""
    size = keyframes[0].shape[:2]
    shares = blend.shares(time)
    trust = np.sum([share.weight0 + share.weight1 for share in shares], axis=0)
    doubt = cv2.resize(np.float32(1 - trust), size[::-1])
    total = keyframes[0] * ((1 - time) * doubt)[..., None]
    total += keyframes[1] * (time * doubt)[..., None]
    for share in shares:
        for keyframe, places, weight in zip(
            keyframes, (share.to0, share.to1), (share.weight0, share.weight1), strict=True
        ):
            moved = look_up(keyframe, enlarge(places, size), cv2.INTER_CUBIC)
            total += moved * cv2.resize(np.float32(weight), size[::-1])[..., None]
    return np.rint(total).astype(np.uint8)
