"""GlueStick as a model that the host loads and frees; line matching with it."""

import os

import comfy.model_management as mm
import comfy.ops
import numpy as np
from comfy.model_patcher import ModelPatcher

from ...fcvg_core.lines import (
    GlueStickLineMatcher,
    LineMatches,
    build_gluestick,
    gluestick_dtype,
)
from .files import read_file
from .patchers import can_load_again, make_patcher

MATCHER = "fcvg_line_matcher"  # name of the matcher among a patcher's attachments


def load_gluestick(gluestick: str, superpoint: str, disable_dynamic: bool = False) -> ModelPatcher:
    """GlueStick and the SuperPoint network that it needs.

    The weights are float16 if the device is fast with float16. On the golden cases float16 finds
    the same matches as float32; bfloat16 loses keypoints.

    Args:
        gluestick: path of checkpoint_GlueStick_MD.tar.
        superpoint: path of superpoint_v1.pth.
        disable_dynamic: see `can_load_again`.
    """
    device, offload = mm.get_torch_device(), mm.unet_offload_device()
    network = build_gluestick(
        read_file(gluestick),
        read_file(superpoint),
        names=(os.path.basename(gluestick), os.path.basename(superpoint)),
        operations=comfy.ops.manual_cast,
        dtype=gluestick_dtype(fast_half=mm.should_use_fp16(device)),
    )
    patcher = make_patcher(network, device, offload, disable_dynamic=disable_dynamic)
    return can_load_again(patcher, load_gluestick, gluestick, superpoint)


def match_lines(
    model: ModelPatcher, first: np.ndarray, last: np.ndarray, **settings
) -> LineMatches:
    """Line matches of two uint8 frames [H, W, 3]; settings as in `GlueStickLineMatcher`."""
    mm.load_models_gpu([model], force_full_load=True)
    return _matcher(model).with_settings(**settings)(first, last)


def _matcher(model: ModelPatcher) -> GlueStickLineMatcher:
    """The matcher of a loaded model.

    It caches the wireframes of recent frames, so a keyframe shared by two nodes is analysed once.
    """
    matcher = model.get_attachment(MATCHER)
    if matcher is None or matcher.model is not model.model:
        # The weights may be on another device: a streaming host moves each weight when it is used.
        matcher = GlueStickLineMatcher(model.model, device=model.load_device)
        model.set_attachments(MATCHER, matcher)
    return matcher
