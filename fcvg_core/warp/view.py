"""A camera's move taken out of a span: what is left moves straight.

The steady picture is the first keyframe's, and everything of the last keyframe as the camera would
have shown it, if it had stayed where it began.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from ..lines import LineMatches
from ..motion import Camera
from ..pose import Poses
from .grid import is_outside, look_up, pixel_grid

NEAREST = 1e-3  # smallest depth of a place, where the camera's plane has 1
BEHIND = -1e6  # pixels; the place of what is behind the camera: outside of every frame


@dataclass(frozen=True, eq=False)
class View:
    """What a moving camera sees.

    Attributes:
        camera: its move.
        size: (height, width) of the keyframes, in pixels.
        small: (height, width) of the frames in which the motion is found. Maps and places are in
            their pixels, whose middles are whole numbers.
    """

    camera: Camera
    size: tuple[int, int]
    small: tuple[int, int]

    def move(self, time: float) -> np.ndarray:
        """Homography [3, 3] from the steady picture to the frame at a time 0..1."""
        # The middles of a camera's pixels are whole numbers and a half.
        moved = self.camera.at(torch.tensor([time], dtype=torch.float64), self.size)[0].numpy()
        ratio = np.array(self.small) / self.size
        scale = np.diag([ratio[1], ratio[0], 1.0])
        scale[:2, 2] = -0.5
        return scale @ moved @ np.linalg.inv(scale)

    def steady_places(self, places: np.ndarray, time: float) -> np.ndarray:
        """Places [..., 2] of the frame at a time 0..1, in the steady picture."""
        return carry(np.linalg.inv(self.move(time)), places)

    def in_last(self, places: np.ndarray) -> np.ndarray:
        """Places [..., 2] of the steady picture, in the last keyframe."""
        return carry(self._last, places)

    def steady_frame(self, keyframes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """The last keyframe as the steady picture shows it: [h, w, 3].

        What the last keyframe does not show is as in the first keyframe: nothing moves there.

        Args:
            keyframes: [h, w, 3] uint8, small.
        """
        first, last = keyframes
        places = np.float32(self.in_last(pixel_grid(self.small)))
        return np.where(is_outside(places)[..., None], first, look_up(last, places))

    def steady_lines(self, matches: LineMatches) -> LineMatches:
        """Lines in pixels of the small frames, those of the last keyframe in the steady picture."""
        places = self.steady_places(matches.lines1.double().numpy(), 1.0)
        return replace(matches, lines1=torch.from_numpy(places).to(matches.lines1))

    def steady_people(self, people: Poses) -> Poses:
        """People of the last keyframe, in the steady picture."""
        scale = np.array(self.small[::-1])
        places = self.steady_places(people.keypoints.numpy() * scale, 1.0) / scale
        return replace(people, keypoints=torch.from_numpy(places))

    @cached_property
    def _last(self) -> np.ndarray:
        return self.move(1.0)


def carry(homography: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places (x, y) moved by a homography, those behind the camera far away: [..., 2]."""
    moved = places @ homography[:, :2].T + homography[:, 2]
    depth = moved[..., 2:]
    seen = depth > NEAREST
    return np.where(seen, moved[..., :2] / np.where(seen, depth, 1), BEHIND)
