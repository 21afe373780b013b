"""What a run says and shows on the node that samples, whatever guides the run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP, add_wrapper
from comfy.samplers import CFGGuider, Sampler
from torch import Tensor

from ....fcvg_core.estimate import Networks
from ..injection import count_calls
from ..outlook import Display, Video, log_needs, running_clock
from ..preview import moving_preview


def tell_of_runs(
    patcher: ModelPatcher,
    shown: Callable[[], AbstractContextManager],
    find_display: Callable[[], Display | None],
    networks: Networks,
    look: Callable[[CFGGuider], None] = lambda guider: None,
) -> None:
    """Let a model say before each run what the run needs, and then how far it is.

    Previews show all frames; see `moving_preview`.

    Args:
        shown: what is logged in this context is shown on the node that samples.
        find_display: gives what shows lines on the node that samples.
        networks: of the model's family.
        look: logs what else there is to say of a guider.
    """
    sample = partial(_sample, shown, find_display, networks, look)
    patcher.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, "fcvg_unet3d", sample)


def _sample(
    shown: Callable[[], AbstractContextManager],
    find_display: Callable[[], Display | None],
    networks: Networks,
    look: Callable[[CFGGuider], None],
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
        look(guider)
        video = _video(latent_image, guider.model_options)
        line = log_needs(guider.model_patcher, video, networks)
        running = running_clock(find_display(), line, count_calls(sampler, len(sigmas) - 1))
        with moving_preview(callback) as callback, running as clock:
            if clock is not None:
                callback = clock.timed(callback)
                start = partial(_start, clock.start)
                add_wrapper(WrappersMP.SAMPLER_SAMPLE, start, guider.model_options, True)
            return executor(
                noise, latent_image, sampler, sigmas, denoise_mask, callback, *more, **named
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
