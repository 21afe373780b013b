"""The denoising loop on diffusers' UNet: one direction or both, windows, control, noise injection.

Source: FCVG (arXiv 2412.11755); Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402, 620-745;
dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
pipeline_stable_video_diffusion_controlnext.py:540-640 (one direction).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ...models.controlnext import (
    ControlNeXt,
    check_fit,
    check_num_frames,
    compute_features,
    empty_features,
    steer_chunks,
)
from ...models.svd import SIGMA_MAX, SIGMA_MIN, denoise_latents, noisy_deviation, timestep
from ...sampling import (
    Guidance,
    Window,
    average_windows,
    euler_step,
    fuse,
    guide,
    injection_steps,
    karras_sigmas,
    plan_windows,
    repeat_step,
    starts_empty,
    whole_steps,
)
from ...settings import SamplingSettings
from .loading import Models


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """A keyframe or a reference image as the UNet takes it."""

    embedding: Tensor  # [1, 1, D] from CLIP
    latent: Tensor  # [1, 4, h, w] from the VAE, unscaled


@torch.no_grad()
def denoise(
    models: Models,
    images: tuple[EncodedImage, ...],
    control_frames: Tensor | None,
    noise: Tensor,
    settings: SamplingSettings,
    *,
    start: Tensor | None = None,
    draw: Callable[[], Tensor] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Latents of the frames between two keyframes, or of the frames that follow one image.

    Args:
        models: on the device of `noise`.
        images: first and last keyframe, sampled in both directions; or one reference image, which
            conditions every frame, sampled in one direction.
        control_frames: [T, 3, H, W] in 0..1 or uint8, or None for no control.
        noise: [T, 4, h, w], unit variance.
        start: [T, 4, h, w] latents, scaled as those that are returned, from which the video
            starts if `settings.denoise` is below 1.
        settings: their `denoise` is above 0.
        draw: gives the next unit noise to inject, shaped like `noise`; noise injection needs it.
        progress: gets the number of finished steps.

    Returns:
        [T, 4, h, w] float32; the VAE decodes them after division by its scaling factor.
    """
    _check_given(settings, start, draw)
    windows = plan_windows(len(noise), settings.window, settings.overlap)
    control = _make_control(models, control_frames, noise, windows[0].length, settings)
    latents, sigmas = _add_noise(noise, start, settings)
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    for i in range(settings.steps):
        sigma, sigma_next = sigmas[i : i + 2]
        if control is not None:
            control.compute(sigma)
        unet = _UnetStep(models.unet, images, control, sigma, settings)
        latents = repeat_step(
            latents,
            sigma,
            sigma_next,
            times=settings.noise_injection_steps if i < repeated else 0,
            step=partial(unet.step, windows=windows, sigma_next=sigma_next),
            draw=lambda: draw().to(noise),
        )
        progress(i + 1)
    return latents


def _check_given(
    settings: SamplingSettings, start: Tensor | None, draw: Callable[[], Tensor] | None
) -> None:
    """Raise ValueError if the settings need what is not given."""
    if start is None and not starts_empty(settings.denoise):
        raise ValueError(f"With denoise {settings.denoise} the video needs `start`.")
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    if repeated and settings.noise_injection_steps and draw is None:
        raise ValueError("Noise injection needs `draw`, which gives the noise to inject.")


def _add_noise(
    noise: Tensor, start: Tensor | None, settings: SamplingSettings
) -> tuple[Tensor, Tensor]:
    """Latents at the first noise level of a run, and all noise levels of the run."""
    whole = whole_steps(settings.steps, settings.denoise)
    sigmas = karras_sigmas(whole, lowest=SIGMA_MIN, highest=SIGMA_MAX)[-settings.steps - 1 :]
    # As in ComfyUI, the highest level has noise of another deviation, with a start too.
    latents = noise * (noisy_deviation(sigmas[0]) if whole == settings.steps else sigmas[0])
    return latents if starts_empty(settings.denoise) else latents + start, sigmas


@dataclass(frozen=True, eq=False)
class _Control:
    """Control frames, and the network's features of these frames at the current noise level."""

    network: ControlNeXt
    frames: Tensor  # [T, 3, H, W]
    features: Tensor  # [T, C, h, w], prepared

    def compute(self, sigma: Tensor) -> None:
        """Replace the features by those of another noise level."""
        weight = next(self.network.parameters())
        compute_features(
            self.network,
            self.frames,
            sigma,
            self.features,
            device=weight.device,
            dtype=weight.dtype,
        )

    def cut(self, window: Window) -> Tensor:
        """The features that a window sees, forward in time."""
        repeats = self.network.config.repeats_first_frame
        return window.cut_control(self.features, repeats_first_frame=repeats)


