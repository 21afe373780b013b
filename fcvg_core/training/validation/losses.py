"""The loss of held-out clips at fixed noise levels."""

import math

from torch import nn

from ..task import Validated

# From the finest detail to where motion is decided; SVD's sampling goes through all of them.
LEVELS = (0.1, 0.7, 2.0, 10.0, 50.0)


def measure_losses(task: Validated, network: nn.Module, count: int) -> dict[str, float | None]:
    """The mean loss at each noise level, over the first held-out clips.

    A clip has the same noise at every level and in every validation of a run, so a curve of
    these losses shows training and not chance.

    Args:
        count: clips.

    Returns:
        Loss by noise level, such as "0.7"; None if it is no number, and JSON has it as null.
    """
    clips = range(min(count, len(task.held_out())))
    means = {}
    for level in LEVELS if clips else ():
        losses = [task.loss_at(network, index, level, seed=index) for index in clips]
        mean = math.fsum(losses) / len(losses) if all(map(math.isfinite, losses)) else None
        means[f"{level:g}"] = mean
    return means
