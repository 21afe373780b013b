"""MPD on diffusers' UNet of SVD: the frames between two keyframes without FCVG's weights."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ...models.svd import denoise_latents, noisy_deviation
from ...sampling import Window, average_windows, plan_windows, sample_mpd
from ...settings import SamplingSettings
from .denoising import place_of_video
from .levels import noise_levels
from .loading import Models
from .passes import EncodedImage, UnetPasses


@torch.no_grad()
def denoise_plain(
    models: Models,
    images: tuple[EncodedImage, EncodedImage],
    ends: tuple[Tensor, Tensor],
    noise: Tensor,
    settings: SamplingSettings,
    *,
    draw: Callable[[], Tensor],
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Latents of the frames between two keyframes; see `sample_mpd`.

    Args:
        models: the UNet is on the device that computes; there may be no ControlNeXt.
        images: first and last keyframe.
        ends: [1, 4, h, w] latents of both keyframes without augmentation, scaled as the
            returned latents. The video's first and last frame are led to them.
        noise: [T, 4, h, w], unit variance.
        settings: their `denoise` is 1. MPD has no guidance scale and repeats steps in its own way,
            so guidance, noise injection and `forward_share` do not count.
        draw: gives the next unit noise, shaped like `noise`.
        progress: gets the number of finished steps.

    Returns:
        [T, 4, h, w] float32, where `denoise` would return them.
    """
    windows = plan_windows(len(noise), settings.window, settings.overlap)
    kept_on = place_of_video(models, windows)
    passes = UnetPasses(models.unet, images, None, settings, features_on=kept_on)
    sigmas = noise_levels(settings)
    latents = noise.to(kept_on) * noisy_deviation(sigmas[0])
    return sample_mpd(
        latents,
        sigmas,
        first=ends[0].to(latents),
        last=ends[1].to(latents),
        predict=partial(_estimate, passes, windows),
        draw=lambda: draw().to(kept_on),
        progress=progress,
    )


def _estimate(
    passes: UnetPasses, windows: list[Window], x: Tensor, sigma: Tensor, backward: bool
) -> tuple[Tensor, Tensor]:
    """Conditional and unconditional latents without noise, in the pass's own order of time."""

    def estimate(both: Tensor, window: Window) -> Tensor:
        latents = both.chunk(2, dim=1)[0]
        latents = latents.flip(0) if backward else latents
        halves = passes.predict(latents, sigma, window, backward=backward, both=True)
        clean = torch.cat([denoise_latents(half, latents, sigma) for half in halves], dim=1)
        return clean.flip(0) if backward else clean

    # Both halves are averaged at once, as channels; windows are counted forward in time.
    forward = (x.flip(0) if backward else x).repeat(1, 2, 1, 1)
    clean = average_windows(forward, windows, estimate)
    uncond, cond = (clean.flip(0) if backward else clean).chunk(2, dim=1)
    return cond, uncond
