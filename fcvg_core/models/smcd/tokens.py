"""Boxes, labels and the first frame -> the tokens that SMCD's gate takes in.

They are the same in every step, so both faces make them once.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .position_net import PositionNet
from .visual_encoder import VisualEncoder


def object_tokens(
    network: PositionNet, boxes: np.ndarray, present: np.ndarray, labels: Sequence[Tensor]
) -> Tensor:
    """Tokens of the objects in each frame.

    Args:
        boxes: [T, n, 4] corners as shares of the frame, 0..1; see `boxes.stack_padded`.
        present: [T, n] bool.
        labels: [D] embedded label of each object; the last objects, which fill the frame up to n,
            are absent and have none.

    Returns:
        [T, n, D].
    """
    null = network.null_positive_feature
    empty = [null.new_zeros(null.shape)] * (boxes.shape[1] - len(labels))
    embedded = torch.stack([*labels, *(x.to(labels[0]) if labels else x for x in empty)])
    places, there = (torch.from_numpy(x).to(embedded.device) for x in (boxes, present))
    return network(places, there, embedded.expand(len(boxes), -1, -1))


def absent_tokens(network: PositionNet, num_frames: int, count: int) -> Tensor:
    """[T, count, D] tokens of objects that are absent, for a branch without boxes."""
    boxes = np.zeros((num_frames, count, 4), np.float32)
    return object_tokens(network, boxes, np.zeros((num_frames, count), bool), [])


def image_tokens(network: VisualEncoder, latents: Tensor, num_frames: int) -> Tensor:
    """Tokens of the first frame, repeated for every frame.

    Args:
        latents: [1, 4, h, w] of the first frame, scaled; zeros for a branch without a picture.

    Returns:
        [T, L, D].
    """
    return network(latents).expand(num_frames, -1, -1)
