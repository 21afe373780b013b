"""Data sets of videos with boxes -> what a step takes of a video, from the official data sets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...box_sets import BoxVideo, draw_window
from ...boxes import BoxTracks, stack_padded
from ...errors import UserError
from ...standalone.evaluation.smcd import read_window


@dataclass(frozen=True, eq=False)
class VideoSample:
    """What a step takes of a video; all on the CPU.

    Attributes:
        latents: [T, 4, h, w] float32, scaled.
        text: [L, D] tokens of the prompt.
        boxes: [T, n, 4] corners as shares of the frame, 0..1.
        present: [T, n] bool.
        labels: [n, D] embedded label of each object; zeros for those that fill up.
    """

    latents: Tensor
    text: Tensor
    boxes: Tensor
    present: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How a window is cut out of a video.

    Attributes:
        num_frames: T.
        size: (height, width) of the frames; pictures of another shape are stretched, as boxes are
            shares of the picture.
        objects: of each video, n: absent ones fill up, and further ones are left out.
    """

    num_frames: int
    size: tuple[int, int]
    objects: int

    def cut(self, video: BoxVideo, chance: torch.Generator) -> BoxVideo:
        """Neighbouring frames from a random frame on, with the first objects."""
        window = draw_window(video, self.num_frames, chance)
        tracks = BoxTracks(window.tracks.tracks[: self.objects], self.num_frames)
        return replace(window, tracks=tracks)

    def frames(self, window: BoxVideo) -> np.ndarray:
        """The pictures of a window, uint8 [T, H, W, 3]; see `read_window` for the errors."""
        return read_window(window, self.size)

    def conditions(self, window: BoxVideo, label_channels: int) -> dict[str, Tensor]:
        """`boxes`, `present` and `labels` of a `VideoSample`.

        Args:
            label_channels: width of an embedded label.

        Raises:
            UserError: the data set has embedded labels of another width.
        """
        boxes, present = stack_padded(window.tracks, self.objects)
        labels = np.zeros((boxes.shape[1], label_channels), np.float32)
        for row, label in zip(labels, window.tracks.labels, strict=False):
            row[:] = _embedded(window.embeddings, label, label_channels)
        found = {"boxes": boxes, "present": present, "labels": labels}
        return {name: torch.from_numpy(value) for name, value in found.items()}


def _embedded(embeddings: Mapping[str, np.ndarray], label: str, channels: int) -> np.ndarray:
    """[channels] of a label."""
    found = embeddings[label]
    if len(found) != channels:
        raise UserError(
            f"The data set holds {len(found)} numbers for the label {label!r}, but PositionNet "
            f"takes {channels}: make its files of embedded labels again with smcd-prepare, and "
            "the text encoder of this model."
        )
    return found
