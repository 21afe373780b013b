"""The denoising loop on diffusers' UNet: one direction or both, windows, control, noise injection.

Source: FCVG (arXiv 2412.11755); Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402, 620-745;
dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
pipeline_stable_video_diffusion_controlnext.py:540-640 (one direction).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ...models.svd import denoise_latents, noisy_deviation
from ...sampling import (
    Guidance,
    Window,
    average_windows,
    early_steps,
    euler_step,
    fuse,
    fuse_forward_only,
    guide,
    injection_steps,
    plan_spans,
    repeat_step,
    starts_empty,
    whole_steps,
)
from ...settings import SamplingSettings
from .levels import guidance_of, noise_levels
from .loading import Models
from .passes import EncodedImage, UnetPasses
from .steering import make_control


@torch.no_grad()
def denoise(
    models: Models,
    images: tuple[EncodedImage, ...],
    control_frames: Tensor | None,
    noise: Tensor,
    settings: SamplingSettings,
    *,
    at: Sequence[int] | None = None,
    start: Tensor | None = None,
    draw: Callable[[], Tensor] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Latents of the frames between keyframes, or of the frames that follow one image.

    Each span, from one keyframe to the next, is sampled between its own two keyframes.

    Args:
        models: UNet and ControlNeXt are on the device that computes.
        images: the keyframes in their order, sampled in both directions; or one reference image,
            which conditions every frame, sampled in one direction.
        control_frames: [T, 3, H, W] in 0..1 or uint8, or None for no control.
        noise: [T, 4, h, w], unit variance.
        at: frames of the keyframes, rising from 0 to T - 1; None: there is one span.
        start: [T, 4, h, w] latents, scaled as those that are returned, from which the video
            starts if `settings.denoise` is below 1.
        settings: their `denoise` is above 0.
        draw: gives the next unit noise to inject, shaped like `noise`; noise injection needs it.
        progress: gets the number of finished steps.

    Returns:
        [T, 4, h, w] float32, where `place_of_video` says; the VAE decodes them after division by
        its scaling factor.
    """
    _check_given(settings, images, start, draw)
    windows = plan_spans(at or (0, len(noise) - 1), settings.window, settings.overlap)
    kept_on = place_of_video(models, windows)
    latents, sigmas = _add_noise(noise.to(kept_on), start, settings)
    evaluation = _make_evaluation(models, images, control_frames, settings, windows, latents)
    return _take_steps(evaluation, latents, sigmas, settings, lambda: draw().to(kept_on), progress)


def place_of_video(models: Models, windows: list[Window]) -> torch.device:
    """Where the latents and kept features of a video are.

    On the device of the UNet; a video of several windows stays on the CPU, and its windows go to
    the device one by one.
    """
    return models.unet.device if len(windows) == 1 else torch.device("cpu")


def _check_given(
    settings: SamplingSettings,
    images: tuple[EncodedImage, ...],
    start: Tensor | None,
    draw: Callable[[], Tensor] | None,
) -> None:
    """Raise ValueError if the settings need what is not given."""
    if start is None and not starts_empty(settings.denoise):
        raise ValueError(f"With denoise {settings.denoise} the video needs `start`.")
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    if repeated and settings.noise_injection_steps and draw is None:
        raise ValueError("Noise injection needs `draw`, which gives the noise to inject.")
    if settings.forward_share and len(images) == 1:
        raise ValueError("Steps that are forward only need a first and a last keyframe.")


def _add_noise(
    noise: Tensor, start: Tensor | None, settings: SamplingSettings
) -> tuple[Tensor, Tensor]:
    """Latents at the first noise level of a run, and all noise levels of the run."""
    sigmas, whole = noise_levels(settings), whole_steps(settings.steps, settings.denoise)
    # As in ComfyUI, the highest level has noise of another deviation, with a start too.
    latents = noise * (noisy_deviation(sigmas[0]) if whole == settings.steps else sigmas[0])
    return latents if starts_empty(settings.denoise) else latents + start.to(latents), sigmas


