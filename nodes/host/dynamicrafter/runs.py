"""What a run of DynamiCrafter says and shows on the node that samples, whatever guides the run."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP, add_wrapper
from comfy.samplers import CFGGuider, Sampler
from torch import Tensor

from ....fcvg_core.estimate import DYNAMICRAFTER
from ..injection import count_calls
from ..outlook import Display, Video, log_needs, running_clock
from ..preview import moving_preview
from .model import VARIANT


def tell_of_runs(
    patcher: ModelPatcher,
    shown: Callable[[], AbstractContextManager],
    find_display: Callable[[], Display | None],
) -> None:
    """Let a model say before each run what the run needs, and then how far it is.

    Previews show all frames; see `moving_preview`.

    Args:
        shown: what is logged in this context is shown on the node that samples.
        find_display: gives what shows lines on the node that samples.
    """
    sample = partial(_sample, shown, find_display)
    patcher.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, "fcvg_dynamicrafter", sample)


def _sample(
    shown: Callable[[], AbstractContextManager],
    find_display: Callable[[], Display | None],
    executor: Callable,
    noise: Tensor,
    latent_image: Tensor,
    sampler: Sampler,
    sigmas: Tensor,
    denoise_mask: Tensor | None = None,
    callback: Callable | None = None,
    *more,
    **named,
) -> Tensor:
    """The host's run of a guider; the arguments are the host's."""
    guider = executor.class_obj
    with shown():
        _compare_variants(guider)
        video = _video(latent_image, guider.model_options)
        line = log_needs(guider.model_patcher, video, DYNAMICRAFTER)
        running = running_clock(find_display(), line, count_calls(sampler, len(sigmas) - 1))
        with moving_preview(callback) as callback, running as clock:
            if clock is not None:
                callback = clock.timed(callback)
                start = partial(_start, clock.start)
                add_wrapper(WrappersMP.SAMPLER_SAMPLE, start, guider.model_options, True)
            return executor(
                noise, latent_image, sampler, sigmas, denoise_mask, callback, *more, **named
            )


def _compare_variants(guider: CFGGuider) -> None:
    """Warn if the image projector and the model belong to different published models."""
    model = guider.model_patcher.model.variant
    entries = (entry for conds in guider.conds.values() for entry in conds)
    for other in {entry.get(VARIANT, model) for entry in entries} - {model}:
        logging.warning(
            "The model is %s, but the picture went through the image projector of %s: connect "
            "image_projector and MODEL of the same loader.",
            model.name,
            other.name,
        )


def _start(start: Callable[[], None], executor: Callable, *given, **named) -> Tensor:
    """The host's call of a sampler, which comes after the host has loaded the weights."""
    start()
    return executor(*given, **named)


def _video(latent: Tensor, model_options: dict) -> Video:
    """The video whose latents are [T, 4, H / 8, W / 8], and the host's context windows."""
    size, num_frames = (8 * latent.shape[-2], 8 * latent.shape[-1]), len(latent)
    handler = model_options.get("context_handler")
    if handler is None:
        # No window is shorter than its overlap, so nobody is told to lower a window.
        return Video(size, num_frames, num_frames, num_frames)
    return Video(size, num_frames, handler.context_length, handler.context_overlap)
