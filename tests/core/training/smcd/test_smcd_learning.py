"""Whether the loop teaches SMCD's networks anything: here one video by heart."""

import json

from fcvg_core.training.config import Saving, Training, TrainingMachine
from fcvg_core.training.loop import train
from fcvg_core.training.smcd.dropping import WITH_PICTURE
from fcvg_core.training.smcd.task import SmcdTask
from fcvg_core.training.trained_sets import SMCD, find_trained_set


def test_the_loss_falls(network, sample, tmp_path):
    """With dropout and dropped conditions, by what the second stage trains alone."""
    network.add_dropout()
    task = SmcdTask(network, [None], None, None, WITH_PICTURE)
    task.sample = lambda index, chance: sample
    train(
        task,
        trained=find_trained_set(SMCD, "picture"),
        rates=dict.fromkeys(("unet", "visual_encoder"), 6e-3),
        training=Training(steps=24, batch=1, accumulate=1, warmup=0, ema=0.0),
        saving=Saving(every=1000, log_every=6),
        machine=TrainingMachine(device="cpu"),
        output=tmp_path,
    )
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < 0.9 * losses[0], losses
