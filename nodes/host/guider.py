"""The host's guiders for videos: window by window, in one direction or in both fused.

Source: FCVG (arXiv 2412.11755) section 3.3; Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402;
dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
pipeline_stable_video_diffusion_controlnext.py:540-640 (one direction).
"""

from collections.abc import Callable
from functools import partial

import comfy.samplers
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...fcvg_core.sampling import check_windows, guidance_ramp, plan_windows
from .passes import CURRENT, Conds, ModelPass, VideoPasses, check_svd, refuse_areas
from .preview import show_middle_frame

POST_CFG = "sampler_post_cfg_function"  # a list in model_options
CFG = "sampler_cfg_function"


class VideoGuider(comfy.samplers.CFGGuider):
    """Works with every sampler and scheduler of the host; a subclass says in which directions.

    The host's hooks are called as its own guiders call them: pre-CFG functions, functions in place
    of the evaluation and post-CFG functions once a step; a function in place of CFG once for each
    pass, in the pass's order of time. It multiplies with the ramp of this guider.

    Args:
        model: SVD; it is cloned.
        window, overlap: see `plan_windows`.
        min_guidance, max_guidance: guidance scale at the first and the last frame of each window,
            counted in the direction of the pass.
    """

    # For each direction the condition's name and whether time runs backward.
    directions: tuple[tuple[str, bool], ...]

    def __init__(
        self,
        model: ModelPatcher,
        *,
        window: int,
        overlap: int,
        min_guidance: float,
        max_guidance: float,
    ):
        check_svd(model, "This guider")
        if "context_handler" in model.model_options:
            raise ValueError(
                "The model has Context Windows, but this guider makes windows of its own: take "
                "Context Windows out and set window and overlap here."
            )
        model = model.clone()
        super().__init__(model)
        self.window = window
        self.overlap = overlap
        self.min_guidance = min_guidance
        self.max_guidance = max_guidance
        # Hooks know one scale; `_guide` makes the ramp below it.
        self.set_cfg(max(min_guidance, max_guidance))
        # A plain function, not a bound method: a bound method would make guider and model refer to
        # each other, and the host reports that as a memory leak.
        prepare = partial(_prepare_window, window)
        model.add_wrapper_with_key(WrappersMP.PREPARE_SAMPLING, CURRENT, prepare)

    def sample(
        self,
        noise: Tensor,
        latent_image: Tensor,
        sampler: comfy.samplers.Sampler,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
        callback: Callable | None = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> Tensor:
        """As the host's, but the preview shows the middle frame instead of the first.

        Raises:
            ValueError: before models are loaded, for a latent that is no video of SVD's, windows
                that can't be made, or a conditioning for a part of the picture.
        """
        _check_latent(latent_image)
        check_windows(len(noise), self.window, self.overlap)
        refuse_areas(self.original_conds)
        show_middle_frame(callback)
        return super().sample(
            noise, latent_image, sampler, sigmas, denoise_mask, callback, disable_pbar, seed
        )

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: dict = {}, seed=None):
        """Denoised latents [T, 4, h, w]; `timestep` holds a sigma for every frame."""
        passes = VideoPasses.plan(
            len(x),
            plan_windows(len(x), self.window, self.overlap),
            {backward: self.conds[name] for name, backward in self.directions},
        )
        conds = self._cond(), self._uncond(model_options)
        hooks = model_options.get(POST_CFG, [])
        options = {**model_options, POST_CFG: []}
        groups, own_hooks = [passes], []
        if _keeps_attention(model_options):
            # Self-Attention Guidance looks at what the last call of the model left behind.
            groups, own_hooks = passes.one_by_one(), self.model_options.get(POST_CFG, [])
        parts = [self._predict(group, conds, x, timestep, options, own_hooks) for group in groups]
        cond, uncond, denoised = (
            passes.merge(torch.cat(clips)) for clips in zip(*parts, strict=True)
        )
        # The sampler's own hooks are about the whole video, so they come last.
        later = [hook for hook in hooks if hook not in own_hooks]
        options = passes.evaluate_video(options)
        return self._call_post_cfg(later, denoised, (cond, uncond), conds, x, timestep, options)

    def _cond(self) -> Conds:
        """The conditional conds of all directions; a pass takes its own out of them."""
        return [cond for name, _ in self.directions for cond in self.conds[name]]

    def _uncond(self, model_options: dict) -> Conds:
        """The unconditional conds; None where they would cancel out at a guidance of 1."""
        guided = self._guidance() != (1.0, 1.0)
        needed = guided or model_options.get("disable_cfg1_optimization", False)
        return self.conds["negative"] if needed else None

    def _guidance(self) -> tuple[float, float]:
        """Guidance scale at the first and the last frame of a pass.

        The host's CFG Override changes a guider's scale for some steps: to one for all frames.
        """
        if self.cfg != max(self.min_guidance, self.max_guidance):
            return self.cfg, self.cfg
        return self.min_guidance, self.max_guidance

    def _predict(
        self,
        passes: VideoPasses,
        conds: tuple[Conds, Conds],
        x: Tensor,
        sigma: Tensor,
        options: dict,
        post_cfg: list[Callable],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Conditional, unconditional and guided predictions, as clips."""
        clips, levels = passes.split(x), passes.split(sigma)
        call = {
            "conds": list(conds),
            "input": clips,
            "sigma": levels,
            "model": self.inner_model,
            "model_options": passes.evaluate_clips(options),
        }
        evaluate = options.get("sampler_calc_cond_batch_function", _calc_cond_batch)
        out = evaluate(call)
        for hook in options.get("sampler_pre_cfg_function", []):
            out = hook({**call, "conds_out": out, "cond_scale": self.cfg, "timestep": levels})
        cond, uncond = out[:2]
        every = zip(passes.passes, *map(passes.chunk, (cond, uncond, clips, levels)), strict=True)
        guided = [
            self._guide(current, predicted, conds, clip, level, options, post_cfg)
            for current, *predicted, clip, level in every
        ]
        return cond, uncond, torch.cat(guided)

    def _guide(
        self,
        current: ModelPass,
        predicted: list[Tensor],
        conds: tuple[Conds, Conds],
        clip: Tensor,
        sigma: Tensor,
        options: dict,
        post_cfg: list[Callable],
    ) -> Tensor:
        """Guidance of one pass, its frames in its own order of time."""
        cond, uncond = predicted
        own = tuple(current.own(c) for c in conds)
        options = current.options(options)
        first, last = self._guidance()
        scale = guidance_ramp(first, last, clip)
        if CFG in options:
            # It takes a number, so the ramp goes into what it scales.
            if first != last:
                cond = uncond + (cond - uncond) * (scale / self.cfg)
            scale = self.cfg
        guided = comfy.samplers.cfg_function(
            self.inner_model, cond, uncond, scale, clip, sigma, options, cond=own[0], uncond=own[1]
        )
        return self._call_post_cfg(post_cfg, guided, predicted, own, clip, sigma, options)

    def _call_post_cfg(
        self,
        hooks: list[Callable],
        denoised: Tensor,
        predicted: tuple[Tensor, Tensor],
        conds: tuple[Conds, Conds],
        x: Tensor,
        sigma: Tensor,
        options: dict,
    ) -> Tensor:
        """What post-CFG functions make of a guided prediction."""
        for hook in hooks:
            denoised = hook(
                {
                    "denoised": denoised,
                    "cond_denoised": predicted[0],
                    "uncond_denoised": predicted[1],
                    "cond": conds[0],
                    "uncond": conds[1],
                    "cond_scale": self.cfg,
                    "model": self.inner_model,
                    "sigma": sigma,
                    "model_options": options,
                    "input": x,
                }
            )
        return denoised


class InbetweenGuider(VideoGuider):
    """FCVG's: both directions. Swapping the keyframes and flipping the noise flips the video."""

    directions = (("first", False), ("last", True))

    def set_conds(self, first: list, last: list, negative: list) -> None:
        """Conditionings of both keyframes and the unconditional one."""
        self.inner_set_conds({"first": first, "last": last, "negative": negative})


class AnimationGuider(VideoGuider):
    """ControlNeXt-SVD's: one direction, away from a reference image that every window sees."""

    directions = (("positive", False),)


def _check_latent(latent: Tensor) -> None:
    shape = None if getattr(latent, "is_nested", False) else tuple(latent.shape)
    if shape is None or len(shape) != 4 or shape[1] != 4:
        raise ValueError(
            f"The latent is {shape or 'several tensors'}, but a video of SVD is (frames, 4, height "
            "/ 8, width / 8): connect the latent of FCVG Conditioning or of ControlNeXt-SVD "
            "Conditioning."
        )


def _calc_cond_batch(call: dict) -> list[Tensor]:
    """The host's evaluation, called as a function in place of it is called."""
    return comfy.samplers.calc_cond_batch(
        call["model"], call["conds"], call["input"], call["sigma"], call["model_options"]
    )


def _keeps_attention(model_options: dict) -> bool:
    """Whether a post-CFG function may use the attention of the last call of the model."""
    replaced = model_options.get("transformer_options", {}).get("patches_replace", {})
    return bool(replaced.get("attn1") and model_options.get(POST_CFG))


def _prepare_window(window: int, executor, model, noise_shape, conds, *args, **kwargs):
    """Memory is needed for a window, not for the whole video."""
    shape = [min(noise_shape[0], window), *noise_shape[1:]]
    return executor(model, shape, conds, *args, **kwargs)
