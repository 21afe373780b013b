"""The host's guiders for videos: window by window, in one direction or in both fused.

Source: FCVG (arXiv 2412.11755) section 3.3; Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402;
dvlab-research/ControlNeXt ControlNeXt-SVD-v2/pipeline/
pipeline_stable_video_diffusion_controlnext.py:540-640 (one direction).
"""

from collections.abc import Callable
from functools import partial

import comfy.model_management as mm
import comfy.samplers
from comfy.model_patcher import ModelPatcher, create_model_options_clone
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...fcvg_core.sampling import (
    Window,
    average_windows,
    flip_chunks,
    fuse,
    guidance_ramp,
    plan_windows,
)
from .control_patch import PASS, ModelPass


class VideoGuider(comfy.samplers.CFGGuider):
    """Works with every sampler and scheduler of the host; a subclass says in which directions.

    All passes of a step go to the host in one call, and it batches as many of them as free
    memory allows.

    Args:
        model: SVD; it is cloned.
        window, overlap: see `plan_windows`.
        min_guidance, max_guidance: at a pass's first and last frame, window by window.
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
        model = model.clone()
        super().__init__(model)
        self.window = window
        self.overlap = overlap
        self.min_guidance = min_guidance
        self.max_guidance = max_guidance
        model.add_wrapper_with_key(WrappersMP.APPLY_MODEL, PASS, _apply_in_direction)
        # No method of this guider: it would be in a circle with its model, which then outlives the
        # host's hold on it and is taken for a memory leak.
        prepare = partial(_prepare_window, window)
        model.add_wrapper_with_key(WrappersMP.PREPARE_SAMPLING, PASS, prepare)

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
        """As the host's, but the preview shows the middle frame instead of the first."""
        plan_windows(len(noise), self.window, self.overlap)  # complain before loading models
        shown = None if callback is None else show_middle_frame(callback)
        return super().sample(
            noise, latent_image, sampler, sigmas, denoise_mask, shown, disable_pbar, seed
        )

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: dict = {}, seed=None):
        """Denoised latents [T, 4, h, w]; `timestep` holds a sigma for every frame."""

        def predict(latents: Tensor, window: Window) -> Tensor:
            mm.throw_exception_if_processing_interrupted()
            options = self._for_window(model_options, window, len(x))
            return self._predict_window(latents, timestep[window.frames], options)

        windows = plan_windows(len(x), self.window, self.overlap)
        return average_windows(x, windows, predict)

    def _predict_window(self, x: Tensor, sigma: Tensor, model_options: dict) -> Tensor:
        guided = self.min_guidance != 1.0 or self.max_guidance != 1.0
        # The unconditional half would cancel out at a guidance of 1.
        negative = self.conds["negative"] if guided else None
        conds = [c for name, _ in self.directions for c in (self.conds[name], negative)]
        out = comfy.samplers.calc_cond_batch(self.inner_model, conds, x, sigma, model_options)
        ramp = guidance_ramp(self.min_guidance, self.max_guidance, x)
        predictions = []
        for i, (_, backward) in enumerate(self.directions):
            cond, uncond = out[2 * i : 2 * i + 2]
            predictions.append(
                comfy.samplers.cfg_function(
                    self.inner_model, cond, uncond, ramp.flip(0) if backward else ramp, x, sigma,
                    model_options, cond=conds[0], uncond=conds[1],
                )
            )  # fmt: skip
        return fuse(*predictions) if len(predictions) == 2 else predictions[0]

    def _for_window(self, model_options: dict, window: Window, num_frames: int) -> dict:
        """Options that tell the wrapper and the control patch which pass is which."""
        options = create_model_options_clone(model_options)
        backward = [backward for _, backward in self.directions]
        options["transformer_options"][PASS] = ModelPass(
            num_frames=num_frames,
            window=window,
            conditional=(True, False) * len(backward),
            backward=tuple(flag for flag in backward for _ in range(2)),
        )
        return options


class InbetweenGuider(VideoGuider):
    """FCVG's: both directions. Swapping the keyframes and flipping the noise flips the video."""

    directions = (("first", False), ("last", True))

    def set_conds(self, first: list, last: list, negative: list) -> None:
        """Conditionings of both keyframes and the unconditional one."""
        self.inner_set_conds({"first": first, "last": last, "negative": negative})


class AnimationGuider(VideoGuider):
    """ControlNeXt-SVD's: one direction, away from a reference image that every window sees."""

    directions = (("positive", False),)


def show_middle_frame(callback: Callable) -> Callable:
    """A sampler's callback that is given the middle frame first, where previews look.

    At the last step it gets the frames in order, for the host keeps those as a result.
    """

    def shown(step: int, denoised: Tensor, x: Tensor, total_steps: int) -> None:
        if step + 1 < total_steps:
            denoised = denoised.roll(-(len(denoised) // 2), 0)
        callback(step, denoised, x, total_steps)

    return shown


def _prepare_window(window: int, executor, model, noise_shape, conds, *args, **kwargs):
    """Memory is needed for a window, not for the whole video."""
    shape = [min(noise_shape[0], window), *noise_shape[1:]]
    return executor(model, shape, conds, *args, **kwargs)


def _apply_in_direction(executor, x, t, c_concat=None, c_crossattn=None, control=None,
                        transformer_options={}, **kwargs):  # fmt: skip
    """Flip the frames of backward passes before the model, and its prediction after it."""
    current = transformer_options.get(PASS)
    if current is None:  # somebody else's call, outside of this guider's steps
        return executor(x, t, c_concat, c_crossattn, control, transformer_options, **kwargs)
    flipped = [current.backward[i] for i in transformer_options["cond_or_uncond"]]
    kwargs["num_video_frames"] = current.window.length
    out = executor(
        flip_chunks(x, flipped), t, c_concat, c_crossattn, control, transformer_options, **kwargs
    )
    return flip_chunks(out, flipped)
