"""DDIM as the host's SAMPLER and SIGMAS, and guidance rescale over a whole clip.

Source: Doubiiu/DynamiCrafter lvdm/models/samplers/ddim.py, lvdm/models/utils_diffusion.py.
"""

import logging
from collections.abc import Callable

import comfy.model_management as mm
import comfy.samplers
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor
from tqdm.auto import trange

from ....fcvg_core.errors import UserError
from ....fcvg_core.sampling import (
    DdimStep,
    NoiseTable,
    connect_steps,
    ddim_levels,
    ddim_step,
    lead_a_stride,
    rescale_guidance,
    spaced_timesteps,
)
from ..timesteps import discrete_levels, whole_schedule

SAME = 1e-5  # relative difference of two noise levels that are the same but for rounding


def ddim_sampler(eta: float) -> comfy.samplers.KSAMPLER:
    """DDIM as in the official code, for any noise levels of a model with 1000 timesteps.

    Args:
        eta: share of fresh noise, 0..1.
    """
    return comfy.samplers.KSAMPLER(sample_ddim, {"eta": eta})


def ddim_levels_of(model: ModelPatcher, steps: int, spacing: str, denoise: float = 1.0) -> Tensor:
    """Noise levels of a run of DDIM.

    Args:
        steps: number of steps; "uniform" spacing may give more, see `spaced_timesteps`.
        spacing: one of SPACINGS.
        denoise: share of the noise levels that the run passes, 0..1; below 1 the run begins in the
            midst of a schedule of more steps.

    Returns:
        [S + 1] float32, falling; empty if denoise is 0.

    Raises:
        UserError: see `noise_table_of` and `spaced_timesteps`; or the schedule would have more
            steps than the model has timesteps.
    """
    table = noise_table_of(model.get_model_object("model_sampling"))
    variant = getattr(model.model, "variant", None)
    if variant is not None and spacing != variant.spacing:
        logging.info("%s is meant for the spacing %s.", variant.name, variant.spacing)
    if denoise <= 0:
        return torch.zeros(0)
    levels = ddim_levels(table, spaced_timesteps(whole_schedule(steps, denoise), spacing))
    return levels if denoise == 1 else levels[-(steps + 1) :]


def noise_table_of(model_sampling) -> NoiseTable:
    """The noise table of a model, which models of other families need not have.

    Raises:
        UserError: the model was not trained on 1000 timesteps.
    """
    if (table := getattr(model_sampling, "table", None)) is not None:
        return table
    needed = ", which DDIM needs: connect the model of Load DynamiCrafter or Load SMCD."
    sigmas = discrete_levels(model_sampling, needed=needed)
    alphas = 1 / (sigmas.double() ** 2 + 1)
    return NoiseTable(alphas, torch.ones_like(alphas))


def rescale_clip_guidance(model: ModelPatcher, share: float) -> ModelPatcher:
    """A clone whose guided predictions keep a share of the contrast that they had before.

    The contrast is the standard deviation of the network's output over all frames at once, as in
    the official code. The host's RescaleCFG takes each frame by itself.

    Raises:
        UserError: the model is neither DynamiCrafter nor SMCD.
    """
    check_rescalable(model, share)
    model = model.clone()
    if share > 0:
        # Not in place of CFG: there the host takes the result as a difference from the state,
        # which at the first step of zero terminal SNR is so large that the result is rounded away.
        model.set_model_sampler_post_cfg_function(_rescale_by(share))
    return model


def check_rescalable(model: ModelPatcher, share: float) -> None:
    """Raise UserError unless guided predictions of the model can be rescaled over a clip."""
    if not hasattr(model.get_model_object("model_sampling"), "network_output"):
        raise UserError(
            "Guidance rescale over a whole clip works with the noise levels of DynamiCrafter and "
            "SMCD alone: connect the model of Load DynamiCrafter or Load SMCD, without a node such "
            "as ModelSamplingDiscrete."
        )
    if share and not model.model.variant.rescale:
        logging.info("%s is meant for rescale 0.", model.model.variant.name)


def rescale_denoised(
    model_sampling, denoised: Tensor, cond: Tensor, state: Tensor, sigma: Tensor, share: float
) -> Tensor:
    """Guided clean latents whose network output has been rescaled; see `rescale_guidance`.

    Args:
        denoised: [T, 4, h, w] guided clean latents.
        cond: conditional clean latents.
        state: the host's state that both were predicted from.
        sigma: its noise level, one for each frame.
    """
    outputs = (model_sampling.network_output(sigma, x, state) for x in (denoised, cond))
    rescaled = rescale_guidance(*outputs, share)
    return model_sampling.calculate_denoised(sigma, rescaled, state)


