"""The measures of all frames of a clip -> their mean and their worst frame."""

from dataclasses import dataclass

import numpy as np

EQUAL_PSNR = 100.0  # decibels of a frame that is equal to the truth, in means


@dataclass(frozen=True)
class Measure:
    """A measure of frames: how it is shown, and which values are good.

    Attributes:
        title: its name for people.
        unit: of its values; empty for a number without a unit.
        digits: after the point.
        higher_is_better: otherwise a lower value is better.
    """

    title: str
    unit: str
    digits: int
    higher_is_better: bool


MEASURES = {
    "psnr": Measure("PSNR", "dB", 2, higher_is_better=True),
    "ssim": Measure("SSIM", "", 4, higher_is_better=True),
    "lpips": Measure("LPIPS", "", 4, higher_is_better=False),
    "difference": Measure("difference", "levels", 2, higher_is_better=False),
    "jitter": Measure("jitter", "levels", 2, higher_is_better=False),
}


def between(values: np.ndarray) -> np.ndarray:
    """The values of the frames between the first and the last: [T] -> [T - 2].

    Both ends are given to whoever makes the frames between, so they would only raise a mean.
    """
    return values[1:-1]


def mean_value(values: np.ndarray) -> float:
    """The mean of a measure; a PSNR that is infinite counts as 100 dB.

    Otherwise one frame that is equal to the truth would hide all other frames. Only if all frames
    are equal to the truth, the mean is infinite too.

    Args:
        values: [N], N >= 1; no value is NaN.
    """
    equal = np.isinf(values)
    return float("inf") if equal.all() else float(np.where(equal, EQUAL_PSNR, values).mean())


def worst_index(name: str, values: np.ndarray) -> int:
    """The place of the worst value of a measure of the table MEASURES.

    Args:
        name: of the measure.
        values: [N], N >= 1; no value is NaN.
    """
    find = np.argmin if MEASURES[name].higher_is_better else np.argmax
    return int(find(values))
