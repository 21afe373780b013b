"""Settings -> the noise levels of a run, its guidance, and the passes that it takes."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from torch import Tensor

from ...choices import AYS, KARRAS
from ...estimate import Passes
from ...models.svd import SIGMA_MAX, SIGMA_MIN
from ...sampling import (
    Guidance,
    ays_sigmas,
    count_passes,
    early_steps,
    injection_steps,
    karras_sigmas,
    keeps_start,
    level_at,
    mpd_evaluations,
    warn_of_no_guidance,
    whole_steps,
)
from ...settings import SamplingSettings

_LEVELS = {"lowest": SIGMA_MIN, "highest": SIGMA_MAX}
_SIGMAS = {KARRAS: partial(karras_sigmas, **_LEVELS), AYS: ays_sigmas}


def noise_levels(settings: SamplingSettings) -> Tensor:
    """[steps + 1] sigmas of a run, the last of them 0; its `denoise` must not keep the start."""
    whole = whole_steps(settings.steps, settings.denoise)
    return _SIGMAS[settings.schedule](whole)[-settings.steps - 1 :]


def guidance_of(settings: SamplingSettings) -> Guidance:
    """Guidance, and the noise levels between which it acts."""
    return Guidance(
        settings.guidance_start,
        settings.guidance_end,
        highest=level_at(settings.guidance_from, **_LEVELS),
        lowest=level_at(settings.guidance_until, **_LEVELS),
    )


def warn_if_unguided(settings: SamplingSettings) -> None:
    """Say in the log that guidance acts in no step of a run, see `warn_of_no_guidance`."""
    levels = [level for level, _ in _evaluations(settings)]
    warn_of_no_guidance(guidance_of(settings), levels)


def passes_of(settings: SamplingSettings, *, directions: int) -> Passes:
    """Passes of the UNet through one window that a run takes."""
    return count_passes(
        _evaluations(settings),
        guidance_of(settings),
        directions=directions,
        cache_interval=settings.cache_interval,
    )


def plain_passes_of(settings: SamplingSettings) -> Passes:
    """Passes of the UNet through one window that a run of MPD takes; see `sample_mpd`."""
    found = count_passes(
        mpd_evaluations(noise_levels(settings)),
        Guidance(0.0, 0.0),  # MPD has no scale, but computes both halves as any scale but 1 does
        directions=2,
        cache_interval=settings.cache_interval,
    )
    return replace(found, steered=0)  # nothing steers SVD alone


def _evaluations(settings: SamplingSettings) -> Iterator[tuple[float, bool]]:
    """The noise level of each evaluation, and whether it is forward only."""
    if keeps_start(settings.denoise):
        return
    early = early_steps(settings.steps, settings.forward_share)
    repeated = injection_steps(settings.steps, settings.noise_injection_ratio)
    for i, sigma in enumerate(noise_levels(settings)[:-1].tolist()):
        times = settings.noise_injection_steps if i < repeated else 0
        yield from [(sigma, i < early)] * (1 + times)
