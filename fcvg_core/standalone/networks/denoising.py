"""The denoising loop on diffusers' UNet: one direction or both, windows, control, noise injection.

Source: FCVG (arXiv 2412.11755); Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402, 620-745;
dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
pipeline_stable_video_diffusion_controlnext.py:540-640 (one direction).
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...errors import UserError
from ...models.controlnext import (
    CONTROL_SCALE,
    V2,
    ControlNeXt,
    add_control,
    check_fit,
    prepare_control,
)
from ...sampling import (
    Window,
    average_windows,
    fuse,
    guidance_ramp,
    inject_noise,
    injection_steps,
    plan_windows,
)
from ...sampling.schedule import timestep
from ...settings import SamplingSettings
from .loading import Models

FRAMES_PER_CALL = 8  # of ControlNeXt, which works frame by frame: bounds its memory


@dataclass(frozen=True, eq=False)
class Keyframe:
    """What the UNet takes of a keyframe or of a reference image."""

    embedding: Tensor  # [1, 1, D] of CLIP
    latent: Tensor  # [1, 4, h, w] of the VAE, unscaled


@torch.no_grad()
def denoise(
    models: Models,
    images: tuple[Keyframe, ...],
    control_frames: Tensor | None,
    noise: Tensor,
    settings: SamplingSettings,
    *,
    draw: Callable[[], Tensor] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Latents of the frames between two keyframes, or of those that follow one image.

    Args:
        models: on the device of `noise`.
        images: first and last keyframe, sampled in both directions; or one reference image, which
            every frame is conditioned on, sampled in one.
        control_frames: [T, 3, H, W] in 0..1 or uint8, or None for no control.
        noise: [T, 4, h, w], unit variance.
        draw: the next unit noise to inject, shaped like `noise`; needed for noise injection.
        progress: is told how many steps are done.

    Returns:
        [T, 4, h, w] float32, as the VAE takes them after division by its scaling factor.
    """
    windows = plan_windows(len(noise), settings.window, settings.overlap)
    _check_control(models, control_frames, noise)
    control = _empty_features(models.controlnext, control_frames, noise, windows)
    scheduler = copy.copy(models.scheduler)
    scheduler.set_timesteps(settings.steps, device=noise.device)
    latents = noise * scheduler.init_noise_sigma
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    if repeated and settings.noise_injection_steps and draw is None:
        raise UserError("Noise injection needs `draw`, which gives the noise to inject.")
    for i, t in enumerate(scheduler.timesteps):
        sigma, sigma_next = scheduler.sigmas[i : i + 2]
        if control is not None:
            _run_controlnext(models.controlnext, control_frames, sigma, control)
        times = settings.noise_injection_steps if i < repeated else 0
        for left in range(times, -1, -1):
            taken = copy.copy(scheduler)  # each repetition is the same step of the schedule
            step = _Step(models, images, control, t, settings)
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

    models: Models
    images: tuple[Keyframe, ...]
    control: Tensor | None  # [T, C, h, w] of the whole video
    timestep: Tensor
    settings: SamplingSettings

    def predict(self, latents: Tensor, window: Window) -> Tensor:
        """v-prediction [T, 4, h, w] of a window, its directions fused."""
        control = self._window_control(window)
        forward = self._one_direction(latents, control, self.images[0])
        if len(self.images) == 1:
            return forward
        flipped = None if control is None else control.flip(0)
        backward = self._one_direction(latents.flip(0), flipped, self.images[1])
        return fuse(forward, backward.flip(0))

    def _window_control(self, window: Window) -> Tensor | None:
        if self.control is None:
            return None
        repeats = self.models.controlnext.config.repeats_first_frame
        return self.control[window.control_frames if repeats else window.frames]

    def _one_direction(self, latents: Tensor, control: Tensor | None, image: Keyframe) -> Tensor:
        settings, unet = self.settings, self.models.unet
        guided = settings.guidance_start != 1.0 or settings.guidance_end != 1.0
        # Unconditional half first; it would cancel out at a guidance of 1.
        given = torch.tensor([0.0, 1.0] if guided else [1.0]).to(latents)
        repeated = image.latent.expand(len(latents), -1, -1, -1)
        sample = torch.stack([torch.cat([latents, repeated * g], dim=1) for g in given])
        ids = (settings.fps - 1, settings.motion_bucket_id, settings.augmentation)
        with self._steered(control):
            out = unet(
                sample.to(unet.dtype),
                self.timestep,
                encoder_hidden_states=(image.embedding * given[:, None, None]).to(unet.dtype),
                added_time_ids=latents.new_tensor([ids] * len(given)),
                return_dict=False,
            )[0].float()
        if not guided:
            return out[0]
        ramp = guidance_ramp(settings.guidance_start, settings.guidance_end, latents)
        return out[0] + ramp * (out[1] - out[0])

    def _steered(self, control: Tensor | None) -> AbstractContextManager:
        network = self.models.controlnext
        if control is None:
            return nullcontext()
        return steered(
            self.models.unet,
            control,
            self.settings.control_weight,
            block=network.config.down_block,
            levels=network.levels(),
        )


