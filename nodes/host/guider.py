"""Guiders of the host for videos: window by window, in one direction, or in both and fused.

Source: FCVG (arXiv 2412.11755) section 3.3; Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402;
dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
pipeline_stable_video_diffusion_controlnext.py:540-640 (one direction).
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import comfy.samplers
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.estimate import CONTROLNEXT_SVD, FCVG, Networks, span_lengths
from ...fcvg_core.sampling import (
    Guidance,
    Window,
    early_steps,
    plan_spans,
    warn_of_no_guidance,
)
from .checks import check_easycache, check_latent, check_picture, check_share, guided_levels
from .compiled import survive_failed_compilation
from .hooks import POST_CFG
from .injection import count_calls
from .mpd import MpdSampler
from .outlook import Display, StepClock, Video, log_needs, running_clock
from .passes import CURRENT, Conds, VideoPasses, check_svd, refuse_areas
from .preview import moving_preview
from .spans import read_places, select_span
from .step import GuidedStep
from .svd.one_token import use_one_token

ROUNDED = 1.0001  # more than the rounding of a noise level, less than any step


class VideoGuider(comfy.samplers.CFGGuider):
    """Works with every sampler and scheduler of the host; a subclass names the directions.

    `GuidedStep` says how this guider calls hooks.

    Args:
        model: SVD; it is cloned.
        window, overlap: see `plan_spans`.
        guidance_start, guidance_end: guidance scale at the first and the last frame of each
            window, counted in the direction of the pass.
        guidance_from, guidance_until: 0..1, shares of the noise levels as the host counts them,
            between which guidance acts. Outside it the unconditional passes are not evaluated,
            unless a hook or a sampler asks for them.
        display: shows what a run needs, and how far it is; None: both are shown nowhere.
        needs: from `log_needs`, if it was called for the only run of this guider.
    """

    # For each direction the name of its conditioning, and whether time runs backward.
    directions: tuple[tuple[str, bool], ...]
    # Parts of the picture (of 16) that control frames should reach.
    enough_parts: int
    networks: Networks

    def __init__(
        self,
        model: ModelPatcher,
        *,
        window: int,
        overlap: int,
        guidance_start: float,
        guidance_end: float,
        guidance_from: float = 0.0,
        guidance_until: float = 1.0,
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
        use_one_token(model)
        survive_failed_compilation(model)
        super().__init__(model)
        self.window = window
        self.overlap = overlap
        levels = guided_levels(model, guidance_from, guidance_until)
        if (guidance_from, guidance_until) != (0.0, 1.0):
            check_easycache(model)
        self.guidance = Guidance(guidance_start, guidance_end, **levels)
        self.display = display
        self.needs = needs
        self._clock: StepClock | None = None  # of the run that is under way
        # Hooks know one scale, the highest one of the ramp that `GuidedStep` makes.
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
        """As the host's guiders, but the preview shows all frames; see `moving_preview`.

        Raises:
            UserError: before models are loaded, if the latent is no video of SVD's, if windows
                can't be made, if a conditioning is limited to an area, or if the sampler can't do
                what the run asks for.
        """
        check_latent(latent_image)
        self._windows(len(noise))
        refuse_areas(self.original_conds)
        if isinstance(sampler, MpdSampler):
            sampler.check_run(self, latent_image, sigmas, denoise_mask)
        else:
            warn_of_no_guidance(self.guidance, sigmas[:-1].tolist())
        video = self._video(latent_image)
        line = self.needs or log_needs(self.model_patcher, video, self.networks)
        steps = len(sigmas) - 1
        clock = running_clock(self.display, line, count_calls(sampler, steps))
        with moving_preview(callback) as callback, clock as self._clock:
            if self._clock is not None:
                callback = self._clock.timed(callback)
            return super().sample(
                noise, latent_image, sampler, sigmas, denoise_mask, callback, *args, **kwargs
            )

    def _video(self, latent: Tensor) -> Video:
        """The video whose latents are [T, 4, H / 8, W / 8]."""
        size = 8 * latent.shape[-2], 8 * latent.shape[-1]
        at = self.keyframes(len(latent))
        return Video(size, len(latent), self.window, self.overlap, at)

    def keyframes(self, num_frames: int) -> tuple[int, ...]:
        """Frames of the keyframes in a video of so many frames, the first and the last included.

        Raises:
            UserError: the conditionings are of a video of another length, or do not belong
                together.
        """
        return read_places(self.original_conds, num_frames)

    def _windows(self, num_frames: int) -> list[Window]:
        return plan_spans(self.keyframes(num_frames), self.window, self.overlap)

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: dict = {}, seed=None):
        """Denoised latents [T, 4, h, w]; `timestep` holds a sigma for every frame."""
        if self._clock is not None:
            self._clock.start()
        sigma = float(timestep[0])
        guidance = self._guidance().at(sigma)
        step = GuidedStep(
            self.inner_model,
            guidance,
            (self._cond(), self._uncond(guidance, model_options)),
            model_options,
            self.model_options.get(POST_CFG, []),
        )
        return step.predict(self._plan(x, sigma), x, timestep)

    def _plan(self, x: Tensor, sigma: float) -> VideoPasses:
        """The passes over latents [T, 4, h, w] at a noise level."""
        return VideoPasses.plan(
            len(x),
            self._windows(len(x)),
            {backward: self.conds[name] for name, backward in self.directions},
        )

    def _cond(self) -> Conds:
        """The conditional conds of all directions; each pass selects its own."""
        return [cond for name, _ in self.directions for cond in self.conds[name]]

    def _uncond(self, guidance: Guidance, model_options: dict) -> Conds:
        """The unconditional conds; None at a guidance of 1, where they would cancel out."""
        always = model_options.get("disable_cfg1_optimization", False)
        return self.conds["negative"] if always or guidance.needs_uncond else None

    def _guidance(self) -> Guidance:
        """The guidance of this step, inside its interval.

        For some steps the host's CFG Override may replace a guider's scale. Then the replacement
        is the scale of all frames.
        """
        if self.cfg != max(self.guidance.start, self.guidance.end):
            return replace(self.guidance, start=self.cfg, end=self.cfg)
        return self.guidance


class InbetweenGuider(VideoGuider):
    """FCVG's guider, in both directions.

    Swapping the keyframes and flipping the noise flips the video, if no step is forward only.

    Args:
        forward_share: 0..1, share of a run's steps, from the first step on, in which only the
            forward passes are evaluated (see `fuse_forward_only`).
        other: see `VideoGuider`.
    """

    directions = (("first", False), ("last", True))
    enough_parts = 6  # lines of a whole scene
    networks = FCVG

    def __init__(self, model: ModelPatcher, *, forward_share: float = 0.0, **other):
        check_share("forward_share", forward_share)
        super().__init__(model, **other)
        if forward_share:
            check_easycache(model)
        self.forward_share = forward_share
        self._forward_above = math.inf  # noise levels of the run that is under way

    def set_conds(self, first: list, last: list, negative: list) -> None:
        """Conditionings of both keyframes and the unconditional one."""
        self.inner_set_conds({"first": first, "last": last, "negative": negative})

    def sample(self, noise: Tensor, latent_image: Tensor, sampler, sigmas: Tensor, *args, **kwargs):
        """As `VideoGuider.sample`.

        Raises:
            UserError: also if steps are forward only, and there is no last keyframe to end with.
        """
        early = early_steps(max(len(sigmas) - 1, 0), self.forward_share)
        if early:
            check_picture(self.original_conds["last"], "last", "forward_share above 0")
        # Samplers that compute noise levels are off in the last digits.
        self._forward_above = ROUNDED * float(sigmas[early]) if early else math.inf
        return super().sample(noise, latent_image, sampler, sigmas, *args, **kwargs)

    def keyframe(self, name: str, like: Tensor, span: int = 0) -> Tensor:
        """Latents [T, 4, h, w] of a keyframe during a run, scaled as between the sampler's steps.

        Args:
            name: "first" or "last" of the span. Its conditioning has one picture, which all frames
                share, or a picture a frame.
            like: tensor of the device and the number format.
            span: number of the span between two keyframes.
        """
        picture = select_span(self.conds[name], span)[0]["model_conds"]["c_concat"].cond
        return self.inner_model.process_latent_in(picture.to(like))

    def predict_direction(
        self, x: Tensor, sigma: Tensor, model_options: dict, *, backward: bool
    ) -> tuple[Tensor, Tensor]:
        """Conditional and unconditional prediction of one direction, without guidance.

        Args:
            x: [T, 4, h, w] in the direction's order of time, as the predictions.
            sigma: scalar.
        """
        if self._clock is not None:
            self._clock.start()
        passes = super()._plan(x, float(sigma)).direction(backward)
        conds = self._cond(), self.conds["negative"]
        step = GuidedStep(self.inner_model, self.guidance, conds, model_options, [])
        order = [0] if backward else []
        clips = step.evaluate(passes, x.flip(order), sigma.expand(len(x)))
        cond, uncond = (passes.merge(clip).flip(order) for clip in clips)
        return cond, uncond

    def _plan(self, x: Tensor, sigma: float) -> VideoPasses:
        passes = super()._plan(x, sigma)
        if sigma <= self._forward_above:
            return passes
        spans = range(len(self.keyframes(len(x))) - 1)
        return replace(passes, ends=tuple(self.keyframe("last", x, span) for span in spans))


class AnimationGuider(VideoGuider):
    """ControlNeXt-SVD's guider, in one direction; every window sees the reference image."""

    directions = (("positive", False),)
    enough_parts = 2  # one person may be small
    networks = CONTROLNEXT_SVD


def _prepare_window(window: int, executor, model, noise_shape, conds, *args, **kwargs):
    """Let the host reserve memory for the longest window instead of the whole video."""
    spans = span_lengths(noise_shape[0], read_places(conds, noise_shape[0]))
    shape = [min(max(spans), window), *noise_shape[1:]]
    return executor(model, shape, conds, *args, **kwargs)
