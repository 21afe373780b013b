"""Results and the truth -> the measures of every frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...measures import between, measure_pairs
from ...progress import Progress, silent
from .clips import ClipPair, pair_clips, read_pairs
from .optional import open_fvmd, open_lpips


@dataclass(frozen=True)
class MeasuredClip:
    """A clip of a result.

    Attributes:
        name: of the clip in a folder of clips; empty if there is only this one.
        frames: name of a measure -> its value at every frame [T], as from `measure_pairs`.
    """

    name: str
    frames: dict[str, np.ndarray]


@dataclass(frozen=True)
class MeasuredResult:
    """A result: one clip, or several.

    Attributes:
        path: of the result.
        size: (height, width) of the first clip, in pixels.
        clips: at least one.
        fvmd: FVMD of all clips together; None if it was left out.
    """

    path: Path
    size: tuple[int, int]
    clips: list[MeasuredClip]
    fvmd: float | None

    def between(self, name: str) -> np.ndarray:
        """A measure at the frames between both ends of a clip [N], of one clip after another."""
        return np.concatenate([between(clip.frames[name]) for clip in self.clips])


def evaluate_results(
    truth: Path,
    results: list[Path],
    *,
    device: torch.device,
    progress: Progress = silent,
) -> list[MeasuredResult]:
    """Compare each result with the truth.

    Args:
        truth: a video, a folder of frames, or a folder of several of these.
        results: at least one, with the same clips as the truth; see `pair_clips`.
        device: where LPIPS runs.
        progress: is told the path of a clip, how many frames are done, and how many there are.

    Raises:
        UserError: as in `pair_clips`.
    """
    pairs = pair_clips(truth, results)
    lpips, fvmd = open_lpips(device), open_fvmd()
    more = {"lpips": lpips} if lpips else {}
    return [
        MeasuredResult(
            path,
            clips[0].truth.size,
            [
                MeasuredClip(pair.name, measure_pairs(_counted(pair, progress), more))
                for pair in clips
            ],
            fvmd(clips) if fvmd else None,
        )
        for path, clips in pairs.items()
    ]


def _counted(pair: ClipPair, progress: Progress) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for done, frames in enumerate(read_pairs(pair), 1):
        yield frames
        progress(str(pair.result.path), done, pair.result.num_frames)