@contextmanager
def steered(
    unet: nn.Module,
    control: Tensor | None,
    strength: float,
    *,
    block: int = V2.down_block,
    levels: tuple[float, float] = (CONTROL_SCALE, 0.0),
) -> Iterator[None]:
    """Let ControlNeXt steer the UNet: the conditional half is the last of its batch.

    The hidden state that leaves a down block is changed, skip connections are not.

    Args:
        control: [T, C, h, w] from `prepare_control`, or None for no control.
        strength: 1.0 is the reference's; 0 is no control.
        block: the network's `down_block`; version 2's by default, and so are the levels.
        levels: the network's `levels` on the conditional half and on the other.
    """
    if control is None or strength == 0:
        yield
        return
    conditional, unconditional = levels

    def add(block: nn.Module, args: tuple, output: tuple) -> tuple:
        hidden, skips = output
        parts = list(hidden.split(len(control)))
        like = control.to(hidden)
        for i, part in enumerate(parts):
            level = conditional if i == len(parts) - 1 else unconditional
            if level:
                parts[i] = add_control(part, like, strength, level)
        return torch.cat(parts), skips

    handle = unet.down_blocks[block].register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()


def _empty_features(
    network: ControlNeXt, frames: Tensor | None, latents: Tensor, windows: list[Window]
) -> Tensor | None:
    """Room for the features of every frame, at the size of the hidden state that they steer."""
    if frames is None:
        return None
    # Of a long video only one window's features are needed at once, so they wait on the CPU. To
    # compute them once a window instead is a third more work, as windows overlap.
    device = latents.device if len(windows) == 1 else torch.device("cpu")
    size = tuple(latents.shape[2:])
    for _ in range(network.config.halvings):
        size = tuple((length + 1) // 2 for length in size)
    shape = (len(frames), network.config.out_channels, *size)
    return torch.empty(shape, dtype=next(network.parameters()).dtype, device=device)


def _run_controlnext(network: ControlNeXt, frames: Tensor, sigma: Tensor, out: Tensor) -> None:
    """Put the prepared features of every frame at a noise level into `out`."""
    like = next(network.parameters())
    time = timestep(sigma).to(like.device)
    for start in range(0, len(frames), FRAMES_PER_CALL):
        part = slice(start, start + FRAMES_PER_CALL)
        features = network(_to_unit(frames[part]).to(like), time)
        out[part] = prepare_control(features, out.shape[2:])


def _to_unit(frames: Tensor) -> Tensor:
    """Frames in 0..1; whole pixel values stay so until they are used, a quarter of the memory."""
    return frames.float() / 255 if frames.dtype == torch.uint8 else frames


def _check_control(models: Models, frames: Tensor | None, noise: Tensor) -> None:
    if frames is None:
        return
    if len(frames) != len(noise):
        raise UserError(
            f"There are {len(frames)} control frames for a video of {len(noise)} frames: give as "
            "many to both."
        )
    check_fit(models.controlnext, models.unet.config.block_out_channels)
