"""What the painters of all jobs share: checks at once, models loaded at first use and kept."""

from dataclasses import replace
from typing import ClassVar

from ..catalogue.comfyui import known_folders
from ..catalogue.find import ModelSet
from ..errors import UserError
from ..progress import Progress
from ..sampling import check_windows
from .named_files import check_named
from .networks.device import choose_device
from .networks.pipeline import VideoPipeline
from .run_models import RunModels, choose_models
from .spec import AnimateSpec, InbetweenSpec

Job = InbetweenSpec | AnimateSpec


class Painter:
    """The machine, the model files and the networks of a job.

    Attributes:
        spec_type: the type of the specs.
        named_parts: parts of the spec that name files beside the models.
        model_set: the models that are looked for if the spec does not name them.
        size: (height, width) of the frames, in pixels.
        roots: the known folders of models, which are searched once.
        device: where networks run.
        cpu_only: whether everything has to run on the CPU.
        models: None if the spec is `conditions_only`.
    """

    spec_type: ClassVar[type[Job]]
    named_parts: ClassVar[tuple[str, ...]]
    model_set: ClassVar[ModelSet]

    def __init__(self, spec: Job):
        if not isinstance(spec, self.spec_type):
            found, wanted = type(spec).__name__, self.spec_type.__name__
            raise ValueError(f"the spec is of type {found}, but {wanted} is needed")
        check_windows(spec.result.frames, spec.sampling.window, spec.sampling.overlap)
        check_named(*(getattr(spec, part) for part in self.named_parts))
        self.spec = spec
        self.size = spec.result.size
        self.roots = known_folders()
        self.device = choose_device(spec.machine.device)
        self.cpu_only = spec.machine.device == "cpu"
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

    def spec_of(self, seed: int | None) -> Job:
        """The spec, with another seed if a seed is given."""
        if seed is None:
            return self.spec
        return replace(self.spec, sampling=replace(self.spec.sampling, seed=seed))
