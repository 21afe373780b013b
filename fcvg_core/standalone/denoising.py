"""The denoising loop on diffusers' UNet: both directions, windows, control, noise injection.

Source: FCVG (arXiv 2412.11755); Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402, 620-745.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..models.fcvg import add_control, prepare_control
from ..sampling import (
    Window,
    average_windows,
    fuse,
    guidance_ramp,
    inject_noise,
    injection_steps,
    plan_windows,
)
from ..sampling.schedule import timestep
from .loading import Models

FRAMES_PER_CALL = 8  # of ControlNeXt, which works frame by frame: bounds its memory


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a video is sampled. Frames are counted with both keyframes."""

    num_frames: int
    window: int
    overlap: int
    steps: int
    min_guidance: float  # at the keyframe that a direction starts from
    max_guidance: float
    control_weight: float  # 1.0 is FCVG's
    fps: int  # as a person counts them: the model is told one less
    motion_bucket_id: int
    augmentation: float  # noise on the keyframes, in the -1..1 range
    noise_injection_steps: int
    noise_injection_ratio: float  # 0..1


@dataclass(frozen=True, eq=False)
class Keyframe:
    """What the UNet takes of a keyframe."""

    embedding: Tensor  # [1, 1, D] of CLIP
    latent: Tensor  # [1, 4, h, w] of the VAE, unscaled


@torch.no_grad()
def denoise(
    models: Models,
    keyframes: tuple[Keyframe, Keyframe],
    control_frames: Tensor | None,
    noise: Tensor,
    settings: Settings,
    *,
    draw: Callable[[], Tensor] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Latents of the frames between two keyframes.

    Args:
        models: on the device of `noise`.
        keyframes: first and last.
        control_frames: [T, 3, H, W] in 0..1, or None for no control.
        noise: [T, 4, h, w], unit variance.
        draw: the next unit noise to inject, shaped like `noise`; needed for noise injection.
        progress: is told how many steps are done.

    Returns:
        [T, 4, h, w] float32, as the VAE takes them after division by its scaling factor.
    """
    windows = plan_windows(len(noise), settings.window, settings.overlap)
    _check_control(control_frames, noise)
    scheduler = copy.copy(models.scheduler)
    scheduler.set_timesteps(settings.steps, device=noise.device)
    latents = noise * scheduler.init_noise_sigma
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    if repeated and settings.noise_injection_steps and draw is None:
        raise ValueError("Noise injection needs `draw`, which gives the noise to inject.")
    for i, t in enumerate(scheduler.timesteps):
        sigma, sigma_next = scheduler.sigmas[i : i + 2]
        control = _run_controlnext(models.controlnext, control_frames, sigma, latents)
        times = settings.noise_injection_steps if i < repeated else 0
        for left in range(times, -1, -1):
            taken = copy.copy(scheduler)  # each repetition is the same step of the schedule
            step = _Step(models.unet, keyframes, control, t, settings)
            prediction = average_windows(taken.scale_model_input(latents, t), windows, step.predict)
            latents = taken.step(prediction, t, latents).prev_sample
            if left:
                latents = inject_noise(latents, draw().to(latents), sigma, sigma_next)
        scheduler = taken
        progress(i + 1)
    return latents


@dataclass(frozen=True, eq=False)
class _Step:
    """The UNet's predictions at one noise level."""

    unet: nn.Module
    keyframes: tuple[Keyframe, Keyframe]
    control: Tensor | None  # [T, C, h/2, w/2] of the whole video
    timestep: Tensor
    settings: Settings

    def predict(self, latents: Tensor, window: Window) -> Tensor:
        """v-prediction [T, 4, h, w] of a window, both directions fused."""
        control = None if self.control is None else self.control[window.control_frames]
        first, last = self.keyframes
        forward = self._one_direction(latents, control, first)
        flipped = None if control is None else control.flip(0)
        backward = self._one_direction(latents.flip(0), flipped, last)
        return fuse(forward, backward.flip(0))

    def _one_direction(self, latents: Tensor, control: Tensor | None, keyframe: Keyframe) -> Tensor:
        settings, unet = self.settings, self.unet
        guided = settings.min_guidance != 1.0 or settings.max_guidance != 1.0
        # Unconditional half first; it would cancel out at a guidance of 1.
        given = torch.tensor([0.0, 1.0] if guided else [1.0]).to(latents)
        image = keyframe.latent.expand(len(latents), -1, -1, -1)
        sample = torch.stack([torch.cat([latents, image * g], dim=1) for g in given])
        ids = (settings.fps - 1, settings.motion_bucket_id, settings.augmentation)
        with steered(unet, control, settings.control_weight):
            out = unet(
                sample.to(unet.dtype),
                self.timestep,
                encoder_hidden_states=(keyframe.embedding * given[:, None, None]).to(unet.dtype),
                added_time_ids=latents.new_tensor([ids] * len(given)),
                return_dict=False,
            )[0].float()
        if not guided:
            return out[0]
        ramp = guidance_ramp(settings.min_guidance, settings.max_guidance, latents)
        return out[0] + ramp * (out[1] - out[0])


@contextmanager
def steered(unet: nn.Module, control: Tensor | None, strength: float) -> Iterator[None]:
    """Let ControlNeXt steer the UNet's conditional half, the last of its batch.

    The first down block's hidden state is changed, its skip connections are not.
    """
    if control is None or strength == 0:
        yield
        return

    def add(block: nn.Module, args: tuple, output: tuple) -> tuple:
        hidden, skips = output
        rest, conditional = hidden[: -len(control)], hidden[-len(control) :]
        return torch.cat([rest, add_control(conditional, control.to(hidden), strength)]), skips

    handle = unet.down_blocks[0].register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()


def _run_controlnext(
    network: nn.Module, frames: Tensor | None, sigma: Tensor, latents: Tensor
) -> Tensor | None:
    """Prepared features of every frame, at the size of the first block's output."""
    if frames is None:
        return None
    size = tuple((length + 1) // 2 for length in latents.shape[2:])
    like = next(network.parameters())
    return torch.cat(
        [
            prepare_control(network(part.to(like), timestep(sigma).to(like.device)), size)
            for part in frames.split(FRAMES_PER_CALL)
        ]
    )


def _check_control(frames: Tensor | None, noise: Tensor) -> None:
    if frames is not None and len(frames) != len(noise):
        raise ValueError(
            f"There are {len(frames)} control frames for a video of {len(noise)} frames."
        )
