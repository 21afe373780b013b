"""Whether a tiny model may be shipped: it paints towns that it has never seen, and is measured.

A town's clip has a twin that begins with the same frame, and whose camera moves the other way. A
model that follows its control frames is worse with those of the twin; a model that does not is
as good with them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.measures import psnr
from fcvg_core.motion import Motion, Span
from fcvg_core.progress import silent
from fcvg_core.standalone.demo.scene import paint_canvas
from fcvg_core.standalone.media.writing import write_picture
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.pipeline import InbetweenPipeline, VideoPipeline
from fcvg_core.standalone.networks.vae import collect_video
from fcvg_core.standalone.spec.sampling import InbetweenSampling
from fcvg_core.training.steps import Pass, SteeredUnet, training_loss

from .clips import DrawnClip, Scene, Shape, draw_known
from .samples import AUGMENTATION, BUCKET, FPS, Sample

FIRST_TOWN = 2_000_000  # training draws towns from 0 on, and never so many
TIMING = "uniform"
LEVEL = 10.0  # noise level of the loss
# What a shipped model has to reach.
LEAST_GAIN, LEAST_COST, LEAST_RATIO = 1.5, 1.5, 1.3


@dataclass(frozen=True, eq=False)
class Case:
    """An unseen town: a clip, and the control frames that lead elsewhere.

    Attributes:
        clip: its lines are found by a matcher, as a user's are.
        twin: control frames of the camera's opposite move, [T, H, W, 3] uint8.
    """

    clip: DrawnClip
    twin: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """How well unseen towns are painted; decibels are of the middle frame, means over the towns.

    Attributes:
        cross_fade: PSNR of the keyframes' mean.
        vae: PSNR of the frame after encoding and decoding, the best that can be painted.
        painted: PSNR with the clip's own control frames.
        twin: PSNR with the twin's control frames.
        black: PSNR with black control frames.
        loss: at the noise level 10, with the clip's own control frames.
        ratio: the loss with black control frames, divided by `loss`.
    """

    cross_fade: float
    vae: float
    painted: float
    twin: float
    black: float
    loss: float
    ratio: float

    @property
    def faults(self) -> list[str]:
        """Why the model may not be shipped; none: it may."""
        wanted = {
            "dB above the cross-fade": (self.painted - self.cross_fade, LEAST_GAIN),
            "dB lost with the twin's control frames": (self.painted - self.twin, LEAST_COST),
            "times the loss with black control frames": (self.ratio, LEAST_RATIO),
        }
        return [
            f"{value:.2f} {what}, {least} needed"
            for what, (value, least) in wanted.items()
            if not value >= least  # NaN is a fault
        ]

    def __str__(self) -> str:
        values = (f"{field.name} {getattr(self, field.name):.3g}" for field in fields(self))
        return ", ".join(values)


def draw_cases(shape: Shape, count: int) -> list[Case]:
    """Unseen towns, in which things move and nobody walks: a demo has no detector of people."""
    return [_draw_case(FIRST_TOWN + number, shape) for number in range(count)]


def _draw_case(town: int, shape: Shape) -> Case:
    canvas = paint_canvas(town, shape.fine)
    scenes = (
        Scene(canvas, shape, np.random.default_rng(town), people=0, opposite=opposite)
        for opposite in (False, True)
    )
    frames, others = (scene.draw_frames(TIMING) for scene in scenes)
    control, twin = (_find_control(each, shape, town) for each in (frames, others))
    return Case(DrawnClip(f"town-{town}", frames, control), twin)


def _find_control(frames: np.ndarray, shape: Shape, seed: int) -> np.ndarray:
    """Control frames [T, H, W, 3] uint8 between the ends of a clip, as inference makes them."""
    matches = ClassicLineMatcher()(frames[0], frames[-1])
    return draw_known(Motion(shape.size, (Span(matches),)), shape, TIMING, seed)


@torch.no_grad()
def control_ratio(network: SteeredUnet, samples: Iterable[Sample]) -> tuple[float, float]:
    """The loss of held-out clips at the noise level 10, and how much larger it is without control.

    Returns:
        The loss, and the loss with black control frames divided by it.
    """
    losses = [
        (_loss(network, each), _loss(network, replace(each, control=each.control * 0)))
        for each in samples
    ]
    own, black = np.mean(losses, axis=0)
    return float(own), float(black / own)


def _loss(network: SteeredUnet, sample: Sample) -> float:
    clip = sample.clip(None)
    noise = torch.randn(clip.latents.shape, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor(LEVEL, dtype=torch.float64)
    return float(training_loss(network, [Pass(clip, sigma, noise)]))


def judge(
    models: Models,
    cases: list[Case],
    samples: list[Sample],
    *,
    device: torch.device,
    steps: int,
    pictures: Path,
) -> Verdict:
    """Paint unseen towns and measure them.

    Args:
        models: on the device.
        samples: the cases, encoded.
        steps: of denoising.
        pictures: PNG of truth, own and twin's control, and what was painted: a row for each town.
    """
    pipeline = InbetweenPipeline(models, device=device, offload=False)
    rows, found = [], []
    for case in cases:
        truth, control = case.clip.frames, case.clip.control
        own, twin, black = (
            _paint(pipeline, truth, frames, steps) for frames in (control, case.twin, control * 0)
        )
        middle = len(truth) // 2
        fade = np.rint(truth[[0, -1]].astype(float).mean(0)).astype(np.uint8)[None]
        again = through_vae(models.vae, truth[middle : middle + 1], device)
        shown = (fade, again, *(video[middle : middle + 1] for video in (own, twin, black)))
        found.append([float(psnr(truth[middle : middle + 1], frame)[0]) for frame in shown])
        chosen = [control, truth, own, case.twin, twin]
        rows.append(np.concatenate([video[middle] for video in chosen], axis=1))
    write_picture(pictures, np.concatenate(rows))
    network = SteeredUnet(models.unet, models.controlnext)
    return Verdict(*np.mean(found, axis=0).tolist(), *control_ratio(network, samples))


def _paint(
    pipeline: InbetweenPipeline, truth: np.ndarray, control: np.ndarray, steps: int
) -> np.ndarray:
    """The video [T, H, W, 3] uint8 between the ends of a clip."""
    sampling = InbetweenSampling(
        steps=steps,
        guidance_start=1.0,
        guidance_end=1.0,
        motion_bucket=BUCKET,
        augmentation=AUGMENTATION,
    )
    settings = sampling.settings(num_frames=len(truth), fps=FPS)
    return pipeline((truth[0], truth[-1]), control, settings, seed=0, decode_chunk=len(truth))


def through_vae(vae: nn.Module, frames: np.ndarray, device: torch.device) -> np.ndarray:
    """Frames [N, H, W, 3] uint8 after encoding and decoding."""
    pipeline = VideoPipeline(Models(None, vae, None), device=device, offload=False)
    latents = pipeline.encode_video(frames, len(frames), silent)
    return collect_video(pipeline.decode(latents, len(frames), silent), len(frames))