def _make_control(
    models: Models,
    frames: Tensor | None,
    noise: Tensor,
    window: int,
    settings: SamplingSettings,
) -> _Control | None:
    """Control with room for its features; None if nothing is steered."""
    if frames is None:
        return None
    network = models.controlnext
    check_num_frames(frames, len(noise))
    check_fit(network, models.unet.config.block_out_channels)
    if settings.control_weight == 0:
        return None
    features = empty_features(
        network,
        len(frames),
        network.config.hidden_size(tuple(noise.shape[2:])),
        window=window,
        dtype=next(network.parameters()).dtype,
        device=noise.device,
        offload=torch.device("cpu"),
    )
    return _Control(network, frames, features)


@dataclass(frozen=True, eq=False)
class _UnetStep:
    """The UNet at one noise level."""

    unet: nn.Module
    images: tuple[EncodedImage, ...]
    control: _Control | None
    sigma: Tensor
    settings: SamplingSettings

    def step(self, latents: Tensor, *, windows: list[Window], sigma_next: Tensor) -> Tensor:
        """Latents [T, 4, h, w] at the next noise level."""
        scaled = latents / noisy_deviation(self.sigma)
        prediction = average_windows(scaled, windows, self._predict)
        denoised = denoise_latents(prediction, latents, self.sigma)
        return euler_step(latents, denoised, self.sigma, sigma_next)

    def _predict(self, latents: Tensor, window: Window) -> Tensor:
        """v-prediction [T, 4, h, w] of a window, its directions fused."""
        forward = self._one_direction(latents, window, self.images[0], backward=False)
        if len(self.images) == 1:
            return forward
        backward = self._one_direction(latents.flip(0), window, self.images[1], backward=True)
        return fuse(forward, backward.flip(0))

    def _one_direction(
        self, latents: Tensor, window: Window, image: EncodedImage, *, backward: bool
    ) -> Tensor:
        """v-prediction of one direction; latents and prediction are in the direction's order."""
        settings = self.settings
        guidance = Guidance(settings.guidance_start, settings.guidance_end)
        # Shares of the image in each half of the batch; the unconditional half comes first.
        shares = torch.tensor([0.0, 1.0] if guidance.needs_uncond else [1.0]).to(latents)
        repeated = image.latent.expand(len(latents), -1, -1, -1)
        sample = torch.stack([torch.cat([latents, repeated * share], dim=1) for share in shares])
        ids = (settings.fps - 1, settings.motion_bucket_id, settings.augmentation)
        with self._steered(window, backward):
            out = self.unet(
                sample.to(self.unet.dtype),
                timestep(self.sigma).to(latents.device),
                encoder_hidden_states=(image.embedding * shares[:, None, None]).to(self.unet.dtype),
                added_time_ids=latents.new_tensor([ids] * len(shares)),
                return_dict=False,
            )[0].float()
        if not guidance.needs_uncond:
            return out[0]
        return guide(out[1], out[0], guidance.ramp(latents))

    @contextmanager
    def _steered(self, window: Window, backward: bool) -> Iterator[None]:
        if self.control is None:
            yield
            return
        network, strength = self.control.network, self.settings.control_weight
        with steered(self.unet, network, self.control.cut(window), strength, backward=backward):
            yield


@contextmanager
def steered(
    unet: nn.Module,
    network: ControlNeXt,
    control: Tensor,
    strength: float,
    *,
    backward: bool = False,
) -> Iterator[None]:
    """Let ControlNeXt steer the UNet. The conditional half has to be the last of the UNet's batch.

    Args:
        control: [T, C, h, w] prepared features, forward in time.
        strength: 1.0 in the official code.
        backward: whether the UNet gets the frames in reverse order.
    """

    def steer(block: nn.Module, args: tuple, output: tuple) -> tuple:
        hidden, skips = output
        unconditional = len(hidden) // len(control) - 1
        hidden = steer_chunks(
            hidden,
            control,
            conditional=[False] * unconditional + [True],
            levels=network.levels(),
            strength=strength,
            backward=backward,
        )
        return hidden, skips

    handle = unet.down_blocks[network.config.down_block].register_forward_hook(steer)
    try:
        yield
    finally:
        handle.remove()
