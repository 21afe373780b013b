"""What a run of DynamiCrafter says and shows on the node that samples."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager

from comfy.model_patcher import ModelPatcher
from comfy.samplers import CFGGuider

from ....fcvg_core.estimate import DYNAMICRAFTER
from ..outlook import Display
from ..unet3d import runs
from .model import VARIANT


def tell_of_runs(
    patcher: ModelPatcher,
    shown: Callable[[], AbstractContextManager],
    find_display: Callable[[], Display | None],
) -> None:
    """`unet3d.runs.tell_of_runs` for DynamiCrafter."""
    runs.tell_of_runs(patcher, shown, find_display, DYNAMICRAFTER, _compare_variants)


def _compare_variants(guider: CFGGuider) -> None:
    """Warn if the image projector and the model belong to different published models."""
    model = guider.model_patcher.model.variant
    entries = (entry for conds in guider.conds.values() for entry in conds)
    for other in {entry.get(VARIANT, model) for entry in entries} - {model}:
        logging.warning(
            "The model is %s, but the picture went through the image projector of %s: connect "
            "image_projector and MODEL of the same loader.",
            model.name,
            other.name,
        )
