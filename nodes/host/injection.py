"""A sampler of the host that repeats each of its first steps after adding noise again.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:703-722, as it is meant (see inject_noise).
"""

import inspect
from collections.abc import Callable

import comfy.model_management as mm
import comfy.samplers
import torch
from torch import Tensor

from ...fcvg_core.sampling import inject_noise, injection_steps

# Samplers that can be run one step at a time; those that remember earlier steps begin anew with
# each step. Not among them: dpm_fast and dpm_adaptive choose steps of their own; uni_pc, and in
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
        generator: where the noise comes from; by default its own, of the run's seed + 1.

    Raises:
        ValueError: the sampler can't be run one step at a time.
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

        # Not the seed itself: the initial noise was drawn from it.
        noise = _noise_like(x, generator or _generator(seed, 1))
        for i in range(repeated):
            x = run(x, i, i + 1)
            for _ in range(times):
                x = run(inject_noise(x, noise(), sigmas[i], sigmas[i + 1]), i, i + 1)
        return run(x, repeated, steps) if repeated < steps else x

    return comfy.samplers.KSAMPLER(sample, sampler.extra_options, sampler.inpaint_options)


def _check_sampler(sampler: comfy.samplers.KSAMPLER) -> None:
    name = _name(sampler)
    if name in SINGLE_STEP:
        return
    raise ValueError(
        f"Noise can't be injected into the sampler {name}, which does not work one step at a time: "
        "choose euler, heun, dpmpp_2m or another."
    )


def _name(sampler: comfy.samplers.KSAMPLER) -> str:
    """The host's name of a sampler; that of its function where the host has none."""
    function = getattr(sampler, "sampler_function", None)
    for name in comfy.samplers.SAMPLER_NAMES:
        if comfy.samplers.sampler_object(name).sampler_function is function:
            return name
    name = getattr(function, "__name__", type(sampler).__name__)
    return name.removeprefix("sample_").removesuffix("_function")


def _own_noise(sampler: comfy.samplers.KSAMPLER, x: Tensor, seed: int | None) -> dict:
    """For a sampler that adds noise: one source of noise for the whole run.

    Left alone it would begin its own anew with each step, and add the same noise to every step.
    """
    if "noise_sampler" not in inspect.signature(sampler.sampler_function).parameters:
        return {}
    draw = _noise_like(x, _generator(seed, 2))
    return {"noise_sampler": lambda sigma, sigma_next: draw()}


def _generator(seed: int | None, offset: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(((seed or 0) + offset) % 2**64)


def _noise_like(x: Tensor, generator: torch.Generator) -> Callable:
    """A source of unit noises shaped `x`, drawn on the CPU so that all devices agree."""
    return lambda: torch.randn(x.shape, generator=generator).to(x)


def _later(callback: Callable | None, start: int) -> Callable | None:
    """The callback for a part of the steps, told where in the whole run they are."""
    if callback is None or start == 0:
        return callback
    return lambda state: callback({**state, "i": state["i"] + start})
