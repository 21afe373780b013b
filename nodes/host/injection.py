"""A sampler of the host that repeats each of its first steps after adding noise again.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:703-722; see `inject_noise` for the difference.
"""

import inspect
from collections.abc import Callable
from functools import partial

import comfy.model_management as mm
import comfy.samplers
import torch
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import injection_steps, repeat_step

# Samplers that can run one step at a time. A multistep sampler forgets its history before each of
# these steps. Not in this list: dpm_fast and dpm_adaptive choose their own steps; uni_pc, and in
# older releases sa_solver, ignore the model in a run of one step.
SINGLE_STEP = (
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "euler_ancestral_cfg_pp",
    "heun",
    "heunpp2",
    "exp_heun_2_x0",
    "exp_heun_2_x0_sde",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpmpp_2s_ancestral",
    "dpmpp_2s_ancestral_cfg_pp",
    "dpmpp_sde",
    "dpmpp_sde_gpu",
    "dpmpp_2m",
    "dpmpp_2m_cfg_pp",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu",
    "dpmpp_2m_sde_heun",
    "dpmpp_2m_sde_heun_gpu",
    "dpmpp_3m_sde",
    "dpmpp_3m_sde_gpu",
    "ddpm",
    "lcm",
    "ipndm",
    "ipndm_v",
    "deis",
    "res_multistep",
    "res_multistep_cfg_pp",
    "res_multistep_ancestral",
    "res_multistep_ancestral_cfg_pp",
    "gradient_estimation",
    "gradient_estimation_cfg_pp",
    "er_sde",
    "seeds_2",
    "seeds_3",
    "ddim",
)


def inject_into(
    sampler: comfy.samplers.KSAMPLER,
    *,
    times: int,
    ratio: float,
    generator: torch.Generator | None = None,
) -> comfy.samplers.KSAMPLER:
    """A sampler that repeats each of its first steps `times` more times.

    Args:
        sampler: one of SINGLE_STEP.
        ratio: share of the steps, 0..1, that are repeated.
        generator: draws the injected noise; None for a generator from the run's seed + 1.

    Raises:
        UserError: the sampler can't run one step at a time.
    """
    if times <= 0 or ratio == 0:
        return sampler
    _check_sampler(sampler)

    def sample(model, x, sigmas, extra_args=None, callback=None, disable=None, **options):
        seed = (extra_args or {}).get("seed")
        steps = len(sigmas) - 1
        repeated = injection_steps(steps, ratio)
        if repeated:
            options = {**_own_noise(sampler, x, seed), **options}

        def run(x: Tensor, start: int, stop: int) -> Tensor:
            mm.throw_exception_if_processing_interrupted()
            part = sigmas[start : stop + 1]
            return sampler.sampler_function(
                model,
                x,
                part,
                extra_args=extra_args,
                callback=_later(callback, start),
                disable=disable,
                **options,
            )

        noise = seeded_noise(x, seed, generator)
        for i in range(repeated):
            step = partial(run, start=i, stop=i + 1)
            x = repeat_step(x, sigmas[i], sigmas[i + 1], times=times, step=step, draw=noise)
        return run(x, repeated, steps) if repeated < steps else x

    return _Repeating(sample, sampler, times=times, ratio=ratio)


class _Repeating(comfy.samplers.KSAMPLER):
    """A sampler of the host with a function that repeats each of its first steps."""

    def __init__(
        self, function: Callable, sampler: comfy.samplers.KSAMPLER, *, times: int, ratio: float
    ):
        super().__init__(function, sampler.extra_options, sampler.inpaint_options)
        self.times, self.ratio = times, ratio


def count_calls(sampler: comfy.samplers.Sampler, steps: int) -> int:
    """How often a sampler calls its callback: once a step, and once for each repetition."""
    if not isinstance(sampler, _Repeating):
        return steps
    return steps + sampler.times * injection_steps(steps, sampler.ratio)


def _check_sampler(sampler: comfy.samplers.KSAMPLER) -> None:
    name = _name(sampler)
    if name in SINGLE_STEP:
        return
    raise UserError(
        f"Noise can't be injected into the sampler {name}, because it can't run one step at a "
        "time: choose euler, heun, dpmpp_2m or another."
    )


def _name(sampler: comfy.samplers.KSAMPLER) -> str:
    """The host's name of a sampler; the name of its function if the host does not list it."""
    function = getattr(sampler, "sampler_function", None)
    for name in comfy.samplers.SAMPLER_NAMES:
        if comfy.samplers.sampler_object(name).sampler_function is function:
            return name
    name = getattr(function, "__name__", type(sampler).__name__)
    return name.removeprefix("sample_").removesuffix("_function")


def _own_noise(sampler: comfy.samplers.KSAMPLER, x: Tensor, seed: int | None) -> dict:
    """Options that give a sampler that adds noise one source of noise for the whole run.

    By default the sampler would seed its own source again with each step, and so add the same
    noise to every step.
    """
    if "noise_sampler" not in inspect.signature(sampler.sampler_function).parameters:
        return {}
    draw = _noise_like(x, _generator(seed, 2))
    return {"noise_sampler": lambda sigma, sigma_next: draw()}


def seeded_noise(
    x: Tensor, seed: int | None, generator: torch.Generator | None
) -> Callable[[], Tensor]:
    """A function that draws unit noise shaped `x`, to be added during a run.

    Args:
        seed: of the run.
        generator: draws the noise; None for a generator from the run's seed + 1. Not from the seed
            itself: the initial noise was drawn from it.
    """
    return _noise_like(x, generator or _generator(seed, 1))


def _generator(seed: int | None, offset: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(((seed or 0) + offset) % 2**64)


def _noise_like(x: Tensor, generator: torch.Generator) -> Callable:
    """A function that draws unit noise shaped `x`, on the CPU so that all devices agree."""
    return lambda: torch.randn(x.shape, generator=generator).to(x)


def _later(callback: Callable | None, start: int) -> Callable | None:
    """A callback for steps from `start` on, which counts steps from the beginning of the run."""
    if callback is None or start == 0:
        return callback
    return lambda state: callback({**state, "i": state["i"] + start})
