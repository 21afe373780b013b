"""A task of random numbers for the training loop; as a program, a run of it that can be killed."""

import json
import sys
import time
from pathlib import Path

import torch
from torch import nn

from fcvg_core.signals import Interrupted
from fcvg_core.training.config import Saving, Training, TrainingMachine
from fcvg_core.training.loop import Summary, train
from fcvg_core.training.trained_sets import TrainedSet

EVERYTHING = TrainedSet(("unet.*", "controlnext.*"), "everything")
RATES = {"unet": 0.02, "controlnext": 0.05}
TRAINING = {"steps": 6, "batch": 1, "accumulate": 2, "warmup": 3, "ema": 0.9, "seed": 5}
ON_CPU = TrainingMachine(device="cpu")
WIDTH = 6


class Network(nn.Module):
    """Two networks, a frozen one beside them, and a parameter that never gets a gradient."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.unet = nn.Sequential(nn.Linear(WIDTH, 8), nn.Tanh(), nn.Linear(8, WIDTH))
        self.controlnext = nn.Linear(WIDTH, WIDTH)
        self.frozen = nn.Linear(WIDTH, WIDTH)
        self.unet.register_parameter("idle", nn.Parameter(torch.zeros(3)))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.unet(x + self.controlnext(self.frozen(x)))


class RandomTask:
    """Samples and passes of random numbers.

    Args:
        total: samples.
        noisy: whether passes have noise of their own.
        bad: numbers of the calls of `losses`, from 0, whose loss is not a number.
    """

    def __init__(self, total: int = 5, *, noisy: bool = True, bad: tuple[int, ...] = ()):
        self.network = Network()
        self.total, self.noisy, self.bad = total, noisy, bad
        self.asked: list[int] = []
        self.calls = 0

    def __len__(self) -> int:
        return self.total

    def sample(self, index: int, chance: torch.Generator) -> torch.Tensor:
        self.asked.append(index)
        return torch.randn(WIDTH, generator=chance) + index

    def losses(self, network, samples, chance: torch.Generator) -> torch.Tensor:
        x = torch.stack(list(samples))
        noise = torch.randn(x.shape, generator=chance) if self.noisy else 0.0
        losses = ((network(x + noise) - x.flip(1)) ** 2).mean(1)
        self.calls += 1
        return losses * float("nan") if self.calls - 1 in self.bad else losses


def run(output: Path, *, task=None, every: int = 2, keep: int = 3, log_every: int = 1, **changes):
    """Train a task; what is no argument of `train` is a field of [training]."""
    fields = Training.settings_by_key().keys() - {"trained"}
    given = {key: changes.pop(key) for key in fields & changes.keys()}
    arguments = {
        "trained": EVERYTHING,
        "rates": RATES,
        "training": Training(**TRAINING | given),
        "saving": Saving(every=every, keep=keep, log_every=log_every),
        "machine": ON_CPU,
        **changes,
    }
    return train(task or RandomTask(), output=output, **arguments)


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def main(output: str, changes: str) -> int:
    """A run that says each of its steps, and takes its time."""

    def said(stage: str, done: int, total: int) -> None:
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
        time.sleep(pause)

    given = json.loads(changes)
    pause = given.pop("pause", 0.0)
    task = RandomTask(noisy=given.pop("noisy", True))
    try:
        summary: Summary = run(Path(output), task=task, progress=said, **given)
    except Interrupted as stop:
        return stop.exit_code
    return 0 if summary.step == given["steps"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