def _rescale_by(share: float) -> Callable[[dict], Tensor]:
    def rescale(call: dict) -> Tensor:
        return rescale_denoised(
            call["model"].model_sampling,
            call["denoised"],
            call["cond_denoised"],
            call["input"],
            call["sigma"],
            share,
        )

    return rescale


@torch.no_grad()
def sample_ddim(
    model,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict | None = None,
    callback: Callable | None = None,
    disable: bool | None = None,
    eta: float = 1.0,
    noise_sampler: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Tensor:
    """The host's function of a sampler, see `ddim_sampler`.

    The host's state is turned into the network's before each step, and back after it.
    """
    extra_args = extra_args or {}
    draw = noise_sampler or _step_noise(x, extra_args.get("seed"))
    model_sampling = model.inner_model.inner_model.model_sampling
    plan = plan_steps(model_sampling, sigmas, eta)
    for i, step in zip(trange(len(plan), disable=disable), plan, strict=True):
        mm.throw_exception_if_processing_interrupted()
        denoised = model(x, sigmas[i] * x.new_ones(len(x)), **extra_args)
        if callback is not None:
            callback(
                {"x": x, "i": i, "sigma": sigmas[i], "sigma_hat": sigmas[i], "denoised": denoised}
            )
        # The table's alpha may be 0, so this factor comes from the level.
        scaled = step.scale * float(sigmas[i])
        latents = x * (step.scale / (scaled**2 + 1) ** 0.5)
        clean = denoised * step.scale
        noise = (latents - step.alpha**0.5 * clean) / (1 - step.alpha) ** 0.5
        fresh = draw(sigmas[i], sigmas[i + 1]) if step.sigma else None
        latents, _ = ddim_step(clean, noise, step, fresh)
        x = latents / _factor(plan, i)
    return x


def _factor(plan: list[DdimStep], i: int) -> float:
    """The network's state after a step, divided by the host's state."""
    if i + 1 < len(plan):  # it counts what the network sees next, wherever the step leads
        return plan[i + 1].alpha ** 0.5 * plan[i + 1].scale
    return plan[i].alpha_prev ** 0.5 * plan[i].scale_prev


def _step_noise(x: Tensor, seed: int | None) -> Callable[[Tensor, Tensor], Tensor]:
    """Draws the noise of each step, from the seed after the one of the noise at the start.

    The host draws this noise on the card, and old hosts draw the noise at the start again. Here a
    seed gives the same clip on every card, in every host and from the command line.
    """
    generator = None if seed is None else torch.Generator("cpu").manual_seed((seed + 1) % 2**64)
    return lambda sigma, following: torch.randn(x.shape, generator=generator).to(x)


def plan_steps(model_sampling, sigmas: Tensor, eta: float) -> list[DdimStep]:
    """The steps of a run on these noise levels; a level of the table has the table's alpha."""
    if len(sigmas) < 2:  # what Split Sigmas leaves behind the last step
        return []
    table = noise_table_of(model_sampling)
    timesteps = model_sampling.timestep(sigmas).tolist()
    levels = sigmas.tolist()
    found = [_level(table, *pair) for pair in zip(timesteps, levels, strict=True)]
    found[-1] = _last_level(table, levels[-1], found)
    alphas, scales = (torch.tensor(x, dtype=torch.float64) for x in zip(*found, strict=True))
    steps = connect_steps(torch.tensor(timesteps[:-1]), alphas, scales, eta)
    return (
        lead_a_stride(steps, table) if getattr(model_sampling, "leads_a_stride", False) else steps
    )


def _level(table: NoiseTable, timestep: int, sigma: float) -> tuple[float, float]:
    """Alpha and scale at a noise level, whose nearest timestep is known."""
    scale = float(table.scales[timestep])
    if abs(sigma / float(table.sigmas[timestep]) - 1) < SAME:
        return float(table.alphas[timestep]), scale
    return 1 / ((scale * sigma) ** 2 + 1), scale


def _last_level(
    table: NoiseTable, sigma: float, found: list[tuple[float, float]]
) -> tuple[float, float]:
    """Alpha and scale at the level that the last step leads to.

    Below the lowest level of the table lies the level of timestep 0 at the scale of the last
    step's latents, with which `ddim_levels` ends; or 0.
    """
    if sigma == 0:
        return 1.0, found[-2][1]
    first = float(table.alphas[0])
    scale = (1 - first) ** 0.5 / (first**0.5 * sigma)
    if scale >= float(table.scales.min()) * (1 - SAME):
        return first, scale
    return found[-1]
