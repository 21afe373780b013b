"""How much the hands of a clip count in the loss.

Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2-Training/utils/vid_dataset.py:45-55, 174-189,
227-231; train_svd.py:1306-1315.
Differs: a hand that is not sure leaves the mask of another hand as it is.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ...errors import UserError
from ...files.json_file import read_json
from ...frames import fit_mask
from ...quoting import quote
from ..config import Clips
from .frames import source_size
from .item import Item

MARGIN = 10  # pixels around a box
SURE = 0.5  # mean score above which a hand counts
HAND = 0.8  # value of the mask on a hand
FORM = (
    'a list with an object a frame, such as {"hands_boxes": [[[0.1, 0.5], [0.2, 0.6]]], '
    '"hands_score": [[0.9]]}'
)

Box = tuple[float, float, float, float]  # left, top, right, bottom in 0..1


def read_hands(
    item: Item,
    clips: Clips,
    frame_numbers: Sequence[int],
    size: tuple[int, int],
    *,
    hand_weight: float,
) -> Tensor | None:
    """How much each place of some frames counts: 1, and more on hands.

    Args:
        item: the clip; None is returned if it has no file of details.
        clips: size and fit.
        frame_numbers: of the video itself: `item.start + i * item.stride`.
        size: (height, width) of the latents.
        hand_weight: a hand counts 1 + 0.8 times this number.

    Returns:
        [T, 1, height, width] float32, or None.

    Raises:
        UserError: the file of details has another form, or lacks a frame.
    """
    if item.details is None:
        return None
    rows = read_json(item.details, expected=FORM)
    if not isinstance(rows, list):
        raise UserError(f"{item.details} holds {quote(rows)}; expected {FORM}.")
    if max(frame_numbers) >= len(rows):
        raise UserError(
            f"{item.details} describes {len(rows)} frames, but frame {max(frame_numbers)} of "
            f"{item.source} is used. Use the details of this clip, with an object for each frame."
        )
    whole = source_size(item)
    masks = (_mask(_sure_hands(rows[n], n, item.details), whole) for n in frame_numbers)
    fitted = (torch.from_numpy(fit_mask(mask, clips.size, clips.fit)) for mask in masks)
    return 1 + hand_weight * torch.stack([adaptive_avg_pool2d(x[None], size) for x in fitted])


def _mask(boxes: Iterator[Box], size: tuple[int, int]) -> np.ndarray:
    """[H, W] float32: `HAND` inside boxes and their margins, 0 elsewhere."""
    height, width = size
    mask = np.zeros(size, np.float32)
    for left, top, right, bottom in boxes:
        rows = slice(max(int(top * height) - MARGIN, 0), max(int(bottom * height) + MARGIN, 0))
        columns = slice(max(int(left * width) - MARGIN, 0), max(int(right * width) + MARGIN, 0))
        mask[rows, columns] = HAND
    return mask


def _sure_hands(row: Any, number: int, path: Path) -> Iterator[Box]:
    """Boxes of the hands of a frame that were found with enough certainty."""
    wrong = UserError(f"Frame {number} of {path} is {quote(row)}; expected {FORM}.")
    if not isinstance(row, dict):
        raise wrong
    boxes, scores = row.get("hands_boxes", []), row.get("hands_score", [])
    if not isinstance(boxes, list) or not isinstance(scores, list):
        raise wrong
    if "hands_boxes" not in row or "hands_score" not in row:
        return
    if len(boxes) != len(scores):
        raise UserError(
            f"Frame {number} of {path} has {len(boxes)} hands_boxes and {len(scores)} hands_score; "
            "expected as many of one as of the other."
        )
    for box, score in zip(boxes, scores, strict=True):
        corners = _numbers(box, 2, 2)
        certain = _numbers([score], 1, None)
        if corners is None or certain is None:
            raise wrong
        if fmean(certain) > SURE:
            yield tuple(corners)


def _numbers(value: Any, rows: int, columns: int | None) -> list[float] | None:
    """The numbers of a list of lists, row after row; None if it has another form."""
    if not isinstance(value, list) or len(value) != rows:
        return None
    found = []
    for row in value:
        if not isinstance(row, list) or not row or columns not in (None, len(row)):
            return None
        found += row
    return None if any(type(x) not in (int, float) for x in found) else found
