"""One validation of a run: what is measured and painted, and where it is written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...files.writing import explained, save_text
from ..config import Validation
from ..task import Validated
from .losses import measure_losses
from .painting import paint_clips

MEASURES = "measures.json"


@torch.no_grad()
def validate(
    task: Validated, network: nn.Module, settings: Validation, folder: Path, step: int
) -> dict[str, Any]:
    """Measure and paint held-out clips with a network as it is; write the folder of this step.

    The folder step-000500 holds a picture of each painted clip (truth, control, result) and
    measures.json: the losses, and the measures of every frame as `evaluate` writes them.

    Args:
        network: that of the task, or a module that wraps it; on its device.
        folder: the folder `validation` of a run; it is made.
        step: steps that are done.

    Returns:
        What a line of the log tells: "loss" by noise level, and the means of the measures.

    Raises:
        UserError: a file can't be written.
    """
    here = folder / f"step-{step:06d}"
    with explained(here):
        here.mkdir(parents=True, exist_ok=True)
    with _evaluating(network):
        losses = measure_losses(task, network, settings.clips)
        device = next(network.parameters()).device
        painted = paint_clips(task, settings.painted, here, device)
    content = {"step": step, "loss": losses, "painted": painted}
    save_text(here / MEASURES, json.dumps(content, indent=1, allow_nan=False) + "\n")
    means = painted["results"][0]["mean"] if painted else {}
    return {"loss": losses, **means}


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode; afterwards in the mode that it had."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
