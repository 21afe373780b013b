"""SMCD over a data set: every video is painted, written as the official program does, and measured.

Source: Mingxiao-Li/Animate-Your-Motion inference_eval.py; its paper, arXiv 2403.10179.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...box_sets import BoxVideo
from ...boxes import check_size
from ...errors import UserError
from ...files.json_file import read_json
from ...files.writing import save_text
from ...frames import resize_linear
from ...measures import mean_value, psnr, ssim
from ...progress import Progress, silent
from ..media.pictures import read_frame
from .report import to_text
from .smcd_files import SHOWN, read_written, write_official

MEASURES = "measures.json"  # of a video, and of all videos
VIDEOS = "videos"  # stage of the progress
UNITS = {
    "first_psnr": "dB, of the first frame and the true first frame",
    "first_ssim": "at most 1, of the first frame and the true first frame",
    "clip_text": "cosine of CLIP's embeddings of prompt and frames",
    "clip_frames": "cosine of CLIP's embeddings of neighbouring frames",
    "clip_first": "cosine of CLIP's embeddings of the first frame and the true first frame",
}
CLIP_MEASURES = {"clip_frames", "clip_first"}  # which every CLIP model measures
# A window of a video, its first frame, and its place in the set -> the frames of a video.
Paint = Callable[[BoxVideo, np.ndarray, int], np.ndarray]
# Frames, true frames and a prompt -> further measures by their names.
Similarity = Callable[[np.ndarray, np.ndarray, str], dict[str, float]]


def evaluate_smcd(
    windows: Sequence[BoxVideo],
    paint: Paint,
    folder: Path,
    *,
    size: tuple[int, int],
    fps: float,
    dataset: str,
    similarity: Similarity | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Paint, write and measure windows of videos; what an earlier call has finished stays.

    Args:
        paint: gives uint8 [T, H, W, 3].
        folder: gets a folder for each video, and measures.json.
        size: (height, width) of the frames, in pixels.
        fps: of the written GIFs.
        dataset: the name of the set.
        progress: is told how many videos are done.

    Returns:
        The content of measures.json: `videos`, their number; `mean` of each measure; `units`; and
        `per_video`.

    Raises:
        UserError: a frame or a file can't be read or written.
    """
    found = {}
    progress(VIDEOS, 0, len(windows))
    for number, window in enumerate(windows):
        place = folder / window.name
        measures = _finished(place)
        if measures is None:
            truth = read_window(window, size)
            frames = paint(window, truth[0], number)
            write_official(place, window, frames, truth, fps=fps, dataset=dataset)
            measures = _of_first(frames, truth)
        found[window.name] = _compared(place, window, measures, similarity)
        progress(VIDEOS, number + 1, len(windows))
    means = mean_of([*found.values()])
    content = {
        "dataset": dataset,
        "videos": len(found),
        "mean": means,
        "units": {name: UNITS[name] for name in means},
        "per_video": found,
    }
    save_text(folder / MEASURES, to_text(content))
    return content


def read_window(window: BoxVideo, size: tuple[int, int]) -> np.ndarray:
    """The true frames of a window, stretched to a size: [T, height, width, 3] uint8.

    Raises:
        UserError: a frame can't be read, or the frames have other proportions than those that the
            boxes belong to.
    """
    frames = []
    for path in window.frames:
        frame = read_frame(path)
        if window.size is not None:
            check_size(window.size, frame.shape[:2], f"The annotation of {window.name}")
        frames.append(resize_linear(frame, size))
    return np.stack(frames)


def mean_of(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean over videos of each measure that all of them have; see `mean_value`."""
    names = [name for name in rows[0] if all(name in row for row in rows)]
    return {name: mean_value(np.array([row[name] for row in rows])) for name in names}


def _compared(
    folder: Path, window: BoxVideo, measures: dict[str, float], similarity: Similarity | None
) -> dict[str, float]:
    """The measures of a written video with those of CLIP, if it is there; they are noted."""
    if similarity is not None and not measures.keys() >= CLIP_MEASURES:
        frames, truth = (read_written(folder, name, len(window.frames)) for name in SHOWN)
        measures = measures | similarity(frames, truth, window.prompt)
    save_text(folder / MEASURES, to_text({"video": window.name, "measures": measures}))
    return measures


def _of_first(frames: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """How close the first frame is to the true one."""
    pair = truth[:1], frames[:1]
    return {"first_psnr": float(psnr(*pair)[0]), "first_ssim": float(ssim(*pair)[0])}


def _finished(folder: Path) -> dict[str, float] | None:
    """The measures of a video that an earlier run has finished; None: it is to be painted."""
    path = folder / MEASURES
    if not path.exists():
        return None
    content = read_json(path, expected="the measures of a video that an earlier run has finished")
    try:
        return {name: float(content["measures"][name]) for name in content["measures"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} holds no measures of a video; expected those that an earlier run has "
            "written: remove the folder, so that the video is painted again."
        ) from error
