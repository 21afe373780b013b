"""Pairs of a true frame and a frame of a result, one by one -> the measures of every frame."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from .motion import jitter
from .pictures import difference, psnr, ssim

# Two batches of frames [T, H, W, 3] uint8, the truth and the result -> [T].
FrameMeasure = Callable[[np.ndarray, np.ndarray], np.ndarray]
OWN: dict[str, FrameMeasure] = {"psnr": psnr, "ssim": ssim, "difference": difference}
NEIGHBOURS = 3  # frames from which the jitter of the middle frame is computed


def measure_pairs(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]], more: Mapping[str, FrameMeasure]
) -> dict[str, np.ndarray]:
    """All measures of every frame; at most three pairs of frames are in memory at a time.

    Args:
        pairs: a true frame and the frame of the result, [H, W, 3] uint8 of one size, in the order
            of time.
        more: further measures by their names, beside those of this room.

    Returns:
        Name of a measure -> [T] float64: "psnr", "ssim", "difference", the names in `more`,
        "jitter" of the result and "truth_jitter" of the truth; see `jitter` for the NaN in them.

    Raises:
        ValueError: two frames of a pair differ in their shapes, or are too small.
    """
    measures = {**OWN, **more}
    values = {name: [] for name in measures}
    shaking = {name: [] for name in ("truth_jitter", "jitter")}
    last: deque = deque(maxlen=NEIGHBOURS)
    for pair in pairs:
        batches = [frame[None] for frame in pair]
        for name, measure in measures.items():
            values[name] += measure(*batches).tolist()
        last.append(pair)
        if len(last) == NEIGHBOURS:
            for name, frames in zip(shaking, zip(*last, strict=True), strict=True):
                shaking[name].append(jitter(np.stack(frames))[1])
    count = len(values["psnr"])
    found = {name: np.array(each, np.float64) for name, each in values.items()}
    for name, each in shaking.items():
        found[name] = np.full(count, np.nan)
        found[name][1 : len(each) + 1] = each
    return found
