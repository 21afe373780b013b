"""Pictures and a prompt in, a video out: for Python programs and for the command line."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..choices import ANIMATE, INTERPOLATE, LOOP, WHOLE
from ..errors import UserError
from ..progress import Progress, silent
from ..sampling import join_clips, spread_frames, trim_loop
from ..timeline import inbetween_times, warn_of_direction
from .clip_model import ClipModel
from .frame_maker import NETWORKS, FrameMaker
from .networks.dynamicrafter import ClipRequest
from .networks.vae import collect_video
from .spec import DynamiCrafterSpec
from .spec.dynamicrafter import EVENLY
from .work import about_models


class DynamiCrafterPainter(FrameMaker):
    """Animates pictures by prompts, or goes from picture to picture, as often as it is called.

    All that can be checked before the model is loaded is checked at once. The model is loaded when
    it is used first, and stays.

    Args:
        spec: its `images`, `prompt_dir`, `text_input`, `output`, `result.fps` and
            `result.n_samples` are about files and are not used here; but if there are several
            `images`, the job goes from picture to picture, as with `result.interp`.
        like: painter of an earlier job, whose model is kept if it is the same.

    Attributes:
        model: the checked model.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or settings do
            not go together.
    """

    spec_type = DynamiCrafterSpec
    named_parts = ()

    def __init__(self, spec: DynamiCrafterSpec, like: FrameMaker | None = None):
        super().__init__(spec, like)
        key = (spec.models, spec.mode != ANIMATE, self.device, spec.machine.loading)
        self.model = self.opened.get(NETWORKS, key, self._open_model)
        self.size = self.model.size(spec.result)
        self._settings = self.model.settings(
            spec.sampling, spec.machine, num_frames=spec.result.frames
        )
        self.model.check(self.size, self._settings, spec.mode)
        warn_of_direction(spec.result.timing)

    def _open_model(self) -> ClipModel:
        with about_models():
            return ClipModel(
                self.spec.models,
                self.spec.machine,
                interpolates=self.spec.mode != ANIMATE,
                roots=self.roots,
                device=self.device,
            )

    def __call__(
        self,
        *pictures: np.ndarray,
        prompt: str | Sequence[str] | None = None,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video of a picture, or through several pictures, which are fitted to its size.

        Args:
            pictures: uint8 [h, w, 3]: one to animate or to loop; two or more to go through.
            prompt: what happens: one text, or one for each pair of pictures; None takes the
                spec's.
            seed: seed of the noise of every clip; None takes the spec's seed.
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3]. Each pair of pictures makes a clip; a frame that two clips share
            comes once.

        Raises:
            UserError: there are too few or too many pictures or prompts, or a prompt or the seed
                can't be one.

        Differs: a picture that is narrower than the video is cropped, unless the spec says
            otherwise; the official code adds black borders. All clips have the same seed.
        """
        spec = self._spec_of(prompt, seed)
        check_count(spec, len(pictures))
        requests = self._requests(pictures, spec.prompt)
        clips = self._paint(requests, spec.sampling.seed, progress)
        if len(requests) == 1:
            return self._spread(next(clips))  # the clip itself, so that it is held once
        frames = itertools.chain.from_iterable(clips)
        return self._spread(collect_video(frames, self.shape(len(pictures))[0]))

    def shape(self, pictures: int) -> tuple[int, int, int, int]:
        """Shape [T, H, W, 3] of the video of so many pictures."""
        kept = self._kept(max(pictures - 1, 1))
        return sum(part.stop - part.start for part in kept), *self.size, 3

    def _spec_of(self, prompt: str | Sequence[str] | None, seed: int | None) -> DynamiCrafterSpec:
        """The spec, with another prompt and another seed if they are given."""
        sampling = self.spec.sampling
        return replace(
            self.spec,
            prompt=self.spec.prompt if prompt is None else prompt,
            sampling=sampling if seed is None else replace(sampling, seed=seed),
        )

    def _kept(self, clips: int) -> list[slice]:
        """Which frames of each clip the video has."""
        frames = self.spec.result.frames
        if self.spec.mode == LOOP:
            return [trim_loop(frames)]
        return join_clips([frames] * clips, [i > 0 for i in range(clips)])

    def _paint(
        self, requests: Sequence[ClipRequest], seed: int, progress: Progress
    ) -> Iterator[np.ndarray]:
        """The frames uint8 [t, H, W, 3] of each clip that the video has."""
        for i, (request, kept) in enumerate(zip(requests, self._kept(len(requests)), strict=True)):
            clip = self.model.paint(
                request,
                self._settings,
                seed=seed,
                keep_keyframes=self.spec.result.keep_keyframes,
                progress=share_progress(progress, i, len(requests)),
            )
            yield clip[kept]

    def _requests(
        self, pictures: Sequence[np.ndarray], prompt: Sequence[str] | None
    ) -> list[ClipRequest]:
        """What each clip shows."""
        frames = [self.fit(picture) for picture in pictures]
        ends = list(itertools.pairwise(frames)) or [(frames[0], None)]
        prompts = spread_prompts(prompt, len(ends))
        whole = self.spec.result.clip_picture == WHOLE
        return [
            ClipRequest(
                first=first,
                last=last,
                prompt=text,
                negative_prompt=self.spec.negative_prompt,
                clip_picture=pictures[i] if whole else None,
                mode=self.spec.mode,
            )
            for i, ((first, last), text) in enumerate(zip(ends, prompts, strict=True))
        ]

    def _spread(self, video: np.ndarray) -> np.ndarray:
        """The frames that the timing asks for, as many as there are."""
        if self.spec.result.timing == EVENLY:
            return video
        times = inbetween_times(len(video), self.spec.result.timing)
        return video[spread_frames(len(video), times)]


def check_count(spec: DynamiCrafterSpec, pictures: int) -> None:
    """Raise UserError unless a job can take so many pictures."""
    if spec.mode == INTERPOLATE and pictures < 2:
        raise UserError(
            f"Two or more pictures are needed to go from picture to picture (interp), got "
            f"{pictures}."
        )
    if spec.mode != INTERPOLATE and pictures != 1:
        remedy = "leave --loop out" if spec.mode == LOOP else "set interp"
        raise UserError(
            f"One picture is needed, got {pictures}. To go from picture to picture, {remedy}."
        )


def spread_prompts(prompt: str | Sequence[str] | None, clips: int) -> list[str]:
    """A prompt for each clip.

    Args:
        prompt: a text for all clips, or as many texts as clips; None is an empty text.

    Raises:
        UserError: there is another number of texts.
    """
    prompts = [prompt] if isinstance(prompt, str) else [*(prompt or [""])]
    if len(prompts) not in (1, clips):
        raise UserError(
            f"There are {len(prompts)} prompts for {clips} clips: give one prompt, or one for each "
            "pair of pictures."
        )
    return prompts * clips if len(prompts) == 1 else prompts


def share_progress(progress: Progress, part: int, parts: int) -> Progress:
    """Progress of one of several parts of equal length."""

    def tell(stage: str, done: int, total: int) -> None:
        if stage == "loading":  # the first part alone loads anything
            progress(stage, done, total)
        else:
            progress(stage, part * total + done, parts * total)

    return tell
