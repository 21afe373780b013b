"""Data sets of videos whose objects have boxes (GOT-10k, YouTube-VIS) -> videos, cut to windows.

SMCD was trained on these sets, and is measured on them. Read `types` first.
"""

from pathlib import Path

from ..choices import BOX_SETS, GOT10K, YOUVIS
from .got10k import open_got10k
from .sampling import cut_window, draw_window, official_windows
from .types import BoxSet, BoxVideo
from .youvis import open_youvis

__all__ = [
    "BoxSet",
    "BoxVideo",
    "cut_window",
    "draw_window",
    "official_windows",
    "open_box_set",
]

OPENERS = {GOT10K: open_got10k, YOUVIS: open_youvis}


def open_box_set(root: Path, dataset: str, split: str, *, least: int = 8) -> BoxSet:
    """The videos of a data set, each read when it is asked for.

    Args:
        root: the folder that holds the data sets' folders, `dataset` of the official code; or
            the folder of the data set itself.
        dataset: got10k or youvis.
        split: train, val or another folder of the data set.
        least: videos with fewer frames are left out.

    Raises:
        UserError: a folder or a file is missing (the message says which) or has another form, or
            no video is left.
    """
    if dataset not in BOX_SETS:
        raise ValueError(f"Unknown data set {dataset!r}: expected one of {', '.join(BOX_SETS)}.")
    return OPENERS[dataset](root, split, least=least)
