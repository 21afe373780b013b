"""How close the frames of a result are to the true frames, and how far they move, as numbers.

This room opens no file.
"""

from .displacement import clip_displacement, fps_to_try, mean_displacement
from .motion import jitter
from .pairs import FrameMeasure, measure_pairs
from .pictures import difference, psnr, ssim
from .summary import MEASURES, between, mean_value, worst_index

__all__ = [
    "MEASURES",
    "FrameMeasure",
    "between",
    "clip_displacement",
    "difference",
    "fps_to_try",
    "jitter",
    "mean_displacement",
    "mean_value",
    "measure_pairs",
    "psnr",
    "ssim",
    "worst_index",
]
