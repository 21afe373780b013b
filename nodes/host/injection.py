"""A sampler of the host that puts noise back in its first steps and takes them again.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:703-722, as it is meant (see inject_noise).
"""

from collections.abc import Callable

import comfy.model_management as mm
import comfy.samplers
import torch
from torch import Tensor

from ...fcvg_core.sampling import inject_noise, injection_steps


def inject_into(
    sampler: comfy.samplers.KSAMPLER,
    *,
    times: int,
    ratio: float,
    generator: torch.Generator | None = None,
) -> comfy.samplers.KSAMPLER:
    """A sampler that takes each of its first steps `times` times more.

    Args:
        sampler: it is run one step at a time there, so those that remember earlier steps
            forget them, and those that add noise of their own add the same one each time.
        ratio: share of the steps, 0..1, that are taken again.
        generator: where the noise comes from; by default one of its own, of the run's seed + 1.

    Raises:
        ValueError: the sampler is not one of the host's.
    """
    if not isinstance(sampler, comfy.samplers.KSAMPLER):
        raise ValueError(
            f"Noise can't be injected into a sampler of the kind {type(sampler).__name__}: "
            "take one of KSamplerSelect."
        )

    def sample(model, x, sigmas, extra_args=None, callback=None, disable=None, **options):
        def run(x: Tensor, start: int, stop: int) -> Tensor:
            mm.throw_exception_if_processing_interrupted()
            part = sigmas[start : stop + 1]
            return sampler.sampler_function(
                model, x, part, extra_args=extra_args, callback=_later(callback, start),
                disable=disable, **options,
            )  # fmt: skip

        steps = len(sigmas) - 1
        repeated = injection_steps(steps, ratio) if times > 0 else 0
        noise = _noise_like(x, generator, (extra_args or {}).get("seed"))
        for i in range(repeated):
            x = run(x, i, i + 1)
            for _ in range(times):
                x = run(inject_noise(x, noise(), sigmas[i], sigmas[i + 1]), i, i + 1)
        return run(x, repeated, steps) if repeated < steps else x

    return comfy.samplers.KSAMPLER(sample, sampler.extra_options, sampler.inpaint_options)


def _noise_like(x: Tensor, generator: torch.Generator | None, seed: int | None) -> Callable:
    """A source of unit noises shaped `x`, drawn on the CPU so that all devices agree."""
    if generator is None:
        # Not the seed itself: the initial noise was drawn from it.
        generator = torch.Generator("cpu").manual_seed(((seed or 0) + 1) % 2**64)
    return lambda: torch.randn(x.shape, generator=generator).to(x)


def _later(callback: Callable | None, start: int) -> Callable | None:
    """The callback for a part of the steps, told where in the whole run they are."""
    if callback is None or start == 0:
        return callback
    return lambda state: callback({**state, "i": state["i"] + start})
