"""How close frames and boxes of a result are to the true ones, and how far frames move: numbers.

This room opens no file.
"""

from .boxes import BoxAgreement, agreement, overlaps
from .displacement import clip_displacement, fps_to_try, mean_displacement
from .motion import jitter
from .pairs import FrameMeasure, measure_pairs
from .pictures import difference, psnr, ssim
from .summary import MEASURES, between, mean_value, worst_index

__all__ = [
    "MEASURES",
    "BoxAgreement",
    "FrameMeasure",
    "agreement",
    "between",
    "clip_displacement",
    "difference",
    "fps_to_try",
    "jitter",
    "mean_displacement",
    "mean_value",
    "measure_pairs",
    "overlaps",
    "psnr",
    "ssim",
    "worst_index",
]
