"""Says how much of the picture the control frames of a run reach."""

import logging

from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...fcvg_core.coverage import PARTS, count_parts
from .controlnext.patch import ControlPatch
from .outlook import GREEN, RED, YELLOW


def log_coverage(frames: Tensor, *, enough: int) -> None:
    """Log in how many parts of the picture the first, middle and last control frame show something.

    Args:
        frames: [T, H, W, 3], uint8 or in 0..1, on any device.
        enough: number of parts from which on the light is green.
    """
    shown = [0, len(frames) // 2, -1]
    counts = sorted(map(count_parts, frames[shown].cpu().numpy()))
    if not any(counts):
        logging.warning(
            "The first, the middle and the last control frame are black, so nothing steers the "
            "video.",
            extra={"light": RED},
        )
        return
    least, most = counts[0], counts[-1]
    span = f"{least}" if least == most else f"{least} to {most}"
    few = least < enough
    logging.info(
        "Control frames show something in %s of %d parts of the picture.%s",
        span,
        PARTS,
        " Where they are black, nothing steers the video." if few else "",
        extra={"light": YELLOW if few else GREEN},
    )


def log_coverage_of(model: ModelPatcher, *, enough: int) -> None:
    """`log_coverage` of the control frames that steer a model; nothing if no control acts."""
    patches = model.model_options["transformer_options"].get("patches", {})
    for patch in patches.get("input_block_patch_after_skip", []):
        if isinstance(patch, ControlPatch) and patch.acts:
            log_coverage(patch.frames.movedim(1, -1), enough=enough)
