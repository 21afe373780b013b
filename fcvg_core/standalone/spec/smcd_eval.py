"""The job of evaluating SMCD: a data set in, videos with figures out.

The defaults are those of Mingxiao-Li/Animate-Your-Motion inference_eval.py and its
configs/object_tracking_eval.yaml.
"""

from dataclasses import dataclass, field
from pathlib import Path

from ... import bounds
from ...choices import BOX_SETS, PADDED
from .jobs import RunSpec
from .part import setting
from .parts import AnyMachine
from .smcd import SmcdModelChoice, SmcdSampling, SmcdSpec, SmcdVideo
from .values import PATH, TEXT, choice, whole

SPLITS = dict(zip(BOX_SETS, ("val", "train"), strict=True))  # which are painted officially
COUNTS = dict(zip(BOX_SETS, (None, 180), strict=True))  # how many of their videos; None: all


@dataclass(frozen=True, kw_only=True)
class SmcdEvalSampling(SmcdSampling):
    """How videos are sampled.

    Attributes:
        pad_to: as there; None: 8 for YouTube-VIS, otherwise 0, as the official program does.
        seed: as there, of the windows and of the first video's noise; each further video has the
            next seed.
    """

    pad_to: int | None = setting(whole(bounds.OBJECTS), None)


@dataclass(frozen=True, kw_only=True)
class SmcdEvalSpec(RunSpec):
    """A data set in, a video for each of its videos out.

    Attributes:
        path: folder that holds the data sets' folders; None: what `config` says.
        dataset: got10k or youvis.
        split: folder of the data set; None: val of GOT-10k, or what `config` says; train of
            YouTube-VIS.
        count: number of videos, from the first one on; None: all of GOT-10k, 180 of YouTube-VIS.
        clip_vision: file of CLIP ViT-H, by which frames and prompts are compared.
    """

    path: Path | None = setting(PATH, None)
    dataset: str = setting(choice(*BOX_SETS), BOX_SETS[0])
    split: str | None = setting(TEXT, None)
    count: int | None = setting(whole(bounds.VIDEOS), None)
    clip_vision: Path | None = setting(PATH, None)
    result: SmcdVideo = field(default_factory=SmcdVideo)
    models: SmcdModelChoice = field(default_factory=SmcdModelChoice)
    sampling: SmcdEvalSampling = field(default_factory=SmcdEvalSampling)
    machine: AnyMachine = field(default_factory=AnyMachine)

    @property
    def painting(self) -> SmcdSpec:
        """The job of one of its videos."""
        options = {key: value for key, value in self.options().items() if key != "path"}
        if options["pad_to"] is None:
            options["pad_to"] = PADDED[self.dataset]
        return SmcdSpec.from_options(options)
