"""A model of DynamiCrafter and the machine that it runs on: checked first, loaded at first use."""

import logging
from pathlib import Path

import numpy as np
import torch

from ..catalogue.dynamicrafter import find_checkpoint
from ..catalogue.model_files import Roots
from ..choices import AUTO, INTERPOLATE
from ..errors import UserError
from ..models.dynamicrafter.conditioning import check_request
from ..models.dynamicrafter.names import guess_word, needed_word, word_of_name
from ..models.dynamicrafter.variants import EPS, VARIANTS, Variant
from ..progress import Progress
from ..sampling import spaced_timesteps
from .media.official_config import read_model_config
from .networks.draft import load_draft
from .networks.dynamicrafter import (
    CHOOSE_MODEL,
    CheckedModels,
    ClipPipeline,
    ClipRequest,
    ClipSettings,
    DynamiCrafterFiles,
    check_files,
)
from .painting_model import PaintingModel
from .spec import ClipModelChoice, ClipSampling, ClipVideo, DynamiCrafterSpec, Machine


class ClipModel(PaintingModel[ClipPipeline]):
    """One checkpoint, whose weights are read at the first clip and stay.

    Args:
        choice: which checkpoint.
        interpolates: whether the clips end with a given picture.
        roots: known folders of models.

    Attributes:
        variant: what the checkpoint is.

    Raises:
        ModuleNotFoundError: a package is missing.
        MissingModelsError: there is no checkpoint, or no tiny decoder for a draft.
        UserError: a file is missing or holds something else, or the device can't compute in the
            number format.
    """

    def __init__(
        self,
        choice: ClipModelChoice,
        machine: Machine,
        *,
        interpolates: bool,
        roots: Roots,
        device: torch.device,
    ):
        super().__init__(machine, device)
        self._draft = load_draft(roots, self.dtype) if machine.draft else None
        word = _chosen_word(choice, interpolates=interpolates)
        self.files = DynamiCrafterFiles(
            checkpoint=choice.checkpoint
            or find_checkpoint(word, interpolates=interpolates, roots=roots),
            variant=word,
            text_encoder=choice.text_encoder,
            image_encoder=choice.image_encoder,
            vae=choice.vae,
            tokenizer=choice.tokenizer,
        )
        self._interpolates = interpolates
        self.variant: Variant = self._check_first().variant

    def size(self, wanted: ClipVideo) -> tuple[int, int]:
        """(height, width) in pixels: what is wanted, otherwise what the model was trained at."""
        return _size(self.variant, wanted)

    def settings(
        self,
        sampling: ClipSampling,
        machine: Machine,
        *,
        num_frames: int,
        rate: int | None = None,
    ) -> ClipSettings:
        """How a clip is sampled; what the sampling leaves open is what the model recommends.

        Args:
            num_frames: of the clip.
            rate: of the clip, see `ClipSampling`; None takes the sampling's.
        """
        image_guidance = sampling.image_guidance
        if image_guidance is None and sampling.multiple_cond_cfg:
            image_guidance = sampling.guidance
        return ClipSettings(
            num_frames=num_frames,
            rate=rate or sampling.rate or self.variant.rate,
            steps=sampling.steps,
            eta=sampling.eta,
            spacing=sampling.spacing or self.variant.spacing,
            guidance=sampling.guidance,
            image_guidance=image_guidance,
            rescale=self.variant.rescale if sampling.rescale is None else sampling.rescale,
            image_tokens=sampling.image_tokens.replace("-", " "),
            decode_chunk=machine.decode_chunk,
        )

    def check(self, size: tuple[int, int], settings: ClipSettings, mode: str) -> None:
        """Raise UserError for a clip that the model can't paint; log what is unusual for it.

        Args:
            size: (height, width) in pixels.
            mode: one of CLIP_MODES.
        """
        check_request(
            self.variant,
            size=size,
            num_frames=settings.num_frames,
            rate=settings.rate,
            mode=mode,
            choose=CHOOSE_MODEL,
        )

    def paint(
        self,
        request: ClipRequest,
        settings: ClipSettings,
        *,
        seed: int,
        keep_keyframes: bool,
        progress: Progress,
    ) -> np.ndarray:
        """The frames of a clip, uint8 [T, H, W, 3]; the first call reads the weights.

        Args:
            keep_keyframes: put the given pictures into the clip unchanged.
        """
        self._log_needs(
            request.first.shape[:2],
            settings.num_frames,
            steps=len(spaced_timesteps(settings.steps, settings.spacing)),
            branches=len(settings.scales.branches),
            decode_chunk=settings.decode_chunk if self._draft is None else 0,
        )
        clip = self._load(progress)(request, settings, seed=seed, progress=progress)
        if keep_keyframes:
            clip[0] = request.first
            if request.mode == INTERPOLATE:
                clip[-1] = request.last
        return clip

    def _check(self) -> CheckedModels:
        return check_files(self.files, self.dtype, interpolates=self._interpolates)

    def _load(self, progress: Progress) -> ClipPipeline:
        pipeline = super()._load(progress)
        pipeline.draft = self._draft
        return pipeline


def check_named_model(spec: DynamiCrafterSpec) -> None:
    """As `ClipModel.check`, before any file is looked at; nothing if the spec names no model."""
    variant = VARIANTS.get(spec.models.variant)
    if variant is not None:
        check_request(
            variant,
            size=_size(variant, spec.result),
            num_frames=spec.result.frames,
            rate=spec.sampling.rate or variant.rate,
            mode=spec.mode,
            choose=CHOOSE_MODEL,
        )


def _size(variant: Variant, wanted: ClipVideo) -> tuple[int, int]:
    height, width = variant.size
    return wanted.height or height, wanted.width or width


def _chosen_word(choice: ClipModelChoice, *, interpolates: bool) -> str:
    """The model that the user names, in a word or by a configuration file; or "auto".

    The models 512 and 512_interp have one configuration. See `find_variant` for what tells one
    from the other.

    Raises:
        UserError: both name a model, but not the same.
    """
    possible = _words_of_config(choice.config)
    if not possible or choice.variant in possible:
        return choice.variant
    if choice.variant != AUTO:
        raise UserError(
            f"--model is {choice.variant}, but --config {choice.config} is of the model "
            f"{' or '.join(possible)}: give one of them."
        )
    if choice.checkpoint is None:
        return needed_word(possible, interpolates=interpolates)
    name = str(choice.checkpoint.absolute())
    return word_of_name(name, possible) or guess_word(
        possible, name=name, interpolates=interpolates, choose=CHOOSE_MODEL
    )


def _words_of_config(path: Path | None) -> list[str]:
    """The models of a configuration file; none, with a word in the log, if it says nothing."""
    if path is None:
        return []
    if not path.is_file():
        logging.warning("There is no file %s: --config is ignored.", path)
        return []
    params = read_model_config(path)
    told = (params.get("parameterization", EPS), params.get("base_scale"))
    words = [
        word
        for word, variant in VARIANTS.items()
        if "unet_config" in params and told == (variant.prediction, variant.base_scale)
    ]
    if not words:
        logging.warning("%s does not say which model it is for: --config is ignored.", path)
    return words
