"""`inbetween`: keyframes in, the video between them out."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....catalogue.model_files import MissingModelsError
from ....choices import EULER, MPD
from ....files.claim import Claim, claim_folder
from ....progress import Progress, silent
from ...spec import InbetweenSampling, InbetweenSpec, InbetweenVideo
from ...spec.jobs import UNUSED_BY_MPD
from ...work import UnusableModels, setup_of, unusable_if_missing
from ..keyframe_files import reserve_room, spec_of, write_result
from ..keyframe_work import Drawn, KeyframeWork
from ..motion_options import KEYFRAME_RULES, add_motion
from ..option_groups import (
    add_keyframes,
    add_machine,
    add_models,
    add_run,
    add_video,
    options_of,
)
from ..sampling_options import PRESET, add_draft, add_motion_bucket, add_sampling
from .preview import preview_command

if TYPE_CHECKING:
    from ...inbetween import InbetweenPainter

HELP = "paint the frames between two frames"
DESCRIPTION = (
    "Paint the frames between two frames or more, the keyframes. Writes result.mp4, frames/, "
    "condition/ (the control frames) and run.json to a new folder."
)
EXAMPLES = (
    "inbetween first.png last.png -o result",
    "inbetween first.png last.png -o look --conditions-only --timing ease-in-out",
    "inbetween first.png last.png -o small --width 512 --height 320 --offload",
    "inbetween --run result/run.json --seed 7",
    "inbetween first.png last.png -o close --from-preview 0.7",
    "inbetween first.png last.png -o quick --fast",
    "inbetween first.png second.png third.png --at 0,24,60 -o long",
)
SPEC = InbetweenSpec
RULES = replace(
    KEYFRAME_RULES,
    pairs=(*KEYFRAME_RULES.pairs, ("from_preview", "conditions_only")),
    presets={"fast": PRESET},
    # The UNet of an earlier run was FCVG's, or SVD's own.
    unused={("sampler", MPD): (*UNUSED_BY_MPD, "unet"), ("sampler", EULER): ("unet",)},
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    files = parser.add_argument_group("files")
    add_keyframes(files)
    add_run(files)
    add_models(files, models="FCVG")
    _add_video(parser.add_argument_group("video"))
    control = parser.add_argument_group("control frames")
    add_motion(control)
    options_of(InbetweenSampling, control)(
        "--control-weight",
        "--control_weight",
        metavar="X",
        help="how strongly the control frames steer (%(default)s)",
    )
    sampling = parser.add_argument_group("sampling")
    add_sampling(InbetweenSampling, sampling)
    _add_injection(sampling)
    _add_start(sampling)
    _add_experiments(sampling)
    machine = parser.add_argument_group("machine")
    add_machine(machine)
    add_draft(machine)


def _add_video(group: argparse._ArgumentGroup) -> None:
    add_video(group, fps="frame rate of the video; the model gets the same number as a hint")
    add_motion_bucket(InbetweenSampling, group)
    add = options_of(InbetweenVideo, group)
    add("--keep-keyframes", help="put all keyframes into the video unchanged")
    add(
        "--match-colors",
        help="bring the colours of each frame to an even ramp between the keyframes (mean and "
        "contrast of red, green and blue, in linear light), so that colours neither jump at the "
        "keyframes nor flicker",
    )


def _add_injection(group: argparse._ArgumentGroup) -> None:
    add = options_of(InbetweenSampling, group)
    add(
        "--noise-injection-steps",
        metavar="N",
        help="extra repetitions of each leading step, each after adding noise again; 0 switches "
        "them off (%(default)s)",
    )
    add(
        "--noise-injection-ratio",
        metavar="X",
        help="share of the steps, from the first step on, that are repeated; 0 repeats none "
        "(%(default)s)",
    )


def _add_start(group: argparse._ArgumentGroup) -> None:
    options_of(InbetweenSampling, group)(
        "--from-preview",
        metavar="DENOISE",
        help="start from the preview of the motion instead of noise alone. DENOISE is the share of "
        "the noise levels that the steps pass: 0 keeps the preview, 1 is the same as without this "
        "option",
    )


def _add_experiments(group: argparse._ArgumentGroup) -> None:
    add = options_of(InbetweenSampling, group)
    add(
        "--forward-share",
        metavar="X",
        help="an experiment after MPD: this share of the steps, from the first step on, predicts "
        "the forward direction alone, which halves the passes of a step; MPD has 0.2 "
        "(%(default)s)",
    )
    add(
        "--sampler",
        help="euler, or mpd, an experiment that needs SVD alone: no FCVG, no control frames, no "
        "guidance scale; 25 steps take 130 passes of the UNet, where euler takes 100. It runs "
        "SVD's own UNet, or the UNet that --unet names (%(default)s)",
    )


class InbetweenWork(KeyframeWork[InbetweenSpec]):
    """Paints the frames between keyframes, or draws their control frames alone."""

    command = "inbetween"

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        spec = self.spec
        if spec.conditions_only:
            return setup_of(self.command, self.conditions())
        models = spec.models.options(), spec.machine.loading
        return setup_of(self.command, None if spec.plain else self.conditions(), spec.plain, models)

    def open(self, like: Any = None) -> InbetweenPainter:
        """As `Work.open`."""
        from ...inbetween import InbetweenPainter

        with unusable_if_missing():
            return InbetweenPainter(self.spec, like)

    def open_preparer(self, like: Any = None) -> InbetweenPainter:
        """As `Work.open_preparer`."""
        from ...inbetween import InbetweenPainter

        return InbetweenPainter(self.spec_on_cpu, like, paints=False)

    def prepare(self, preparer: InbetweenPainter, progress: Progress = silent) -> Drawn:
        """The keyframes, control frames, and the preview if the video starts from it."""
        drawn = self._draw_control(preparer, progress)
        return drawn if self.spec.conditions_only else _draw_start(preparer, drawn, progress)

    def finish(
        self,
        maker: InbetweenPainter,
        prepared: Drawn | None,
        claim: Claim,
        progress: Progress = silent,
    ) -> None:
        """Write control frames, run.json, and, unless the spec says otherwise, frames and video."""
        from ...media.writing import write_frames
        from ..run_record import save_run

        if maker.models:
            reserve_room(claim, self.spec)
        drawn = prepared or self._draw_control(maker, progress)
        if drawn.control is not None:
            write_frames(claim.path / "condition", drawn.control)
        save_run(claim.path, self.command, self.spec, maker.models)
        if not maker.models:
            return
        if prepared is None:
            drawn = _draw_start(maker, drawn, progress)
        frames = maker.paint(drawn.keyframes, drawn.control, start=drawn.frames, progress=progress)
        write_result(claim, frames, self.spec.result.fps, video="result.mp4")

    def _draw_control(self, maker: InbetweenPainter, progress: Progress) -> Drawn:
        if self.spec.plain:
            return Drawn(self.keyframes, None, None)
        return self.draw_control(maker, progress)


WORK = InbetweenWork


def read_spec(options: argparse.Namespace) -> InbetweenSpec:
    """What the options say; see `spec_of`."""
    return spec_of(InbetweenSpec, options)


def run(options: argparse.Namespace) -> Path:
    """Draw the control frames, paint the frames and write both to the folder that is returned."""
    from ..progress import Bars

    work = InbetweenWork(read_spec(options))
    work.read_keyframes(options.run)
    with _offering_preview(work.spec):
        painter = work.open()
    with claim_folder(work.spec.output) as claim, Bars() as bars:
        work.finish(painter, None, claim, bars)
    if painter.models:
        print(f"video:      {claim.path / 'result.mp4'}")
        print(f"frames:     {claim.path / 'frames'}")
    if not work.spec.plain:
        print(f"conditions: {claim.path / 'condition'}")
    if painter.models and painter.models.stand_ins:
        print("The models were stand-ins: the frames are noise.")
    return claim.path


def _draw_start(painter: InbetweenPainter, drawn: Drawn, progress: Progress) -> Drawn:
    """The same with the frames that the video starts from, if it starts from any."""
    if drawn.found is None:
        return drawn
    start = painter.draw_start(drawn.keyframes, drawn.found, progress=progress)
    return replace(drawn, frames=start)


@contextmanager
def _offering_preview(spec: InbetweenSpec) -> Iterator[None]:
    """If models or packages are missing, say that a preview needs none of them."""
    offer = f"A preview of the motion needs no models: {preview_command(spec)}"
    try:
        yield
    except UnusableModels as error:
        if isinstance(error.__cause__, ModuleNotFoundError):
            logging.warning(offer)
        if isinstance(error.__cause__, MissingModelsError):
            raise UnusableModels(f"{error}\n{offer}") from error
        raise
