"""What the painters of all jobs share: checks at once, models loaded at first use and kept."""

from dataclasses import replace
from typing import ClassVar

from ..catalogue.find import ModelSet
from ..errors import UserError
from ..estimate import PASSES, Networks, Passes, Video, span_lengths
from ..progress import Progress
from ..sampling import (
    check_cache_interval,
    check_guidance_interval,
    check_windows,
    warn_of_one_step,
)
from ..settings import SamplingSettings
from .frame_maker import NETWORKS, FrameMaker
from .networks.levels import guidance_of, passes_of, warn_if_unguided
from .networks.pipeline import VideoPipeline
from .outlook import Run, log_needs
from .run_models import RunModels, choose_models
from .spec import SteeredSpec
from .work import about_models


class Painter(FrameMaker):
    """The model files and the networks of a job.

    Args:
        like: see `FrameMaker`.
        paints: whether the models are looked for; without them all but painting can be done.

    Attributes:
        model_set: the models that are looked for if the spec does not name them.
        networks: what the networks of the job need, at the sizes of published models.
        models: None if the spec is `conditions_only`, or if nothing is painted.
    """

    model_set: ModelSet
    networks: ClassVar[Networks]

    def __init__(self, spec: SteeredSpec, like: FrameMaker | None = None, *, paints: bool = True):
        super().__init__(spec, like)
        self.check_settings()
        self.models: RunModels | None = None
        if paints and not spec.conditions_only:
            key = (self.model_set, spec.models, self.device, spec.machine.loading)
            self.models = self.opened.get(NETWORKS, key, self._choose_models)
        self._is_told = False

    def _choose_models(self) -> RunModels:
        with about_models():
            return choose_models(
                self.spec.models,
                self.spec.machine,
                model_set=self.model_set,
                roots=self.roots,
                device=self.device,
            )

    @property
    def at(self) -> tuple[int, ...]:
        """Frames of the keyframes, from the first frame of the video to the last; none: one."""
        return ()

    def check_settings(self) -> None:
        """Raise UserError if settings do not go together; odd settings are logged."""
        sampling = self.spec.sampling
        for frames in span_lengths(self.spec.result.frames, self.at):
            check_windows(frames, sampling.window, sampling.overlap)
        check_guidance_interval(sampling.guidance_from, sampling.guidance_until)
        check_cache_interval(sampling.cache_interval, sampling.steps)
        warn_of_one_step(sampling.schedule, sampling.steps)

    def load(
        self, kind: type[VideoPipeline], settings: SamplingSettings, progress: Progress
    ) -> VideoPipeline:
        """The pipeline of the job, whose weights are read unless a maker like this has done so.

        Args:
            settings: of the video; before weights are read the log says what it needs.
        """
        if self.models is None:
            raise UserError("With conditions_only nothing is painted: leave conditions_only out.")
        if not self._is_told:
            self._is_told = True
            if not self.models.is_loaded:
                self._log_needs(settings)
            warn_if_unguided(settings)
        try:
            with about_models():
                return self.models.load(kind, progress)
        except BaseException:
            self.opened.forget(NETWORKS)  # they may be half read
            raise

    def _log_needs(self, settings: SamplingSettings) -> None:
        """Log the memory that a video needs, and what is free."""
        machine, directions = self.spec.machine, self.networks.directions
        halves = PASSES if guidance_of(settings).needs_uncond else 1
        run = Run(
            video=Video(
                self.size,
                settings.num_frames,
                settings.window,
                settings.overlap,
                self.at,
            ),
            networks=self.models.networks(self.networks),
            dtype=self.models.dtype,
            passes=self.count_passes(settings),
            at_once=halves,
            can_split=False,
            kept=directions * halves if settings.cache_interval > 1 else 0,
            offload=machine.offload,
            decode_chunk=0 if machine.draft else machine.decode_chunk,
            window_option="--window",
        )
        log_needs(run, self.device)

    def count_passes(self, settings: SamplingSettings) -> Passes:
        """Passes of the UNet through one window of a video."""
        return passes_of(settings, directions=self.networks.directions)

    def spec_of(self, seed: int | None) -> SteeredSpec:
        """The spec, with another seed if a seed is given."""
        if seed is None:
            return self.spec
        return replace(self.spec, sampling=replace(self.spec.sampling, seed=seed))
