"""What the guiders refuse before models are loaded; values of a link pass a widget's limits."""

from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ...fcvg_core.bounds import SHARE
from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import check_guidance_interval
from .latents import shape_of


def check_share(name: str, value: float) -> None:
    """Raise UserError unless a value is a share of a whole, 0..1."""
    if value not in SHARE:
        raise UserError(f"{name} is {value:g}: set it to a number from {SHARE}.")


def guided_levels(model: ModelPatcher, start: float, end: float) -> dict[str, float]:
    """The noise levels between which guidance acts, as `Guidance` takes them.

    Args:
        model: its own scale of noise levels counts.
        start, end: the widgets `guidance_from` and `guidance_until`.

    Raises:
        UserError: one of the two is no share, or guidance would end before it begins.
    """
    check_share("guidance_from", start)
    check_share("guidance_until", end)
    check_guidance_interval(start, end)
    sampling = model.get_model_object("model_sampling")
    return {"highest": sampling.percent_to_sigma(start), "lowest": sampling.percent_to_sigma(end)}


def check_easycache(model: ModelPatcher) -> None:
    """Raise UserError if a model has an EasyCache that needs the same passes in every step.

    Releases of the host around 0.8 look up what EasyCache kept of a pass, even if the pass was not
    evaluated before.
    """
    cache = model.model_options["transformer_options"].get("easycache")
    if hasattr(cache, "uuid_cache_diffs") and not hasattr(cache, "can_apply_cache_diff"):
        raise UserError(
            "EasyCache of this ComfyUI needs the same passes in every step: update ComfyUI, take "
            "EasyCache out, or set guidance_from to 0, guidance_until to 1 and forward_share to 0."
        )


def check_latent(latent: Tensor) -> None:
    """Raise UserError unless a latent is a video of SVD."""
    shape = shape_of(latent)
    if shape is None or len(shape) != 4 or shape[1] != 4:
        raise UserError(
            f"The latent is {shape or 'several tensors'}, but a video of SVD is (frames, 4, height "
            "/ 8, width / 8): connect the latent of FCVG Conditioning or of ControlNeXt-SVD "
            "Conditioning."
        )


def check_picture(conds: list[dict], name: str, what: str) -> None:
    """Raise UserError unless a keyframe's conditioning has a picture.

    Args:
        name: of the guider's input.
        what: leads the video to the keyframe.
    """
    picture = conds[0].get("concat_latent_image") if conds else None
    if picture is None or not picture.any():
        raise UserError(
            f"{what} leads the video to the keyframe, but the conditioning `{name}` holds no "
            f"picture: connect the output `{name}` of FCVG Conditioning to Inbetween Guider."
        )
