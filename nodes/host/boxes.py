"""Conditioning, control, guider and sampling of one run, for the two all-in-one sampler nodes."""

from dataclasses import dataclass

import comfy.clip_vision
import comfy.model_management as mm
import comfy.samplers
import comfy.sd
import comfy.utils
import latent_preview
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.models.controlnext import check_num_frames, check_version
from ...fcvg_core.models.svd import check_size
from ...fcvg_core.sampling import (
    RunNoise,
    draw_noise,
    keeps_start,
    plan_spans,
    starts_empty,
)
from ...fcvg_core.settings import SamplingSettings
from .box_settings import BoxSettings, noise_levels
from .controlnext.patch import steer
from .coverage import log_coverage_of
from .guider import InbetweenGuider, VideoGuider
from .injection import inject_into
from .latents import shape_of
from .outlook import Display, Video, log_needs
from .svd.cache import cache_features
from .svd.conditioning import KeyframeSettings, encode_keyframes, fit_picture


@dataclass(frozen=True)
class SvdModels:
    """The host's models that one run needs."""

    model: ModelPatcher
    clip_vision: comfy.clip_vision.ClipVisionModel
    vae: comfy.sd.VAE


@dataclass(frozen=True, eq=False)
class Control:
    """What steers a video.

    Attributes:
        controlnext: from `load_controlnext`.
        frames: IMAGE [T, H, W, 3], from `check_image`.
    """

    controlnext: ModelPatcher
    frames: Tensor


def make_control(controlnext: ModelPatcher | None, frames: Tensor | None) -> Control | None:
    """Control of two optional inputs of a node, or None if neither is connected.

    Raises:
        UserError: only one of the two is connected.
    """
    if controlnext is None and frames is None:
        return None
    if controlnext is None or frames is None:
        raise UserError("controlnext and control_frames belong together: connect both or none.")
    return Control(controlnext, frames)


def sample_inbetween(
    models: SvdModels,
    images: dict[str, Tensor],
    control: Control | None,
    settings: BoxSettings,
    *,
    at: tuple[int, ...] = (),
    start: dict | None = None,
    display: Display | None = None,
) -> dict:
    """LATENT of the frames between keyframes.

    Args:
        images: keyframes, from `name_pictures`, of any size.
        at, start, display: see `sample_video`.
    """
    if control is not None:
        check_version(control.controlnext.model)
    return sample_video(
        InbetweenGuider, models, images, control, settings, at=at, start=start, display=display
    )


def sample_video(
    kind: type[VideoGuider],
    models: SvdModels,
    images: dict[str, Tensor],
    control: Control | None,
    settings: BoxSettings,
    *,
    at: tuple[int, ...] = (),
    start: dict | None = None,
    display: Display | None = None,
) -> dict:
    """LATENT of a video.

    Args:
        kind: the guider's class.
        images: by the name of their input, from `first_picture`, of any size. Their order is the
            order in which the guider takes their conditionings.
        at: frames of the keyframes in the video; needed if there are three or more.
        start: LATENT that sampling starts from if denoise is below 1; otherwise it is not used.
        display: see `VideoGuider`.

    Raises:
        UserError: before a model is loaded, if the settings, the model or `start` do not fit.
    """
    sampling = settings.sampling
    check_size(*settings.size)
    video = Video(settings.size, sampling.num_frames, sampling.window, sampling.overlap, at)
    plan_spans(at or (0, video.num_frames - 1), video.window, video.overlap)  # before a model runs
    start = _choose_start(start, settings)
    model = _steer(kind, models.model, control, sampling)
    if sampling.cache_interval > 1:
        model = cache_features(model, interval=sampling.cache_interval)
    if start is not None and keeps_start(sampling.denoise):
        return {"samples": start["samples"].clone()}
    # The guider says what the run needs, so it comes first.
    guider = _make_guider(kind, model, video, settings, display)
    frames = tuple(fit_picture(image, settings.size, name) for name, image in images.items())
    noise = draw_noise(settings.seed, settings.size, sampling.num_frames)
    encoded = encode_keyframes(
        models.clip_vision,
        models.vae,
        frames,
        noise.augmentation,
        KeyframeSettings(sampling.fps, sampling.motion_bucket_id, sampling.augmentation),
        at,
    )
    guider.set_conds(*encoded.images, encoded.negative)
    return {"samples": _sample(guider, noise, settings, start)}


def _make_guider(
    kind: type[VideoGuider],
    model: ModelPatcher,
    video: Video,
    settings: BoxSettings,
    display: Display | None,
) -> VideoGuider:
    """The guider of a run, after what the run needs was logged."""
    sampling = settings.sampling
    more = {"forward_share": sampling.forward_share} if kind is InbetweenGuider else {}
    return kind(
        model,
        window=sampling.window,
        overlap=sampling.overlap,
        guidance_start=sampling.guidance_start,
        guidance_end=sampling.guidance_end,
        guidance_from=sampling.guidance_from,
        guidance_until=sampling.guidance_until,
        display=display,
        needs=log_needs(model, video, kind.networks),
        **more,
    )


def _choose_start(latent: dict | None, settings: BoxSettings) -> dict | None:
    """The LATENT that sampling starts from; None if it starts from noise alone."""
    sampling, (height, width) = settings.sampling, settings.size
    if starts_empty(sampling.denoise):
        return None
    if latent is None:
        raise UserError(
            f"denoise is {sampling.denoise:g}, but no video to start from is connected: connect "
            "Encode Frames to latent_image, or set denoise to 1."
        )
    samples = latent["samples"]
    wanted = (sampling.num_frames, 4, height // 8, width // 8)
    found = shape_of(samples)
    if found != wanted:
        raise UserError(
            f"latent_image is {found or 'several tensors'}, but the latents of {wanted[0]} frames "
            f"of {width} x {height} pixels are {wanted}: connect as many frames of this size to "
            "Encode Frames."
        )
    if not samples.isfinite().all():
        raise UserError(
            "latent_image holds values that are not numbers: check the node that makes it."
        )
    return latent


def _steer(
    kind: type[VideoGuider],
    model: ModelPatcher,
    control: Control | None,
    sampling: SamplingSettings,
) -> ModelPatcher:
    """The model under control, or the model itself without control."""
    if control is None:
        return model
    check_num_frames(control.frames, sampling.num_frames)
    steered = steer(
        model,
        control.controlnext,
        control.frames,
        strength=sampling.control_weight,
        start_percent=0.0,
        end_percent=1.0,
    )
    log_coverage_of(steered, enough=kind.enough_parts)
    return steered


def _sample(
    guider: VideoGuider, noise: RunNoise, settings: BoxSettings, start: dict | None
) -> Tensor:
    model, sampling = guider.model_patcher, settings.sampling
    sampler = comfy.samplers.sampler_object(settings.sampler_name)
    if sampling.noise_injection_steps and sampling.noise_injection_ratio:
        sampler = inject_into(
            sampler,
            times=sampling.noise_injection_steps,
            ratio=sampling.noise_injection_ratio,
            generator=noise.generator,
        )
    sigmas = noise_levels(model, sampling, settings.sampler_name)
    start = start or {"samples": torch.zeros_like(noise.latents)}
    latents = guider.sample(
        noise.latents,
        start["samples"].to(noise.latents),
        sampler,
        sigmas,
        start.get("noise_mask"),
        callback=latent_preview.prepare_callback(model, len(sigmas) - 1),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=settings.seed,
    )
    return latents.to(mm.intermediate_device())
