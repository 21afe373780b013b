"""The host's hooks around guidance, called as the host's own guiders call them."""

from collections.abc import Callable, Sequence

import comfy.model_base
import comfy.samplers
from torch import Tensor

from .passes import Conds

# Keys in model_options: lists, a function in place of CFG, and a function in place of evaluation.
PRE_CFG = "sampler_pre_cfg_function"
POST_CFG = "sampler_post_cfg_function"
CFG = "sampler_cfg_function"
EVALUATE = "sampler_calc_cond_batch_function"


def evaluate_conds(call: dict) -> list[Tensor]:
    """A prediction for each entry of `conds`, by the model or by a function in its place.

    Args:
        call: conds, input, sigma, model and model_options, as the host calls such a function.
    """
    evaluate = call["model_options"].get(EVALUATE)
    if evaluate is not None:
        return evaluate(call)
    return comfy.samplers.calc_cond_batch(
        call["model"], call["conds"], call["input"], call["sigma"], call["model_options"]
    )


def call_pre_cfg(call: dict, predicted: list[Tensor], cfg: float) -> list[Tensor]:
    """The conditional and the unconditional prediction, after all pre-CFG functions."""
    for hook in call["model_options"].get(PRE_CFG, []):
        more = {"conds_out": predicted, "cond_scale": cfg, "timestep": call["sigma"]}
        predicted = hook({**call, **more})
    return predicted


def call_post_cfg(
    hooks: list[Callable],
    denoised: Tensor,
    predicted: Sequence[Tensor],
    conds: Sequence[Conds],
    x: Tensor,
    sigma: Tensor,
    options: dict,
    *,
    model: comfy.model_base.BaseModel,
    cfg: float,
) -> Tensor:
    """The guided prediction, after post-CFG functions.

    Args:
        predicted, conds: conditional, then unconditional.
        cfg: the guidance scale.
    """
    for hook in hooks:
        denoised = hook(
            {
                "denoised": denoised,
                "cond_denoised": predicted[0],
                "uncond_denoised": predicted[1],
                "cond": conds[0],
                "uncond": conds[1],
                "cond_scale": cfg,
                "model": model,
                "sigma": sigma,
                "model_options": options,
                "input": x,
            }
        )
    return denoised
