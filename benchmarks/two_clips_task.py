"""The two drawn clips as a task of training: encoded, in memory, with any control frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from two_clips import FRAMES, SIZE, DrawnClip

from fcvg_core.progress import Progress, silent
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.pipeline import VideoPipeline
from fcvg_core.training.config import Clips, Saving, Training, TrainingMachine, TrainingSpec
from fcvg_core.training.config.file import to_tables
from fcvg_core.training.data.encoded import encode_clip
from fcvg_core.training.drawing import BOTH, Draw
from fcvg_core.training.loop import train
from fcvg_core.training.record import RunRecord, describe_file, save_record
from fcvg_core.training.steps import UNET, SteeredUnet
from fcvg_core.training.svd_task import SvdTask
from fcvg_core.training.trained_sets import SVD, find_trained_set
from recipes.tiny.models import WEIGHTS
from recipes.tiny.samples import AUGMENTATION, Sample

VERSIONS = 4  # noises of each keyframe
STEPS = 500
RATE = 1e-3
TRAINED = "all"
START = "random values of benchmarks/learn.py"


@dataclass(frozen=True, eq=False, kw_only=True)
class ShownClip(Sample):
    """A clip that is trained on and looked at; its control frames may be another clip's.

    Attributes:
        drawn: gives the true frames.
    """

    drawn: DrawnClip

    def frames(self) -> np.ndarray:
        """The true frames; see `HeldOutClip`."""
        return self.drawn.frames


def make_task(models: Models, clips: Sequence[DrawnClip], seed: int) -> SvdTask:
    """The clips for training, and for a look at them with their control frames and black ones.

    Args:
        models: whose VAE is trained.

    Returns:
        A task whose held-out clips are the clips themselves, then each with black control frames.
    """
    pipeline = VideoPipeline(models, device=torch.device("cpu"), offload=False)
    kept = []
    for drawn in clips:
        encoded = encode_clip(
            pipeline,
            drawn.frames,
            (0, FRAMES - 1),
            versions=VERSIONS,
            augmentation=AUGMENTATION,
            seed=seed,
        )
        control = torch.from_numpy(drawn.control).movedim(-1, 1)
        kept.append(ShownClip(drawn.name, encoded, control, drawn=drawn))
    black = [
        replace(each, name=f"{each.name}, black", control=torch.zeros_like(each.control))
        for each in kept
    ]
    network = SteeredUnet(models.unet, models.controlnext)
    return SvdTask(network, kept, Draw(directions=BOTH), held_out=[*kept, *black])


def training_of(steps: int, seed: int) -> Training:
    """How UNet and ControlNeXt are trained; the rates begin to fall at half of the steps."""
    return Training(
        trained=TRAINED,
        steps=steps,
        accumulate=1,
        unet_rate=RATE,
        controlnext_rate=RATE,
        warmup=min(60, steps // 4),
        schedule="linear",
        beta2=0.99,
        ema=0.995,
        directions=BOTH,
        save_memory=False,
        seed=seed,
    )


def learn(
    task: SvdTask, output: Path, training: Training, *, every: int = 50, progress: Progress = silent
) -> None:
    """Train UNet and ControlNeXt of a task; the log of the run holds what `losses` gives.

    Args:
        output: folder of the run; a run that is in it goes on.
        every: steps from a look at the losses to the next.
    """
    train(
        task,
        trained=find_trained_set(SVD, TRAINED),
        rates={"unet": RATE, "controlnext": RATE},
        training=training,
        saving=Saving(every=100, keep=1),
        machine=TrainingMachine(device="cpu", dtype="fp32"),
        output=output,
        resume=output.exists(),
        validate=lambda step: losses(task),
        validate_every=every,
        progress=progress,
    )


def record_run(run: Path, svd: Path, training: Training, clips: int) -> None:
    """Write the training.json of a run, which its export reads.

    Args:
        svd: the untrained networks in diffusers' layout.
        clips: how many clips were trained on.
    """
    unet = svd / UNET / WEIGHTS
    spec = TrainingSpec(
        data=Clips(width=SIZE[1], height=SIZE[0], frames=FRAMES, held_out=0.0), training=training
    )
    record = RunRecord(
        job="inbetween",
        family=SVD,
        trained=TRAINED,
        start=START,
        model=svd,
        unet=None,
        controlnext=None,
        files=(describe_file(unet),),
        clips=clips,
        spec=to_tables(spec),
    )
    save_record(run, record)


def losses(task: SvdTask) -> dict[str, float]:
    """Mean loss of both clips at noise levels 2 and 10, and at 10 with black control frames."""
    half = len(task.held_out()) // 2

    def mean(level: float, begin: int) -> float:
        found = [task.loss_at(task.network, begin + i, level, seed=i) for i in range(half)]
        return sum(found) / half

    return {"2": mean(2.0, 0), "10": mean(10.0, 0), "10, black": mean(10.0, half)}
