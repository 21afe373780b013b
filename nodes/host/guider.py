"""Guiders of the host for videos: window by window, in one direction, or in both and fused.

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

from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import Guidance, check_windows, guide, plan_windows
from .hooks import CFG, POST_CFG, call_post_cfg, call_pre_cfg, evaluate_conds
from .injection import count_calls
from .outlook import Display, StepClock, Video, log_needs, running_clock
from .passes import CURRENT, Conds, ModelPass, VideoPasses, check_svd, refuse_areas
from .preview import show_middle_frame


class VideoGuider(comfy.samplers.CFGGuider):
    """Works with every sampler and scheduler of the host; a subclass names the directions.

    This guider calls hooks as the host's own guiders call them. Pre-CFG functions, post-CFG
    functions and a function in place of the evaluation are called once a step. A function in place
    of CFG is called once for each pass, with the frames in the pass's order of time; what it gives
    follows the ramp of this guider.

    Args:
        model: SVD; it is cloned.
        window, overlap: see `plan_windows`.
        guidance_start, guidance_end: guidance scale at the first and the last frame of each
            window, counted in the direction of the pass.
        display: shows what a run needs, and how far it is; None: both are shown nowhere.
        needs: from `log_needs`, if it was called for the only run of this guider.
    """

    # For each direction the name of its conditioning, and whether time runs backward.
    directions: tuple[tuple[str, bool], ...]
    # Parts of the picture (of 16) that control frames should reach.
    enough_parts: int

    def __init__(
        self,
        model: ModelPatcher,
        *,
        window: int,
        overlap: int,
        guidance_start: float,
        guidance_end: float,
        display: Display | None = None,
        needs: str | None = None,
    ):
        check_svd(model, "This guider")
        if "context_handler" in model.model_options:
            raise UserError(
                "The model has Context Windows, but this guider makes its own windows: take "
                "Context Windows out, and set window and overlap here."
            )
        model = model.clone()
        super().__init__(model)
        self.window = window
        self.overlap = overlap
        self.guidance = Guidance(guidance_start, guidance_end)
        self.display = display
        self.needs = needs
        self._clock: StepClock | None = None  # of the run that is under way
        # Hooks know one scale, the highest one of the ramp that `_guide` makes.
        self.set_cfg(max(guidance_start, guidance_end))
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
        *args,
        **kwargs,
    ) -> Tensor:
        """As the host's guiders, but the preview shows the middle frame instead of the first.

        Raises:
            UserError: before models are loaded, if the latent is no video of SVD's, if windows
                can't be made, or if a conditioning is limited to an area.
        """
        _check_latent(latent_image)
        check_windows(len(noise), self.window, self.overlap)
        refuse_areas(self.original_conds)
        show_middle_frame(callback)
        line = self.needs or log_needs(self.model_patcher, self._video(latent_image))
        steps = len(sigmas) - 1
        with running_clock(self.display, line, count_calls(sampler, steps)) as self._clock:
            if self._clock is not None:
                callback = self._clock.timed(callback)
            return super().sample(
                noise, latent_image, sampler, sigmas, denoise_mask, callback, *args, **kwargs
            )

    def _video(self, latent: Tensor) -> Video:
        """The video whose latents are [T, 4, H / 8, W / 8]."""
        size = 8 * latent.shape[-2], 8 * latent.shape[-1]
        return Video(size, len(latent), self.window, self.overlap)

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: dict = {}, seed=None):
        """Denoised latents [T, 4, h, w]; `timestep` holds a sigma for every frame."""
        if self._clock is not None:
            self._clock.start()
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
            # Self-Attention Guidance reads the attention that the last call of the model stored.
            groups, own_hooks = passes.one_by_one(), self.model_options.get(POST_CFG, [])
        parts = [self._predict(group, conds, x, timestep, options, own_hooks) for group in groups]
        cond, uncond, denoised = (
            passes.merge(torch.cat(clips)) for clips in zip(*parts, strict=True)
        )
        # The sampler's own hooks expect the whole video, so they come last.
        later = [hook for hook in hooks if hook not in own_hooks]
        options = passes.evaluate_video(options)
        return call_post_cfg(self, later, denoised, (cond, uncond), conds, x, timestep, options)

    def _cond(self) -> Conds:
        """The conditional conds of all directions; each pass selects its own."""
        return [cond for name, _ in self.directions for cond in self.conds[name]]

    def _uncond(self, model_options: dict) -> Conds:
        """The unconditional conds; None at a guidance of 1, where they would cancel out."""
        always = model_options.get("disable_cfg1_optimization", False)
        needed = always or self._guidance().needs_uncond
        return self.conds["negative"] if needed else None

    def _guidance(self) -> Guidance:
        """The guidance of this step.

        For some steps the host's CFG Override may replace a guider's scale. Then the replacement
        is the scale of all frames.
        """
        if self.cfg != max(self.guidance.start, self.guidance.end):
            return Guidance(self.cfg, self.cfg)
        return self.guidance

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
        cond, uncond = call_pre_cfg(call, evaluate_conds(call), self.cfg)[:2]
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
        """Guided prediction of one pass, its frames in its own order of time."""
        cond, uncond = predicted
        own = tuple(current.own(c) for c in conds)
        options = current.options(options)
        guidance = self._guidance()
        scale = guidance.ramp(clip)
        if CFG in options:
            # This function takes one number, so the ramp goes into the difference that it scales.
            if guidance.start != guidance.end:
                cond = guide(cond, uncond, scale / self.cfg)
            scale = self.cfg
        guided = comfy.samplers.cfg_function(
            self.inner_model, cond, uncond, scale, clip, sigma, options, cond=own[0], uncond=own[1]
        )
        return call_post_cfg(self, post_cfg, guided, predicted, own, clip, sigma, options)


class InbetweenGuider(VideoGuider):
    """FCVG's guider, in both directions.

    Swapping the keyframes and flipping the noise flips the video.
    """

    directions = (("first", False), ("last", True))
    enough_parts = 6  # lines of a whole scene

    def set_conds(self, first: list, last: list, negative: list) -> None:
        """Conditionings of both keyframes and the unconditional one."""
        self.inner_set_conds({"first": first, "last": last, "negative": negative})


class AnimationGuider(VideoGuider):
    """ControlNeXt-SVD's guider, in one direction; every window sees the reference image."""

    directions = (("positive", False),)
    enough_parts = 2  # one person may be small


def _check_latent(latent: Tensor) -> None:
    shape = None if getattr(latent, "is_nested", False) else tuple(latent.shape)
    if shape is None or len(shape) != 4 or shape[1] != 4:
        raise UserError(
            f"The latent is {shape or 'several tensors'}, but a video of SVD is (frames, 4, height "
            "/ 8, width / 8): connect the latent of FCVG Conditioning or of ControlNeXt-SVD "
            "Conditioning."
        )


def _keeps_attention(model_options: dict) -> bool:
    """Whether a post-CFG function may read the attention of the last call of the model."""
    replaced = model_options.get("transformer_options", {}).get("patches_replace", {})
    return bool(replaced.get("attn1") and model_options.get(POST_CFG))


def _prepare_window(window: int, executor, model, noise_shape, conds, *args, **kwargs):
    """Let the host reserve memory for one window instead of the whole video."""
    shape = [min(noise_shape[0], window), *noise_shape[1:]]
    return executor(model, shape, conds, *args, **kwargs)