@dataclass(frozen=True, eq=False)
class _Evaluation:
    """The estimate of the latents without noise, and the step towards it."""

    passes: UnetPasses
    windows: list[Window]
    guidance: Guidance
    directions: int
    ends: list[Tensor]  # [1, 4, h, w] scaled latents of the last keyframe of each span

    def step(
        self, latents: Tensor, *, sigma: Tensor, sigma_next: Tensor, forward_only: bool
    ) -> Tensor:
        """Latents [T, 4, h, w] at the next noise level."""
        if forward_only:
            estimate = partial(self._denoise_forward, sigma=sigma)
            denoised = average_windows(latents, self.windows, estimate)
        else:
            predict = partial(self._predict, sigma=sigma)
            prediction = average_windows(latents, self.windows, predict)
            denoised = denoise_latents(prediction, latents, sigma)
        return euler_step(latents, denoised, sigma, sigma_next)

    def _predict(self, latents: Tensor, window: Window, *, sigma: Tensor) -> Tensor:
        """v-prediction [T, 4, h, w] of a window, its directions fused."""
        forward = self._one_direction(latents, window, sigma, backward=False)
        if self.directions == 1:
            return forward
        backward = self._one_direction(latents.flip(0), window, sigma, backward=True)
        return fuse(forward, backward.flip(0))

    def _denoise_forward(self, latents: Tensor, window: Window, *, sigma: Tensor) -> Tensor:
        """Latents [T, 4, h, w] of a window without noise; the backward direction is built."""
        forward = self._one_direction(latents, window, sigma, backward=False)
        return fuse_forward_only(denoise_latents(forward, latents, sigma), self.ends[window.span])

    def _one_direction(
        self, latents: Tensor, window: Window, sigma: Tensor, *, backward: bool
    ) -> Tensor:
        """v-prediction of one direction; latents and prediction are in the direction's order."""
        guidance = self.guidance.at(float(sigma))
        both = guidance.needs_uncond
        halves = self.passes.predict(latents, sigma, window, backward=backward, both=both)
        if not both:
            return halves[0]
        uncond, cond = halves
        return guide(cond, uncond, guidance.ramp(latents))


def _take_steps(
    evaluation: _Evaluation,
    latents: Tensor,
    sigmas: Tensor,
    settings: SamplingSettings,
    draw: Callable[[], Tensor],
    progress: Callable[[int], None],
) -> Tensor:
    """Latents [T, 4, h, w] after all steps of a run."""
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    early = early_steps(settings.steps, settings.forward_share)
    for i in range(settings.steps):
        sigma, sigma_next = sigmas[i : i + 2]
        step = partial(evaluation.step, sigma=sigma, sigma_next=sigma_next, forward_only=i < early)
        latents = repeat_step(
            latents,
            sigma,
            sigma_next,
            times=settings.noise_injection_steps if i < repeated else 0,
            step=step,
            draw=draw,
        )
        progress(i + 1)
    return latents


def _make_evaluation(
    models: Models,
    images: tuple[EncodedImage, ...],
    control_frames: Tensor | None,
    settings: SamplingSettings,
    windows: list[Window],
    latents: Tensor,
) -> _Evaluation:
    """What all steps of a run share."""
    control = make_control(
        models.controlnext,
        models.unet,
        control_frames,
        latents,
        window=max(window.length for window in windows),
        strength=settings.control_weight,
    )
    ends = []
    if settings.forward_share:
        scale = models.vae.config.scaling_factor
        ends = [image.latent.to(latents) * scale for image in images[1:]]
    passes = UnetPasses(models.unet, images, control, settings, features_on=latents.device)
    directions = min(len(images), 2)
    return _Evaluation(passes, windows, guidance_of(settings), directions, ends)
