"""What a run of SMCD says and shows on the node that samples."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from comfy.model_patcher import ModelPatcher

from ....fcvg_core.estimate import SMCD
from ..outlook import Display
from ..unet3d import runs


def tell_of_runs(
    patcher: ModelPatcher,
    shown: Callable[[], AbstractContextManager],
    find_display: Callable[[], Display | None],
) -> None:
    """`unet3d.runs.tell_of_runs` for SMCD."""
    runs.tell_of_runs(patcher, shown, find_display, SMCD)
