"""The jobs, each as one value, and its form in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...choices import MPD
from ...errors import UserError
from ...quoting import in_short, quote
from ...settings import SamplingSettings
from .part import Part, setting, to_plain
from .parts import (
    AnimateVideo,
    AnyMachine,
    Driving,
    InbetweenPoseChoice,
    InbetweenVideo,
    Machine,
    MatcherChoice,
    ModelChoice,
    Motion,
    PoseChoice,
    PreviewVideo,
)
from .sampling import AnimateSampling, InbetweenSampling
from .values import KEYFRAMES, PATH, SWITCH, several

VERSION = 1  # of the JSON form
SHOWN = 5  # names in a list
FPS_OF_ANIMATION = 7  # the hint that the official code always gives to ControlNeXt-SVD's model

# What the sampler mpd does not use: nothing steers it, and it has no guidance scale.
FILES_UNUSED_BY_MPD = ("controlnext", "gluestick", "superpoint", "dwpose_det", "dwpose_pose")
UNUSED_BY_MPD = (
    "conditions_only",
    "controlnext",
    *MatcherChoice.settings_by_key(),
    *InbetweenPoseChoice.settings_by_key(),
    *Motion.settings_by_key(),
    "control_weight",
    "min_guidance",
    "max_guidance",
    "guidance_from",
    "guidance_until",
    "noise_injection_steps",
    "noise_injection_ratio",
    "from_preview",
    "forward_share",
)

R = TypeVar("R", bound="RunSpec")


@dataclass(frozen=True, kw_only=True)
class RunSpec(Part):
    """What the specs of all jobs have, whatever family of networks paints.

    Attributes:
        output: folder to make; if it exists and holds anything, OUT_0001 ... is made.
        machine: where networks run.
    """

    output: Path = setting(PATH, Path("results"))
    machine: AnyMachine = field(default_factory=Machine)

    def unused(self) -> tuple[str, ...]:
        """Options whose files and folders the run does not read."""
        return ("output",)

    def to_json(self) -> dict[str, Any]:
        """A flat table for JSON: its keys are the names of the command line's options."""
        settings = self.settings_by_key()
        plain = {
            key: to_plain(value)
            for key, value in self.options().items()
            if not settings[key].metadata["later"] or value != settings[key].default
        }
        return {"version": VERSION, **plain}

    @classmethod
    def from_json(cls: type[R], table: Mapping[str, Any]) -> R:
        """The job of a table that `to_json` gave, or of a part of such a table.

        Raises:
            UserError: a newer version of the program wrote the table, it has a key that no option
                has, or an option has a value that it can't hold.
        """
        if not isinstance(table, Mapping):
            raise UserError(f"expected a table of options, got {quote(table)}")
        check_version_of(table)
        unknown = sorted(map(str, table.keys() - cls.settings_by_key().keys() - {"version"}))
        if unknown:
            names = in_short([*map(quote, unknown)], most=SHOWN, between=", ")
            raise UserError(f"There is no option {names}: correct the name, or leave it out.")
        return cls.from_options(table)


@dataclass(frozen=True, kw_only=True)
class SteeredSpec(RunSpec):
    """What the specs of the jobs have whose video is SVD's, steered by ControlNeXt.

    Attributes:
        conditions_only: draw the control frames and stop.
        models: which models paint.
    """

    conditions_only: bool = setting(SWITCH, False)
    models: ModelChoice = field(default_factory=ModelChoice)

    def unused(self) -> tuple[str, ...]:
        """Options whose files and folders the run does not read."""
        models = self.models.options() if self.conditions_only else ()
        return (*super().unused(), *models)


@dataclass(frozen=True, kw_only=True)
class PreviewSpec(RunSpec):
    """Keyframes in, a preview of the motion between them out.

    Attributes:
        first: picture that the video begins with; None if a program gives it as an array.
        last: picture that the video ends with; None if a program gives it as an array.
        between: pictures of the keyframes between the first and the last, in their order.
        at: frames of all keyframes, rising from 0 to the last frame of the video; None spreads
            the keyframes evenly. A program that gives more than two arrays sets it.
    """

    first: Path | None = setting(PATH, None)
    last: Path | None = setting(PATH, None)
    between: tuple[Path, ...] = setting(several(PATH), (), later=True)
    at: tuple[int, ...] | None = setting(KEYFRAMES, None, later=True)
    result: PreviewVideo = field(default_factory=PreviewVideo)
    matcher: MatcherChoice = field(default_factory=MatcherChoice)
    poses: InbetweenPoseChoice = field(default_factory=InbetweenPoseChoice)
    motion: Motion = field(default_factory=Motion)


@dataclass(frozen=True, kw_only=True)
class InbetweenSpec(PreviewSpec, SteeredSpec):
    """Keyframes in, the video between them out: a preview's settings, and how to paint."""

    result: InbetweenVideo = field(default_factory=InbetweenVideo)
    sampling: InbetweenSampling = field(default_factory=InbetweenSampling)

    @property
    def plain(self) -> bool:
        """Whether SVD alone paints, without control frames."""
        return self.sampling.sampler == MPD

    def unused(self) -> tuple[str, ...]:
        """Options whose files and folders the run does not read."""
        return (*super().unused(), *(FILES_UNUSED_BY_MPD if self.plain else ()))

    def ignored(self) -> list[str]:
        """Options that differ from their defaults, but that the sampler would ignore.

        A file of a model may be named and not be used.
        """
        if not self.plain:
            return []
        defaults = {key: each.default for key, each in self.settings_by_key().items()}
        return [
            key
            for key, value in self.options().items()
            if key in UNUSED_BY_MPD and key not in FILES_UNUSED_BY_MPD and value != defaults[key]
        ]

    def sampling_settings(self) -> SamplingSettings:
        """How the video is sampled."""
        return self.sampling.settings(num_frames=self.result.frames, fps=self.result.fps)


@dataclass(frozen=True, kw_only=True)
class AnimateSpec(SteeredSpec):
    """A picture and a driving video in, the picture's person in the video's poses out.

    Attributes:
        image: picture of a person; None if a program gives it as an array.
        video: the driving video; None if a program gives its frames, or if there are
            `control_frames`.
        control_frames: folder or video of control frames that are drawn already, instead of
            `video`.
    """

    image: Path | None = setting(PATH, None)
    video: Path | None = setting(PATH, None)
    control_frames: Path | None = setting(PATH, None)
    result: AnimateVideo = field(default_factory=AnimateVideo)
    driving: Driving = field(default_factory=Driving)
    poses: PoseChoice = field(default_factory=PoseChoice)
    sampling: AnimateSampling = field(default_factory=AnimateSampling)

    def sampling_settings(self, num_frames: int) -> SamplingSettings:
        """How an animation of so many frames is sampled."""
        return self.sampling.settings(num_frames=num_frames, fps=FPS_OF_ANIMATION)


def check_version_of(table: Mapping[str, Any]) -> None:
    """Raise UserError unless this program knows the form of a table of options.

    Released versions up to 0.3.0 wrote no version; their form is the first one.
    """
    version = table.get("version", VERSION)
    if type(version) is not int or not 1 <= version <= VERSION:
        raise UserError(
            f"These options have version {quote(version)} of their form, but this program knows "
            f"version {VERSION}: update ComfyUI-FCVG (git pull, or pip install --upgrade)."
        )
