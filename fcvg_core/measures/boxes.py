"""How well boxes that a tracker finds in a result cover the boxes that were asked for."""

from dataclasses import dataclass

import numpy as np

THRESHOLDS = (0.5, 0.75)  # of the overlap, from which a frame is a success


@dataclass(frozen=True)
class BoxAgreement:
    """The overlaps of boxes in words of GOT-10k.

    Attributes:
        frames: number of boxes that were compared.
        average_overlap: AO, the mean of the overlaps, 0..1.
        success_50: SR50, the share of the boxes that overlap by more than 0.5.
        success_75: SR75, the same for 0.75.
    """

    frames: int
    average_overlap: float
    success_50: float
    success_75: float


def overlaps(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Intersection over union of each two boxes.

    Args:
        truth, result: [..., 4] corners x1, y1, x2, y2 in one unit, x1 <= x2, y1 <= y2; a box
            without area, as absent ones are, overlaps nothing.

    Returns:
        [...] float64 in 0..1.

    Raises:
        ValueError: the shapes differ, or are not [..., 4].
    """
    truth, result = (np.asarray(x, np.float64) for x in (truth, result))
    if truth.shape != result.shape or truth.shape[-1:] != (4,):
        raise ValueError(f"expected boxes [..., 4] of one shape, got {truth.shape}, {result.shape}")
    first = np.maximum(truth[..., :2], result[..., :2])
    last = np.minimum(truth[..., 2:], result[..., 2:])
    shared = np.prod(np.clip(last - first, 0, None), axis=-1)
    areas = (np.prod(x[..., 2:] - x[..., :2], axis=-1) for x in (truth, result))
    union = sum(areas) - shared
    found = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found.round(9)  # so that half of the area is 0.5 and not a little more


def agreement(found: np.ndarray) -> BoxAgreement:
    """What overlaps say together.

    Args:
        found: [N] of `overlaps`, N >= 1: those of all frames in which the true object is there.

    Raises:
        ValueError: there are none.

    Source: Huang, Zhao and Huang, GOT-10k (2019), section 4: AO and SR. The thresholds are not
        reached by an overlap that is equal to them, as in its toolkit.
    Differs: the first frame counts too; in GOT-10k the tracker is given its box.
    """
    if not found.size:
        raise ValueError("expected at least one overlap, got none")
    rates = (float(np.mean(found > threshold)) for threshold in THRESHOLDS)
    return BoxAgreement(found.size, float(found.mean()), *rates)
