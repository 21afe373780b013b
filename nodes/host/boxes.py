"""Conditioning, control, guider and sampling of one run, for the nodes that are all in one."""

from dataclasses import dataclass

import comfy.model_management as mm
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from ...fcvg_core.models.controlnext import check_version
from ...fcvg_core.models.svd import check_size
from ...fcvg_core.sampling import KeyframeNoise, check_windows, draw_noise
from .controlnext.patch import steer
from .guider import AnimationGuider, InbetweenGuider, VideoGuider
from .injection import inject_into
from .svd.conditioning import KeyframeSettings, encode_keyframes, fit_picture


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """The widgets of the FCVG Sampler, which explains them, and of the ControlNeXt-SVD Sampler."""

    seed: int
    steps: int
    guidance_start: float
    guidance_end: float
    window: int
    overlap: int
    control_weight: float
    sampler_name: str
    scheduler: str
    width: int
    height: int
    num_frames: int
    fps: int
    motion_bucket_id: int
    augmentation: float
    noise_injection_steps: int
    noise_injection_ratio: float

    @classmethod
    def from_widgets(cls, *, min_guidance: float, max_guidance: float, **widgets):
        """The settings of a node, whose widgets have kept their first names."""
        return cls(guidance_start=min_guidance, guidance_end=max_guidance, **widgets)

    def __post_init__(self):
        # The older host does not check what a list may hold.
        for name, allowed in (
            ("sampler_name", comfy.samplers.SAMPLER_NAMES),
            ("scheduler", comfy.samplers.SCHEDULER_NAMES),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"There is no {name} {getattr(self, name)!r}: take {allowed[0]}.")


def sample_inbetween(
    models: tuple, keyframes: tuple[Tensor, Tensor], control: tuple, settings: SampleSettings
) -> dict:
    """LATENT of the frames between two keyframes.

    Args:
        models: MODEL, CLIP_VISION and VAE of SVD.
        keyframes: from `first_picture`, of any size.
        control: a managed ControlNeXt and IMAGE [T, H, W, 3], or None and None.
    """
    if control[0] is not None:
        check_version(control[0].model)
    first, last = keyframes
    images = {"first_frame": first, "last_frame": last}
    return _sample_video(InbetweenGuider, models, images, control, settings)


def sample_animation(
    models: tuple, reference: Tensor, control: tuple, settings: SampleSettings
) -> dict:
    """LATENT of the frames that follow a reference image.

    Args:
        models: MODEL, CLIP_VISION and VAE of SVD.
        reference: from `first_picture`, of any size.
        control: a managed ControlNeXt and IMAGE [T, H, W, 3].
    """
    return _sample_video(AnimationGuider, models, {"reference_image": reference}, control, settings)


def _sample_video(
    kind: type[VideoGuider],
    models: tuple,
    images: dict[str, Tensor],
    control: tuple,
    settings: SampleSettings,
) -> dict:
    model, clip_vision, vae = models
    size = (settings.height, settings.width)
    check_size(*size)
    check_windows(settings.num_frames, settings.window, settings.overlap)  # before anything is run
    model = _steered(model, *control, settings)
    frames = tuple(fit_picture(image, size, name) for name, image in images.items())
    noise = draw_noise(settings.seed, size, settings.num_frames)
    told = KeyframeSettings(settings.fps, settings.motion_bucket_id, settings.augmentation)
    guider = kind(
        model,
        window=settings.window,
        overlap=settings.overlap,
        min_guidance=settings.guidance_start,
        max_guidance=settings.guidance_end,
    )
    guider.set_conds(*encode_keyframes(clip_vision, vae, frames, noise.augmentation, told))
    return {"samples": _sample(guider, noise, settings)}


def _steered(model, controlnext, control_frames: Tensor | None, settings: SampleSettings):
    if controlnext is None and control_frames is None:
        return model
    if controlnext is None or control_frames is None:
        raise ValueError("controlnext and control_frames belong together: connect both or none.")
    if len(control_frames) != settings.num_frames:
        raise ValueError(
            f"There are {len(control_frames)} control frames for a video of {settings.num_frames} "
            "frames: give num_frames the same value in both nodes."
        )
    return steer(
        model,
        controlnext,
        control_frames,
        strength=settings.control_weight,
        start_percent=0.0,
        end_percent=1.0,
    )


def _sample(guider: VideoGuider, noise: KeyframeNoise, settings: SampleSettings) -> Tensor:
    model = guider.model_patcher
    sampler = comfy.samplers.sampler_object(settings.sampler_name)
    if settings.noise_injection_steps and settings.noise_injection_ratio:
        sampler = inject_into(
            sampler,
            times=settings.noise_injection_steps,
            ratio=settings.noise_injection_ratio,
            generator=noise.generator,
        )
    # The host's KSampler knows which samplers leave the last but one noise level out.
    sigmas = comfy.samplers.KSampler(
        model, settings.steps, model.load_device, settings.sampler_name, settings.scheduler
    ).sigmas
    latents = guider.sample(
        noise.latents,
        torch.zeros_like(noise.latents),
        sampler,
        sigmas,
        callback=latent_preview.prepare_callback(model, len(sigmas) - 1),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=settings.seed,
    )
    return latents.to(mm.intermediate_device())
