"""Motion Prior Distillation as a sampler of the host: inbetweening with SVD alone.

Source: MPD (arXiv 2602.12679); see `sample_mpd` of the core.
"""

import logging
from collections.abc import Callable
from functools import partial

import comfy.samplers
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import sample_mpd
from .checks import check_picture
from .injection import seeded_noise
from .passes import STEERED


class MpdSampler(comfy.samplers.KSAMPLER):
    """Samples along both directions of an Inbetween Guider in turn, without a guidance scale.

    Args:
        generator: draws the noise that is added again; None for a generator from the run's
            seed + 1.
    """

    def __init__(self, generator: torch.Generator | None = None):
        super().__init__(partial(_sample, generator=generator))

    def sample(self, model_wrap, sigmas, extra_args, callback, noise, latent_image=None, *rest):
        """As the host's samplers; the arguments are those of the host.

        Raises:
            UserError: see `check_run`.
        """
        self.check_run(model_wrap, latent_image, sigmas, *rest[:1])
        if STEERED in extra_args["model_options"]["transformer_options"]:
            logging.warning(
                "MPD Sampler was made for SVD without control. Control frames steer it too, but "
                "nobody has tested whether this helps."
            )
        return super().sample(model_wrap, sigmas, extra_args, callback, noise, latent_image, *rest)

    def check_run(
        self,
        guider: comfy.samplers.CFGGuider,
        latent_image: Tensor,
        sigmas: Tensor,
        denoise_mask: Tensor | None = None,
    ) -> None:
        """Raise UserError if a run asks for what this sampler can't do."""
        if not hasattr(guider, "predict_direction"):
            raise UserError(
                "MPD Sampler works between two keyframes, but the guider is "
                f"{type(guider).__name__}: connect Inbetween Guider."
            )
        for name in ("first", "last"):
            check_picture(guider.original_conds[name], name, "MPD Sampler")
        if len(guider.keyframes(len(latent_image))) > 2:
            raise UserError(
                "MPD Sampler works between two keyframes, but FCVG Conditioning has more: take its "
                "input keyframes out, or choose another sampler."
            )
        if guider.forward_share:
            raise UserError(
                f"forward_share of Inbetween Guider is {guider.forward_share:g}, but MPD Sampler "
                "has forward steps of its own: set forward_share to 0."
            )
        if denoise_mask is not None:
            raise UserError(
                "The latent has a noise mask, but MPD Sampler paints whole frames: remove the "
                "node that sets the mask, or choose another sampler."
            )
        highest = float(guider.model_patcher.get_model_object("model_sampling").sigma_max)
        # With denoise 0 there are no noise levels, and the host gives the latent back.
        if len(sigmas) and float(sigmas[0]) < 0.999 * highest and latent_image.any():
            raise UserError(
                f"The run starts from a video at the noise level {float(sigmas[0]):g}, but MPD "
                f"Sampler starts from noise alone, at {highest:g}: set denoise to 1 in the "
                "scheduler, or choose another sampler."
            )


def _sample(
    model: comfy.samplers.KSamplerX0Inpaint,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict,
    callback: Callable | None,
    disable: bool | None = None,
    *,
    generator: torch.Generator | None,
) -> Tensor:
    """The host's function of a sampler."""
    guider, options = model.inner_model, extra_args["model_options"]
    seen = {}  # what the callback shows: latents and their prediction, forward in time

    def predict(latents: Tensor, sigma: Tensor, backward: bool) -> tuple[Tensor, Tensor]:
        cond, uncond = guider.predict_direction(latents, sigma, options, backward=backward)
        order = [0] if backward else []
        seen.update(x=latents.flip(order), denoised=cond.flip(order))
        return cond, uncond

    with tqdm(total=len(sigmas) - 1, disable=disable) as bar:

        def show(done: int) -> None:
            bar.update()
            if callback is not None:
                callback({"i": done - 1, **seen})

        return sample_mpd(
            x,
            sigmas,
            first=guider.keyframe("first", x)[:1],
            last=guider.keyframe("last", x)[-1:],
            predict=predict,
            draw=seeded_noise(x, extra_args["seed"], generator),
            progress=show,
        )
