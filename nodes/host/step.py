"""One evaluation of a video at one noise level: all passes, guidance, and the host's hooks."""

from collections.abc import Callable
from dataclasses import dataclass

import comfy.model_base
import comfy.samplers
import torch
from torch import Tensor

from ...fcvg_core.sampling import Guidance, guide
from .hooks import CFG, POST_CFG, call_post_cfg, call_pre_cfg, evaluate_conds
from .passes import Conds, ModelPass, VideoPasses


@dataclass(frozen=True, eq=False)
class GuidedStep:
    """What all passes of a step share.

    This class calls hooks as the host's own guiders call them. Pre-CFG functions, post-CFG
    functions and a function in place of the evaluation are called once a step. A function in place
    of CFG is called once for each pass, with the frames in the pass's order of time; what it gives
    follows the ramp of the guidance.

    Attributes:
        model: the model, loaded.
        guidance: guidance scales of the step.
        conds: the conditional conds of all directions, of which each pass selects its own, and the
            unconditional conds.
        options: the host's options of the step; they hold the hooks.
        own_hooks: the post-CFG functions of the model itself, which are not the sampler's.
    """

    model: comfy.model_base.BaseModel
    guidance: Guidance
    conds: tuple[Conds, Conds]
    options: dict
    own_hooks: list[Callable]

    @property
    def cfg(self) -> float:
        """The one scale that hooks know: the highest one of the ramp."""
        return max(self.guidance.start, self.guidance.end)

    def predict(self, passes: VideoPasses, x: Tensor, sigma: Tensor) -> Tensor:
        """Denoised latents [T, 4, h, w]; `sigma` holds a noise level for every frame."""
        groups, own_hooks = [passes], []
        if keeps_attention(self.options):
            # Self-Attention Guidance reads the attention that the last call of the model stored.
            groups, own_hooks = passes.one_by_one(), self.own_hooks
        parts = [self._predict(group, x, sigma, own_hooks) for group in groups]
        cond, uncond, denoised = (
            passes.merge(torch.cat(clips)) for clips in zip(*parts, strict=True)
        )
        # The sampler's own hooks expect the whole video, so they come last.
        later = [hook for hook in self.options.get(POST_CFG, []) if hook not in own_hooks]
        options = passes.evaluate_video(self._without_post_cfg())
        predicted = cond, uncond
        return self._call_post_cfg(later, denoised, predicted, self.conds, x, sigma, options)

    def evaluate(self, passes: VideoPasses, x: Tensor, sigma: Tensor) -> list[Tensor]:
        """Conditional and unconditional predictions of a video [T, 4, h, w], as clips."""
        call = {
            "conds": list(self.conds),
            "input": passes.split(x),
            "sigma": passes.split(sigma),
            "model": self.model,
            "model_options": passes.evaluate_clips(self._without_post_cfg()),
        }
        return call_pre_cfg(call, evaluate_conds(call), self.cfg)[:2]

    def _predict(
        self, passes: VideoPasses, x: Tensor, sigma: Tensor, post_cfg: list[Callable]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Conditional, unconditional and guided predictions, as clips."""
        cond, uncond = self.evaluate(passes, x, sigma)
        clips = cond, uncond, passes.split(x), passes.split(sigma)
        every = zip(passes.passes, *map(passes.chunk, clips), strict=True)
        guided: list[Tensor] = []
        for current, *predicted, clip, level in every:
            if passes.builds(current):
                guided.append(passes.build(current, guided[-1]))
            else:
                guided.append(self._guide(current, predicted, clip, level, post_cfg))
        return cond, uncond, torch.cat(guided)

    def _guide(
        self,
        current: ModelPass,
        predicted: list[Tensor],
        clip: Tensor,
        sigma: Tensor,
        post_cfg: list[Callable],
    ) -> Tensor:
        """Guided prediction of one pass, its frames in its own order of time."""
        cond, uncond = predicted
        own = tuple(current.own(c) for c in self.conds)
        options = current.options(self._without_post_cfg())
        scale = self.guidance.ramp(clip)
        if CFG in options:
            # This function takes one number, so the ramp goes into the difference that it scales.
            if self.guidance.start != self.guidance.end:
                cond = guide(cond, uncond, scale / self.cfg)
            scale = self.cfg
        guided = comfy.samplers.cfg_function(
            self.model, cond, uncond, scale, clip, sigma, options, cond=own[0], uncond=own[1]
        )
        return self._call_post_cfg(post_cfg, guided, predicted, own, clip, sigma, options)

    def _call_post_cfg(self, hooks: list[Callable], denoised: Tensor, *more) -> Tensor:
        return call_post_cfg(hooks, denoised, *more, model=self.model, cfg=self.cfg)

    def _without_post_cfg(self) -> dict:
        """The options for the host, which would call post-CFG functions once for each pass."""
        return {**self.options, POST_CFG: []}


def keeps_attention(model_options: dict) -> bool:
    """Whether a post-CFG function may read the attention of the last call of the model."""
    replaced = model_options.get("transformer_options", {}).get("patches_replace", {})
    return bool(replaced.get("attn1") and model_options.get(POST_CFG))
