"""How close the frames of a result are to the true frames, as numbers of every frame.

This room opens no file.
"""

from .motion import jitter
from .pairs import FrameMeasure, measure_pairs
from .pictures import difference, psnr, ssim
from .summary import MEASURES, between, mean_value, worst_index

__all__ = [
    "MEASURES",
    "FrameMeasure",
    "between",
    "difference",
    "jitter",
    "mean_value",
    "measure_pairs",
    "psnr",
    "ssim",
    "worst_index",
]
