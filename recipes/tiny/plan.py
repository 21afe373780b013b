"""How large a tiny model is, and how long what is trained: for a GPU, and small for a CPU."""

import os
from dataclasses import dataclass, field

from fcvg_core.training.config import Training, TrainingMachine

from .clips import Shape
from .models import Widths
from .vae import VaeTraining

BYTES = 40_000_000  # of all files of a shipped model


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run of the recipe.

    Attributes:
        shape: of the clips.
        widths: of the networks.
        clips: to draw at most; where time is short, fewer are drawn.
        first_clips: that are drawn before the VAE is trained.
        workers: processes that draw clips.
        vae: how the VAE is trained; then its decoder alone, on latents with noise, with half of
            the rate and, without a limit of time, half of the steps.
        training: how UNet and ControlNeXt are trained.
        seconds: of the whole run; it decides how many steps there are. None: the steps are those
            of `vae` and `training`.
        vae_until, decoder_until, training_until: shares of `seconds` at which the VAE, its decoder
            and the other networks are trained; what is left is for painting.
        practice: steps that are taken to see how fast they are, at least 2.
        cases: unseen towns that are painted.
        sampling_steps: of denoising a painted town.
        machine: the device, and the number format of the networks' work.
        seed: of all chance but the clips', which have numbers.
    """

    shape: Shape = Shape()
    # 19.6 million values with CLIP and ControlNeXt: 39.2 MB. Width helps most at half the
    # latents' size, where control enters the UNet and motion is large compared with a place.
    widths: Widths = Widths(unet=(64, 128, 64, 64), vae=(32, 64, 64, 64))
    clips: int = 12_000
    first_clips: int = 64
    workers: int = 1
    vae: VaeTraining = VaeTraining(batch=64, crop=96)
    training: Training = field(
        default_factory=lambda: Training(
            trained="all",
            batch=16,
            accumulate=1,
            unet_rate=5e-4,
            controlnext_rate=5e-4,
            warmup=200,
            schedule="linear",
            decay_from=0.6,
            last_rate=0.01,
            beta2=0.99,
            ema=0.999,
            directions="both",
            save_memory=False,
        )
    )
    seconds: float | None = 465.0  # eight minutes with Python's own start
    vae_until: float = 0.2
    decoder_until: float = 0.26
    training_until: float = 0.92
    practice: int = 30
    cases: int = 8
    sampling_steps: int = 12
    machine: TrainingMachine = field(default_factory=TrainingMachine)
    seed: int = 0


def small_plan(**changes) -> Plan:
    """A run that a CPU does in minutes: everything happens, and the pictures are no good."""
    training = {"batch": 1, "warmup": 10, "ema": 0.9, "steps": 40}
    given = {
        "shape": Shape(64, 128, 5),
        "widths": Widths(),
        "clips": 32,
        "first_clips": 32,
        "vae": VaeTraining(steps=60, crop=64, warmup=10),
        "training": Training(**{**vars(Plan().training), **training}),
        "seconds": None,
        "cases": 2,
        "sampling_steps": 4,
    }
    return Plan(**{**given, **changes})


def spare_cores() -> int:
    """Cores that can draw while the main process trains, at least 1."""
    return max((os.cpu_count() or 1) - 2, 1)
