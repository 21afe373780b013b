"""What the painters of all jobs share: checks at once, models loaded at first use and kept."""

from dataclasses import replace
from typing import ClassVar

from ..catalogue.find import ModelSet
from ..errors import UserError
from ..progress import Progress
from ..sampling import check_windows
from .frame_maker import FrameMaker
from .networks.pipeline import VideoPipeline
from .run_models import RunModels, choose_models
from .spec import SteeredSpec


class Painter(FrameMaker):
    """The model files and the networks of a job.

    Attributes:
        model_set: the models that are looked for if the spec does not name them.
        models: None if the spec is `conditions_only`.
    """

    model_set: ClassVar[ModelSet]

    def __init__(self, spec: SteeredSpec):
        super().__init__(spec)
        check_windows(spec.result.frames, spec.sampling.window, spec.sampling.overlap)
        self.models: RunModels | None = None
        if not spec.conditions_only:
            self.models = choose_models(
                spec.models,
                spec.machine,
                model_set=self.model_set,
                roots=self.roots,
                device=self.device,
            )
        self._pipeline: VideoPipeline | None = None

    def load(self, kind: type[VideoPipeline], progress: Progress) -> VideoPipeline:
        """The pipeline of the job, whose weights are read at the first call."""
        if self.models is None:
            raise UserError("With conditions_only nothing is painted: leave conditions_only out.")
        if self._pipeline is None:
            self._pipeline = self.models.load(kind, progress)
        return self._pipeline

    def spec_of(self, seed: int | None) -> SteeredSpec:
        """The spec, with another seed if a seed is given."""
        if seed is None:
            return self.spec
        return replace(self.spec, sampling=replace(self.spec.sampling, seed=seed))
