"""A picture, a prompt and an FPS in, a video out: for Python programs and for the command line."""

import logging
from dataclasses import replace

import numpy as np
import torch

from ..catalogue.dropletvideo import find_droplet
from ..catalogue.model_files import Roots
from ..choices import TRIMMED
from ..models.dropletvideo import rules
from ..models.dropletvideo.conditioning import check_end, pad_picture
from ..progress import Progress, silent
from .frame_maker import NETWORKS, FrameMaker
from .networks.dropletvideo import (
    CheckedDroplet,
    DropletFiles,
    DropletPipeline,
    DropletRequest,
    DropletSettings,
    check_droplet,
)
from .painting_model import PaintingModel
from .spec import DropletMachine, DropletModelChoice, DropletSpec
from .work import about_models


class DropletModel(PaintingModel[DropletPipeline]):
    """DropletVideo's networks.

    Args:
        choice: their files; without any of them the model of the known folders.
        roots: known folders of models.

    Attributes:
        augmentation: standard deviation of the noise on pictures with which it was trained.

    Raises:
        ModuleNotFoundError: a package is missing.
        MissingModelsError: a part is in no file.
        UserError: a file is missing or holds something else, or the device can't compute in the
            number format.
    """

    def __init__(
        self,
        choice: DropletModelChoice,
        machine: DropletMachine,
        *,
        roots: Roots,
        device: torch.device,
    ):
        super().__init__(machine, device)
        self._roots = roots
        self.files = DropletFiles(**choice.options())
        if choice.ckpt is None and choice.transformer is None:
            self.files = replace(self.files, ckpt=find_droplet(roots))
        checked = self._check_first()
        self.augmentation = rules.AUGMENTATION if checked.settings.adds_noise else 0.0

    def _check(self) -> CheckedDroplet:
        return check_droplet(self.files, self.dtype, self._roots)

    def paint(
        self, request: DropletRequest, settings: DropletSettings, *, seed: int, progress: Progress
    ) -> np.ndarray:
        """All decoded frames of a video, uint8 [F', H, W, 3]; the first call reads the weights."""
        self._log_needs(
            request.first.shape[:2],
            settings.num_frames,
            steps=settings.steps,
            branches=1 if settings.guidance == 1 else 2,
            decode_chunk=self._networks.decode_chunk,
            denoiser="transformer",
        )
        return self._load(progress)(request, settings, seed=seed, progress=progress)


class DropletPainter(FrameMaker):
    """Animates pictures by prompts, as much as FPS says, as often as it is called.

    All that can be checked before the model is loaded is checked at once. The model is loaded when
    it is used first, and stays.

    Args:
        spec: its `first`, `last`, `output` and `result.file_fps` are about files, and its
            `sampling.target_motion` is about what sets FPS; they are not used here.
        like: painter of an earlier job, whose model is kept if it is the same.

    Attributes:
        model: the checked model.
        num_frames: that are asked for: 4k + 1.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or the model can't
            make such a video.
    """

    spec_type = DropletSpec
    named_parts = ()

    def __init__(self, spec: DropletSpec, like: FrameMaker | None = None):
        super().__init__(spec, like)
        self.num_frames = check_video(spec)
        key = (spec.models, self.device, spec.machine.loading)
        self.model = self.opened.get(NETWORKS, key, self._open_model)

    def _open_model(self) -> DropletModel:
        with about_models():
            return DropletModel(
                self.spec.models, self.spec.machine, roots=self.roots, device=self.device
            )

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape [T, H, W, 3] of the video."""
        kept = self._kept
        return kept.stop - kept.start, *self.size, 3

    @property
    def _kept(self) -> slice:
        """Which of the decoded frames the video has."""
        trims = self.spec.result.kept_frames == TRIMMED
        return rules.kept_frames(self.num_frames, trim=trims)

    def __call__(
        self,
        first: np.ndarray,
        last: np.ndarray | None = None,
        *,
        prompt: str | None = None,
        fps: int | None = None,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video of a picture, which is fitted to its size.

        Args:
            first: uint8 [h, w, 3], the picture that the video begins with.
            last: the picture that it ends with, or None: the model was trained without one.
            prompt: what the video shows; None takes the spec's.
            fps: strength of motion, see `DropletSampling`; None takes the spec's.
            seed: of the noise at the start; None takes the spec's.
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3], see `shape`.

        Raises:
            UserError: FPS, the prompt or the seed can't be one.

        Differs: a picture of another shape is cropped, and the frames beyond those that were asked
            for are left out, unless the spec says otherwise; the official code stretches the
            picture and keeps all frames.
        """
        spec = self._spec_of(prompt, fps, seed)
        check_end(self.num_frames, has_last=last is not None)
        fitted = [self.fit(picture) for picture in ([first] if last is None else [first, last])]
        video = self.model.paint(
            self._request([pad_picture(picture) for picture in fitted], spec),
            self._settings(),
            seed=spec.sampling.seed,
            progress=progress,
        )
        height, width = self.size
        video = np.ascontiguousarray(video[self._kept, :height, :width])
        if spec.result.keep_keyframes:
            video[0], video[-1] = fitted[0], fitted[1] if last is not None else video[-1]
        return video

    def _spec_of(self, prompt: str | None, fps: int | None, seed: int | None) -> DropletSpec:
        """The spec, with another prompt, FPS and seed where they are given."""
        given = {"prompt": prompt, "FPS": fps, "seed": seed}
        return self.spec.changed({key: x for key, x in given.items() if x is not None})

    def _request(self, pictures: list[np.ndarray], spec: DropletSpec) -> DropletRequest:
        """What the video shows."""
        fps, prompt = chosen_fps(spec), spec.prompt or ""
        rules.check_fps(fps)
        rules.check_prompt(prompt)
        if len(pictures) > 1:
            logging.warning(
                "DropletVideo was not trained with an end picture: the video may not reach it."
            )
        return DropletRequest(
            first=pictures[0],
            last=pictures[1] if len(pictures) > 1 else None,
            prompt=rules.whole_prompt(prompt, quality=spec.quality_words),
            negative_prompt=rules.NEGATIVE * spec.default_negative + spec.negative_prompt,
            fps=fps,
        )

    def _settings(self) -> DropletSettings:
        """How a video is sampled and decoded."""
        sampling, given = self.spec.sampling, self.spec.sampling.augmentation
        return DropletSettings(
            num_frames=self.num_frames,
            steps=sampling.steps,
            guidance=sampling.guidance,
            augmentation=self.model.augmentation if given is None else given,
            augmentation_seed=sampling.augmentation_seed,
            tiling=self.spec.machine.tiling,
        )


def check_video(spec: DropletSpec) -> int:
    """The number of frames of a video, after a look at its size and length.

    Raises:
        UserError: the model can't make such a video; what is unusual is logged.
    """
    rules.check_size(spec.result.size, pad=spec.result.pad_to_16)
    num_frames = rules.round_frames(spec.result.frames)
    check_end(num_frames, has_last=spec.last is not None)
    return num_frames


def chosen_fps(spec: DropletSpec) -> int:
    """The FPS that the model is given, if no motion is aimed at."""
    return spec.sampling.motion_fps or rules.FPS
