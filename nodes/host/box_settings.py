"""Settings of the two all-in-one sampler nodes, and the noise levels of their runs."""

import logging
from dataclasses import dataclass, replace

import comfy.samplers
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...fcvg_core.choices import AYS
from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import ays_sigmas, warn_of_one_step, whole_steps
from ...fcvg_core.settings import FAST, SamplingSettings
from .checks import check_share

# Settings whose widgets have another name; the cache has a node instead of a widget.
WIDGETS = {"schedule": "scheduler", "cache_interval": "SVD Cache"}


@dataclass(frozen=True, kw_only=True)
class BoxSettings:
    """Values of the widgets of both all-in-one nodes (see their tooltips).

    Attributes:
        size: (height, width).
    """

    sampling: SamplingSettings
    sampler_name: str
    seed: int
    size: tuple[int, int]

    @classmethod
    def from_widgets(
        cls,
        *,
        sampler_name: str,
        scheduler: str,
        seed: int,
        width: int,
        height: int,
        min_guidance: float,
        max_guidance: float,
        # Graphs of older releases lack the widgets of these settings.
        denoise: float = 1.0,
        guidance_from: float = 0.0,
        guidance_until: float = 1.0,
        forward_share: float = 0.0,
        fast: bool = False,
        **sampling,
    ) -> "BoxSettings":
        """The settings of a node, whose widgets keep the names of the first release."""
        settings = SamplingSettings(
            guidance_start=min_guidance,
            guidance_end=max_guidance,
            denoise=denoise,
            schedule=scheduler,
            guidance_from=guidance_from,
            guidance_until=guidance_until,
            forward_share=forward_share,
            cache_interval=1,
            **sampling,
        )
        return cls(
            sampling=_replace_by_fast(settings) if fast else settings,
            sampler_name=sampler_name,
            seed=seed,
            size=(height, width),
        )

    def __post_init__(self):
        # Older hosts do not check whether the list of a widget holds its value.
        for name, found, allowed in (
            ("sampler_name", self.sampler_name, comfy.samplers.SAMPLER_NAMES),
            ("scheduler", self.sampling.schedule, scheduler_names()),
        ):
            if found not in allowed:
                raise UserError(
                    f"Unknown {name} {found!r}. Choose one of ComfyUI's "
                    f"{name.removesuffix('_name')}s, for example {allowed[0]}."
                )
        check_share("denoise", self.sampling.denoise)
        warn_of_one_step(self.sampling.schedule, self.sampling.steps)


def scheduler_names() -> list[str]:
    """The host's schedulers, and Align Your Steps with its levels for SVD."""
    return [*comfy.samplers.SCHEDULER_NAMES, AYS]


def _replace_by_fast(settings: SamplingSettings) -> SamplingSettings:
    """Settings with those of FAST, and a line in the log that names them.

    The line is short, because a preview takes the room of a longer text.
    """
    named = [f"{WIDGETS.get(name, name)} {value}" for name, value in FAST.items()]
    logging.info("Fast sets %s.", ", ".join(named))
    return replace(settings, **FAST)


def noise_levels(model: ModelPatcher, sampling: SamplingSettings, sampler_name: str) -> Tensor:
    """[steps + 1] noise levels of a run, from high to low; those of the host's schedulers, or AYS.

    Args:
        sampler_name: some samplers leave out the last noise level but one, as the host decides.
    """
    if sampling.schedule != AYS:
        return comfy.samplers.KSampler(
            model,
            sampling.steps,
            model.load_device,
            sampler_name,
            sampling.schedule,
            denoise=sampling.denoise,
        ).sigmas
    whole = whole_steps(sampling.steps, sampling.denoise)
    if sampler_name in comfy.samplers.KSampler.DISCARD_PENULTIMATE_SIGMA_SAMPLERS:
        levels = ays_sigmas(whole + 1)
        levels = torch.cat([levels[:-2], levels[-1:]])
    else:
        levels = ays_sigmas(whole)
    return levels[-sampling.steps - 1 :].to(model.load_device)
