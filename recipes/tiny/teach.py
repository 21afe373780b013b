"""Trains the networks of a tiny model, for as long as the clock says."""

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fcvg_core.json_text import parse_json
from fcvg_core.measures import psnr
from fcvg_core.progress import Progress
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.training.config import Saving
from fcvg_core.training.drawing import Draw
from fcvg_core.training.dropout import Dropout
from fcvg_core.training.loop import Place, read_trained, train
from fcvg_core.training.loop.log import LOG
from fcvg_core.training.steps import SteeredUnet
from fcvg_core.training.svd_task import SvdTask
from fcvg_core.training.trained_sets import SVD, find_trained_set

from .judge import control_ratio, through_vae
from .models import make_vae
from .pace import Clock, EachMinute, Say
from .plan import Plan
from .samples import Sample
from .supply import Supply
from .vae import VaeTraining, draw_crops, scale_latents, train_decoder, train_vae

MEASURED = 16  # pictures that show how good the VAE is
VALIDATIONS = 6
LOGGED = 10  # steps from a line of the log to the next
NEVER = 10_000_000  # steps: there is no checkpoint before the last step


def teach_vae(plan: Plan, supply: Supply, place: Place, clock: Clock, say: Say) -> nn.Module:
    """A VAE of the frames that are drawn so far, while more are drawn.

    Returns:
        The VAE, with the latents that SVD's `scaling_factor` expects.
    """
    vae = make_vae(plan.widths, plan.seed)
    shown = np.stack([clip.frames[0] for clip in supply.clips[:MEASURED]])
    side = min(plan.vae.crop, *plan.shape.size)

    def crops(chance: torch.Generator) -> Tensor:
        supply.collect()
        picked = torch.randint(1 << 30, (plan.vae.batch, 2), generator=chance).tolist()
        frames = [_pick(_pick(supply.clips, clip).frames, at) for clip, at in picked]
        return draw_crops(frames, plan.vae.batch, side, chance)

    def tell(stage: str, done: int, total: int) -> None:
        quality = psnr(shown, through_vae(vae, shown, place.device)).mean()
        say(f"{stage}, step {done} of {total}: {quality:.1f} dB; {len(supply.clips)} clips drawn")

    def descend(part: Callable, until: float, steps: int, how: VaeTraining) -> None:
        def take(count: int, progress: Progress, trained: nn.Module | None = None) -> None:
            trained = copy.deepcopy(vae) if trained is None else trained
            timed = replace(how, steps=count)
            half = place.dtype != torch.float32
            part(trained, crops, timed, seed=plan.seed, half=half, progress=progress)

        take(clock.plan_steps(until, steps, plan.practice, take), EachMinute(tell), vae)

    descend(partial(train_vae, device=place.device), plan.vae_until, plan.vae.steps, plan.vae)
    scale_latents(vae, shown)
    slower = replace(plan.vae, rate=plan.vae.rate / 2)
    descend(train_decoder, plan.decoder_until, plan.vae.steps // 2, slower)
    return vae.requires_grad_(False)


def _pick(row: Sequence, number: int) -> Any:
    return row[number % len(row)]


@dataclass(frozen=True)
class Lesson:
    """The training of UNet and ControlNeXt.

    Attributes:
        samples: that are trained on.
        held_out: samples of unseen towns.
        output: folder of the loop's run.
    """

    plan: Plan
    samples: Sequence[Sample]
    held_out: Sequence[Sample]
    output: Path

    def teach(self, models: Models, clock: Clock, say: Say) -> int:
        """Train networks; they have the averages of their parameters afterwards.

        Returns:
            The steps that were taken.
        """
        plan, how = self.plan, self.plan.training
        network = SteeredUnet(models.unet, models.controlnext, strength=how.strength)

        def try_out(steps: int, progress: Progress) -> None:
            with tempfile.TemporaryDirectory() as folder:
                self._train(copy.deepcopy(network), steps, Path(folder) / "run", progress=progress)

        def validate(step: int) -> dict[str, float]:
            loss, ratio = control_ratio(network, self.held_out)
            say(f"step {step}, unseen towns: loss {loss:.4f}, with black control {ratio:.2f} times")
            return {"loss": loss, "black": ratio}

        def tell(stage: str, done: int, total: int) -> None:
            say(f"step {done} of {total}: loss {self._last_loss()}")

        steps = clock.plan_steps(plan.training_until, how.steps, plan.practice, try_out)
        say(f"UNet and ControlNeXt: {steps} steps of {how.batch} clips")
        summary = self._train(
            network,
            steps,
            self.output,
            validate=validate,
            validate_every=max(steps // VALIDATIONS, 1),
            progress=EachMinute(tell),
            enough=lambda: "its time is over" if clock.left(plan.training_until) == 0 else None,
        )
        averages = read_trained(self.output, ema=bool(how.ema))
        network.load_state_dict({**network.state_dict(), **averages})
        network.eval().requires_grad_(False)
        return summary.step

    def _train(self, network: SteeredUnet, steps: int, output: Path, **more):
        how = self.plan.training
        draw = Draw(dropout=Dropout(how.dropout, how.drop_control), directions=how.directions)
        return train(
            SvdTask(network, self.samples, draw),
            trained=find_trained_set(SVD, how.trained),
            rates=how.rates,
            training=replace(how, steps=steps),
            saving=Saving(every=NEVER, keep=1, log_every=LOGGED),
            machine=self.plan.machine,
            output=output,
            **more,
        )

    def _last_loss(self) -> str:
        """The loss of the last line of the log."""
        lines = map(parse_json, (self.output / LOG).read_text(encoding="utf-8").splitlines())
        losses = [line["loss"] for line in lines if "loss" in line]
        return f"{losses[-1]:.4f}" if losses else "is not known yet"
