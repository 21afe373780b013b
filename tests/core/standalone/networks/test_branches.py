"""Scales of guidance: which branches count, and what becomes of their predictions."""

import pytest
import torch

from fcvg_core.standalone.networks.branches import COND, IMAGE_ONLY, UNCOND, Scales

VALUES = {UNCOND: 1.0, IMAGE_ONLY: 3.0, COND: 7.0}


@pytest.mark.parametrize(
    ("text", "image", "branches", "guided"),
    [
        (1.0, None, (COND,), 7),
        (1.0, 1.0, (COND,), 7),
        (2.0, None, (UNCOND, COND), 13),
        (2.0, 2.0, (UNCOND, COND), 13),
        (2.0, 1.0, (IMAGE_ONLY, COND), 11),
        (2.0, 0.5, (UNCOND, IMAGE_ONLY, COND), 1 + 0.5 * 2 + 2 * 4),
        (1.0, 3.0, (UNCOND, IMAGE_ONLY, COND), 1 + 3 * 2 + 4),
        (0.0, None, (UNCOND, COND), 1),
    ],
)
def test_scales(text, image, branches, guided):
    scales = Scales(text, image)
    assert scales.branches == branches
    predictions = [torch.full((2, 1), VALUES[name]) for name in branches]
    assert scales.guide(predictions).tolist() == [[guided]] * 2
