"""A shot of a story: conditioned, sampled, decoded, and added to the shots before."""

import logging
from dataclasses import dataclass

import comfy.sample
import comfy.samplers
import comfy.sd
import comfy.utils
import latent_preview
from comfy.clip_vision import ClipVisionModel
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ....fcvg_core.choices import ANIMATE, AS_THE_VIDEO, AUTO, INTERPOLATE
from ....fcvg_core.errors import UserError
from ..clips import join_frames
from ..images import check_image, first_picture
from ..svd.decode import decode_frames
from ..unet3d.sampling import ddim_levels_of, ddim_sampler, rescale_clip_guidance
from .conditioning import ClipSettings, condition_clip
from .loading import Projector

FRAMES_PER_CHUNK = 2  # frames are decoded each by itself, so the number changes memory alone


@dataclass(frozen=True, eq=False)
class ShotModels:
    """The networks that paint a shot."""

    model: ModelPatcher
    clip: comfy.sd.CLIP
    clip_vision: ClipVisionModel
    vae: comfy.sd.VAE
    projector: Projector


@dataclass(frozen=True, eq=False)
class Shot:
    """What a shot shows.

    Attributes:
        prompt, negative: texts.
        before: [T, H, W, 3] frames of the shots before; None: there are none.
        first: [1, h, w, 3] picture that the shot begins with.
        last: [1, h, w, 3] picture that it ends with; None: it ends as the model paints it.
        continues: whether `first` is the last frame of `before`.
    """

    prompt: str
    negative: str
    before: Tensor | None
    first: Tensor
    last: Tensor | None
    continues: bool

    @classmethod
    def from_inputs(
        cls,
        prompt: str,
        negative: str,
        video: Tensor | None,
        picture: Tensor | None,
        last_picture: Tensor | None,
    ) -> "Shot":
        """The shot of a node's inputs.

        Raises:
            UserError: there is nothing to start from.
            ValueError: an input is no picture.
        """
        before = None if video is None else check_image(video, "video")
        if picture is None and before is None:
            raise UserError(
                "The shot has nothing to start from: connect a picture to picture, or the shots "
                "before to video."
            )
        first = before[-1:] if picture is None else first_picture(picture, "picture")
        last = None if last_picture is None else first_picture(last_picture, "last_picture")
        return cls(prompt, negative, before, first, last, continues=picture is None)


@dataclass(frozen=True, kw_only=True)
class ShotSettings:
    """How a shot is painted; see the widgets of Story Shot. `size` is (height, width)."""

    size: tuple[int, int]
    num_frames: int
    rate: int
    seed: int
    steps: int
    cfg: float
    eta: float
    spacing: str
    rescale: float


def paint_shot(models: ShotModels, shot: Shot, settings: ShotSettings) -> Tensor:
    """The shots before and the new shot, without a doubled frame.

    Returns:
        [T, *size, 3] in 0..1, on the CPU.

    Raises:
        UserError: before a network runs, if the shots before have another size, or the settings do
            not fit the model.
    """
    if shot.before is not None and tuple(shot.before.shape[1:3]) != settings.size:
        (height, width), (found_height, found_width) = settings.size, shot.before.shape[1:3]
        raise UserError(
            f"video has {found_width} x {found_height} pixels, but this shot is to have {width} x "
            f"{height}: set the same width and height in all shots."
        )
    frames = decode_frames(models.vae, _sample(models, shot, settings), FRAMES_PER_CHUNK)
    if shot.before is None:
        return frames
    video = join_frames({"video": shot.before, "shot": frames}, shot.continues)
    logging.info("%d frames of this shot, %d frames so far.", len(frames), len(video))
    return video


def _sample(models: ShotModels, shot: Shot, settings: ShotSettings) -> Tensor:
    """Latents of a shot: [T, 4, h, w]."""
    # The levels come first, because they refuse a model of another family.
    sigmas = ddim_levels_of(models.model, settings.steps, settings.spacing)
    positive, negative, _, latent = condition_clip(
        _encode(models.clip, shot.prompt),
        _encode(models.clip, shot.negative),
        models.projector,
        models.clip_vision,
        models.vae,
        shot.first,
        shot.last,
        ClipSettings(
            mode=ANIMATE if shot.last is None else INTERPOLATE,
            size=settings.size,
            num_frames=settings.num_frames,
            rate=settings.rate,
            image_tokens=AUTO,
            clip_picture=AS_THE_VIDEO,
            names=("picture", "last_picture"),
        ),
    )
    model = rescale_clip_guidance(models.model, settings.rescale)
    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(settings.cfg)
    start = latent["samples"]
    return guider.sample(
        comfy.sample.prepare_noise(start, settings.seed),
        start,
        ddim_sampler(settings.eta),
        sigmas,
        callback=latent_preview.prepare_callback(model, len(sigmas) - 1),
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=settings.seed,
    )


def _encode(clip: comfy.sd.CLIP, text: str) -> list:
    """CONDITIONING of a text, as the node CLIP Text Encode makes it."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))
