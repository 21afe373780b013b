"""A drawn clip, and finders that look at it, for the tests of control frames of clips."""

from dataclasses import dataclass, field

import numpy as np
from drawn_people import walker

from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.pose import Poses
from fcvg_core.standalone.demo.scene import camera_move, draw_scene
from fcvg_core.training.data.motion import Finders

SIZE, COUNT, MAX_LINES = (128, 192), 9, 60


def draw_clip() -> np.ndarray:
    """A town whose camera moves, uint8 [COUNT, *SIZE, 3]."""
    steps = np.linspace(0, 1, COUNT)
    moves = (camera_move(SIZE, angle=3 * x, scale=1 + 0.1 * x, shift=(-x / 20, 0)) for x in steps)
    return np.stack([draw_scene(7, SIZE, move) for move in moves])


@dataclass
class WalkerFinder:
    """Finds one person who walks through the clip; knows the frames that it was asked for."""

    frames: np.ndarray
    asked: list[int] = field(default_factory=list)
    released: int = 0

    def __call__(self, frame: np.ndarray) -> Poses:
        number = next(i for i, known in enumerate(self.frames) if np.array_equal(known, frame))
        self.asked.append(number)
        found = walker(number / 2, at=(0.3 + 0.05 * number, 0.5), reach=(0.2, 0.4))
        found.scores[0, [3, 9]] = 0.1  # joints that are not seen
        return found

    def release(self) -> None:
        self.released += 1


def make_finders(frames: np.ndarray | None = None) -> Finders:
    """A classic matcher and, if the frames are given, a finder of the person in them."""
    match = ClassicLineMatcher(max_lines=MAX_LINES)
    return Finders(match, None if frames is None else WalkerFinder(frames))
