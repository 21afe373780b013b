"""GlueStick as a model that the host loads and frees, and matching with it."""

import os

import comfy.model_management as mm
import comfy.ops
import numpy as np
import torch
from comfy.model_patcher import ModelPatcher

from ...fcvg_core.lines import GlueStickLineMatcher, LineMatches, build_gluestick
from ...fcvg_core.lines.gluestick_keys import GLUESTICK_FILE, SUPERPOINT_FILE
from .loading import read_file

FILES = (GLUESTICK_FILE, SUPERPOINT_FILE)


def load_gluestick(gluestick: str, superpoint: str) -> ModelPatcher:
    """GlueStick and the SuperPoint that it needs.

    In float16 where the device is fast at it: that finds the same matches on the golden cases,
    where bfloat16 loses keypoints.

    Args:
        gluestick: checkpoint_GlueStick_MD.tar.
        superpoint: superpoint_v1.pth.
    """
    device = mm.get_torch_device()
    network = build_gluestick(
        read_file(gluestick),
        read_file(superpoint),
        names=(os.path.basename(gluestick), os.path.basename(superpoint)),
        operations=comfy.ops.manual_cast,
        dtype=torch.float16 if mm.should_use_fp16(device) else torch.float32,
    )
    # They remember the last frames: of keyframes A, B, C in two nodes, B is looked at once.
    network.matchers = {}
    return ModelPatcher(
        network.eval(),
        load_device=device,
        offload_device=mm.unet_offload_device(),
    )


def match_lines(
    model: ModelPatcher, first: np.ndarray, last: np.ndarray, **settings
) -> LineMatches:
    """Matches of two uint8 frames [H, W, 3]; settings are those of GlueStickLineMatcher."""
    mm.load_models_gpu([model], force_full_load=True)
    matcher = model.model.matchers.setdefault(
        tuple(sorted(settings.items())), GlueStickLineMatcher(model.model, **settings)
    )
    return matcher(first, last)
