"""A picture, boxes and a prompt in, a video out: for Python programs and for the command line."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..boxes import BoxTracks, check_count, fit_boxes, resample_boxes
from ..catalogue.model_files import Roots
from ..catalogue.smcd import find_smcd
from ..choices import STRETCH, UNIFORM
from ..errors import UserError
from ..models.smcd import rules
from ..progress import Progress, silent
from ..sampling import spaced_timesteps
from ..timeline import warn_of_direction
from .frame_maker import NETWORKS, FrameMaker
from .media.official_config import read_config
from .networks.smcd import (
    CheckedSmcd,
    SmcdFiles,
    SmcdPipeline,
    SmcdRequest,
    SmcdSettings,
    check_smcd,
)
from .painting_model import PaintingModel
from .spec import AnyMachine, SmcdModelChoice, SmcdSpec
from .work import about_models

SEED = 33  # of the official configuration


class SmcdModel(PaintingModel[SmcdPipeline]):
    """SMCD's networks.

    Args:
        choice: their files; without any of them the model of the known folders.
        roots: known folders of models.

    Raises:
        ModuleNotFoundError: a package is missing.
        MissingModelsError: a part is in no file.
        UserError: a file is missing or holds something else, or the device can't compute in the
            number format.
    """

    def __init__(
        self,
        choice: SmcdModelChoice,
        machine: AnyMachine,
        *,
        roots: Roots,
        device: torch.device,
    ):
        super().__init__(machine, device)
        self._roots = roots
        self.files = SmcdFiles(
            ckpt=choice.ckpt or find_smcd(roots),
            position_net=choice.position_net,
            visual_encoder=choice.visual_encoder,
            text_encoder=choice.text_encoder,
            vae=choice.vae,
            modelscope=choice.root_path,
            tokenizer=choice.tokenizer,
        )
        self._check_first()

    def _check(self) -> CheckedSmcd:
        return check_smcd(self.files, self.dtype, self._roots)

    def paint(
        self, request: SmcdRequest, settings: SmcdSettings, *, seed: int, progress: Progress
    ) -> np.ndarray:
        """The frames of a video, uint8 [T, H, W, 3]; the first call reads the weights."""
        self._log_needs(
            request.first.shape[:2],
            settings.num_frames,
            steps=len(spaced_timesteps(settings.steps, UNIFORM)),
            branches=len(settings.scales.branches),
            decode_chunk=settings.decode_chunk,
        )
        return self._load(progress)(request, settings, seed=seed, progress=progress)


class SmcdPainter(FrameMaker):
    """Animates pictures by boxes and prompts, as often as it is called.

    All that can be checked before the model is loaded is checked at once. The model is loaded when
    it is used first, and stays.

    Args:
        spec: its `first`, `input_data_path`, `boxes`, `label`, `official_files`, `output` and
            `result.fps`, and most of `reading`, are about files and are not used here.
        like: painter of an earlier job, whose model is kept if it is the same.

    Attributes:
        model: the checked model.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or the model can't
            make such a video.
    """

    spec_type = SmcdSpec
    named_parts = ()

    def __init__(self, spec: SmcdSpec, like: FrameMaker | None = None):
        super().__init__(spec, like)
        rules.check_video(spec.result.size, spec.result.frames)
        warn_of_direction(spec.reading.timing)
        self._choice, self.seed = settle_config(spec)
        key = (self._choice, self.device, spec.machine.loading)
        self.model = self.opened.get(NETWORKS, key, self._open_model)

    def _open_model(self) -> SmcdModel:
        with about_models():
            return SmcdModel(self._choice, self.spec.machine, roots=self.roots, device=self.device)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape [T, H, W, 3] of the video."""
        return self.spec.result.frames, *self.size, 3

    def place(self, tracks: BoxTracks | None, picture: tuple[int, int]) -> BoxTracks:
        """The boxes as they lie in the video.

        Args:
            tracks: as shares of the picture; for another number of frames than the video has they
                are spread or held, as the spec says. None: there are no boxes.
            picture: its (height, width) in pixels.

        Raises:
            UserError: there are too many objects.
        """
        result, reading = self.spec.result, self.spec.reading
        if tracks is None or not tracks.tracks:
            return BoxTracks((), result.frames)
        check_count(tracks, rules.MOST_OBJECTS, name="SMCD")
        if tracks.num_frames != result.frames:
            tracks = resample_boxes(tracks, result.frames, timing=reading.timing, fill=reading.fill)
        if result.fit == STRETCH:
            return tracks
        return fit_boxes(tracks, picture, self.size, result.fit, result.anchor)

    def __call__(
        self,
        first: np.ndarray,
        tracks: BoxTracks | None = None,
        *,
        prompt: str | None = None,
        seed: int | None = None,
        embeddings: Mapping[str, np.ndarray] | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video of a picture, which is fitted to its size.

        Args:
            first: uint8 [h, w, 3], the picture that the video begins with.
            tracks: where its objects are, see `place`.
            prompt: what happens; None takes the spec's.
            seed: of the noise at the start; None takes the spec's.
            embeddings: of each label, [D] float32; None: the text encoder makes them.
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3].

        Raises:
            UserError: there are too many objects, the prompt or the seed can't be one, or an
                embedding is not as wide as those of the text encoder.

        Differs: pictures are resized without the aliasing of the official code's bilinear
            interpolation.
        """
        given = {"prompt": prompt, "seed": seed}
        spec = self.spec.changed({key: x for key, x in given.items() if x is not None})
        fitted = self.fit(first)
        request = SmcdRequest(
            first=fitted,
            tracks=self.place(tracks, first.shape[:2]),
            prompt=spec.prompt or "",
            negative_prompt=spec.negative_prompt,
            embeddings=embeddings,
        )
        seed = self.seed if spec.sampling.seed is None else spec.sampling.seed
        video = self.model.paint(request, self._settings(), seed=seed, progress=progress)
        if spec.result.keep_keyframes:
            video[0] = fitted
        return video

    def _settings(self) -> SmcdSettings:
        """How a video is sampled."""
        sampling = self.spec.sampling
        return SmcdSettings(
            num_frames=self.spec.result.frames,
            steps=sampling.steps,
            guidance=sampling.guidance,
            scene_guidance=sampling.scene_guidance,
            pad_to=sampling.pad_to,
        )


def settle_config(spec: SmcdSpec) -> tuple[SmcdModelChoice, int]:
    """The model and the seed, of which a configuration file of the official code may tell some.

    A configuration that is not there is only said in the log, and so is a folder that it names: the
    official ones name folders of their authors.

    Raises:
        UserError: the file can't be read, or there is no folder `root_path`.
    """
    choice, seed = spec.models, spec.sampling.seed
    if choice.root_path and not choice.root_path.is_dir():
        raise UserError(
            f"There is no folder {choice.root_path}: correct --root-path, or leave it out."
        )
    told = {} if choice.config is None else _read(choice.config)
    root = told.get("root_path")
    if choice.root_path is None and isinstance(root, str) and root:
        if Path(root).is_dir():
            choice = replace(choice, root_path=Path(root))
        else:
            logging.warning("%s: there is no folder %s: it is ignored.", choice.config, root)
    if seed is None and told.get("seed") is not None:
        try:
            seed = replace(spec.sampling, seed=told["seed"]).seed
        except UserError as error:
            raise UserError(f"{choice.config}: {error}") from error
    return replace(choice, config=None), SEED if seed is None else seed


def _read(path: Path) -> dict:
    """The values of a configuration; none, with a word in the log, if there is no such file."""
    if not path.is_file():
        logging.warning("There is no file %s: --config is ignored.", path)
        return {}
    return read_config(path)
