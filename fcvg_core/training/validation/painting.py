"""Held-out clips, painted: a picture of each beside the truth, and how close it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...measures import measure_pairs
from ...standalone.demo.strip import draw_strip
from ...standalone.evaluation.clips import MIN_FRAMES, MIN_SIDE, ClipPair
from ...standalone.evaluation.evaluate import MeasuredClip, MeasuredResult
from ...standalone.evaluation.optional import open_fvmd, open_lpips
from ...standalone.evaluation.report import to_json
from ...standalone.media.writing import write_picture
from ..task import Painted, Validated


@dataclass(frozen=True, eq=False)
class _Frames:
    """Frames as `evaluate` reads a clip from a disk."""

    frames: np.ndarray

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    def read(self) -> Iterator[np.ndarray]:
        return iter(self.frames)


def paint_clips(
    task: Validated, count: int, folder: Path, device: torch.device
) -> dict[str, Any] | None:
    """Paint the first held-out clips, and write a strip of truth, control and result of each.

    Args:
        count: clips.
        folder: where the strips are written; it exists.
        device: where LPIPS runs.

    Returns:
        All measures as `evaluate` writes them; None if no clip can be measured, because it has
        less than 3 frames or is smaller than 32 pixels.

    Raises:
        UserError: a strip can't be written.
    """
    measured, pairs = [], []
    for index in range(min(count, len(task.held_out()))):
        painted = task.paint(index)
        strip = draw_strip(painted.control, painted.result, truth=painted.truth)
        write_picture(folder / f"{painted.name}.jpg", strip)
        if len(painted.truth) >= MIN_FRAMES and min(painted.truth.shape[1:3]) >= MIN_SIDE:
            measured.append(_measured(painted, device))
            pairs.append(ClipPair(painted.name, _Frames(painted.truth), _Frames(painted.result)))
            size = painted.truth.shape[1:3]
    if not measured:
        return None
    fvmd = _fvmd()
    result = MeasuredResult(folder, size, measured, fvmd(pairs) if fvmd else None)
    return to_json(Path("held-out clips"), [result])


def _measured(painted: Painted, device: torch.device) -> MeasuredClip:
    pairs = zip(painted.truth, painted.result, strict=True)
    lpips = _lpips(device)
    return MeasuredClip(painted.name, measure_pairs(pairs, {"lpips": lpips} if lpips else {}))


@lru_cache(maxsize=1)
def _lpips(device: torch.device):
    """LPIPS, opened once a run: each time it is missing, the log says so."""
    return open_lpips(device)


@lru_cache(maxsize=1)
def _fvmd():
    return open_fvmd()
