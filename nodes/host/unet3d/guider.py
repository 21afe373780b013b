"""The host's guider with separate guidance by the prompt, and by the picture and what is with it.

Source: Doubiiu/DynamiCrafter lvdm/models/samplers/ddim_multiplecond.py:190-250.
"""

import math

import comfy.samplers
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ....fcvg_core.sampling import guide_branches
from ..hooks import CFG, POST_CFG, call_post_cfg, call_pre_cfg, evaluate_conds
from .sampling import check_rescalable, rescale_denoised


class ThreeBranchGuider(comfy.samplers.CFGGuider):
    """Guides by the picture, and from there by the prompt.

    A branch whose prediction cancels out is not evaluated. `set_cfg` sets the scale of the prompt,
    so the host's CFG Override replaces this scale.

    Args:
        image_scale: guidance by the picture; the same as the scale of the prompt: plain guidance.
        rescale: see `rescale_clip_guidance`.
    """

    def __init__(self, model: ModelPatcher, *, image_scale: float, rescale: float):
        if rescale:
            check_rescalable(model, rescale)
        super().__init__(model)
        self.image_scale = image_scale
        self.rescale = rescale

    def set_conds(self, positive: list, image_only: list, negative: list) -> None:
        """Conditionings of picture and prompt, of the picture alone, and of neither."""
        self.inner_set_conds({"positive": positive, "negative": negative, "image_only": image_only})

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: dict = {}, seed=None):
        """Guided clean latents [T, 4, h, w]; `timestep` holds a sigma for every frame."""
        conds = self._needed(model_options)
        call = {
            "conds": conds,
            "input": x,
            "sigma": timestep,
            "model": self.inner_model,
            "model_options": model_options,
        }
        *predicted, image_only = evaluate_conds(call)
        # Hooks know two predictions.
        predicted = call_pre_cfg({**call, "conds": conds[:2]}, predicted, self.cfg)
        denoised = self._guide(*predicted[:2], image_only, call)
        if self.rescale:
            denoised = rescale_denoised(
                self.inner_model.model_sampling, denoised, predicted[0], x, timestep, self.rescale
            )
        hooks = model_options.get(POST_CFG, [])
        return call_post_cfg(
            hooks,
            denoised,
            predicted,
            conds,
            x,
            timestep,
            model_options,
            model=self.inner_model,
            cfg=self.cfg,
        )

    def _needed(self, model_options: dict) -> list:
        """The conds of positive, negative and image_only; None for those that cancel out."""
        always = model_options.get("disable_cfg1_optimization", False)
        uncond = always or not math.isclose(self.image_scale, 1)
        image_only = not math.isclose(self.image_scale, self.cfg)
        return [
            self.conds["positive"],
            self.conds["negative"] if uncond else None,
            self.conds["image_only"] if image_only else None,
        ]

    def _guide(self, cond: Tensor, uncond: Tensor, image_only: Tensor, call: dict) -> Tensor:
        """The guided prediction, also where a function of the model is in place of CFG."""
        options = call["model_options"]
        if CFG not in options or not self.cfg:
            return guide_branches(
                uncond, image_only, cond, image_scale=self.image_scale, text_scale=self.cfg
            )
        # This function takes two predictions and one number, so the picture's share goes into the
        # difference that the function scales.
        share = self.image_scale / self.cfg
        cond = uncond + (cond - image_only) + share * (image_only - uncond)
        return comfy.samplers.cfg_function(
            self.inner_model,
            cond,
            uncond,
            self.cfg,
            call["input"],
            call["sigma"],
            {**options, POST_CFG: []},
            cond=call["conds"][0],
            uncond=call["conds"][1],
        )


def make_guider(
    model: ModelPatcher,
    positive: list,
    image_only: list,
    negative: list,
    *,
    cfg: float,
    cfg_image: float,
    rescale: float,
) -> ThreeBranchGuider:
    """A guider over conditionings of DynamiCrafter or SMCD.

    Args:
        positive, image_only, negative: from `condition_clip`; of SMCD positive, negative and
            nothing, from `condition_boxes`.
        cfg, cfg_image: guidance by the prompt, and by the picture.
        rescale: 0..1.

    Raises:
        UserError: rescale is above 0, and the model is of another family.
    """
    guider = ThreeBranchGuider(model, image_scale=cfg_image, rescale=rescale)
    guider.set_conds(positive, image_only, negative)
    guider.set_cfg(cfg)
    return guider
