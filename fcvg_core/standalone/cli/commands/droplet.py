"""`droplet`: a picture moves as a prompt says, as much as a number (FPS) says."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ....progress import Progress, silent
from ...spec import DropletModelChoice, DropletSpec
from ...work import Work, setup_of, unusable_if_missing
from ..droplet_options import (
    OFFICIAL,
    add_droplet_files,
    add_droplet_machine,
    add_droplet_sampling,
    add_droplet_video,
)
from ..option_rules import Rules

if TYPE_CHECKING:
    import numpy as np

    from ...droplet import DropletPainter
    from ...networks.dropletvideo import DropletFiles
    from ..run_record import EarlierRun

HELP = "animate a picture by a long prompt, as much as a number says"
DESCRIPTION = (
    "Animate a picture by a long prompt; FPS says how much moves (DropletVideo). Writes "
    "IMAGE_FPSN.mp4, frames/ and run.json to a new folder, samples as the official program does. "
    "The options of the official program work under their names."
)
EXAMPLES = (
    'droplet boat.jpg --prompt "A boat leaves the harbour ..." -o result',
    'droplet --ckpt DropletVideo-V1.0-weights --ref_img_dir boat.jpg --FPS 4 --prompt "A boat ..."',
    'droplet boat.jpg --prompt "A boat ..." --target-motion driving.mp4 -o result',
)
SPEC = DropletSpec
RULES = Rules(aliases=OFFICIAL, replaces={"target_motion": "FPS", "ckpt": "transformer"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_droplet_files(parser.add_argument_group("files"))
    add_droplet_video(parser.add_argument_group("video"))
    add_droplet_sampling(parser.add_argument_group("sampling"))
    add_droplet_machine(parser.add_argument_group("machine"))


class DropletWork(Work[DropletSpec]):
    """Paints the video of a given picture."""

    command = "droplet"

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        return setup_of(self.command, self.spec.models.options(), self.spec.machine.loading)

    @cached_property
    def pictures(self) -> list[np.ndarray]:
        """The picture that the video begins with, and the one that it ends with, if there is one.

        Raises:
            UserError: picture or prompt is missing, or a picture is not there, or is no picture.
        """
        from ...media.pictures import read_frame

        self.check_named()
        return [read_frame(path) for path in (self.spec.first, self.spec.last) if path]

    @cached_property
    def fps(self) -> int:
        """The FPS that the model is given; the log says what `target_motion` would ask for.

        Raises:
            UserError: see `pictures`; or the file of `target_motion` can't be read.
        """
        from ....frames import fit_frame
        from ....models.dropletvideo.rules import whole_frames
        from ...droplet import chosen_fps
        from ..target_motion import fps_for

        spec, result = self.spec, self.spec.result
        wanted = spec.sampling.target_motion
        if wanted is None:
            return chosen_fps(spec)
        first = fit_frame(self.pictures[0], result.size, result.fit, result.anchor)
        fps = fps_for(wanted, first, whole_frames(result.frames))
        return spec.sampling.motion_fps or fps

    def check_named(self, run: EarlierRun | None = None) -> None:
        """Raise UserError unless the spec names a picture and has a prompt.

        Args:
            run: the earlier run that lacks them.
        """
        if self.spec.first is None or self.spec.prompt is None:
            lacking = f"{run.path} lacks one of them. " if run else ""
            raise UserError(
                f"{lacking}A picture and a prompt are needed: python -m fcvg_core droplet IMAGE "
                "--prompt TEXT -o OUT"
            )

    def check(self) -> None:
        """As `Work.check`."""
        from ...droplet import check_video

        _ = self.pictures, self.fps
        check_video(self.spec)

    def open(self, like: Any = None) -> DropletPainter:
        """As `Work.open`; the log says what of each picture is cut off."""
        from ...droplet import DropletPainter
        from ...media.pictures import log_placement

        with unusable_if_missing():
            painter = DropletPainter(self.spec, like)
        result = self.spec.result
        for path, picture in zip((self.spec.first, self.spec.last), self.pictures, strict=False):
            log_placement(picture.shape[:2], painter.size, result.fit, result.anchor, name=path)
        return painter

    @property
    def name(self) -> str:
        """Name of the video's file without the ending, as the official program names it."""
        return f"{self.spec.first.stem}_FPS{self.fps}"

    def finish(
        self,
        maker: DropletPainter,
        prepared: None,
        claim: Claim,
        progress: Progress = silent,
    ) -> None:
        """Write run.json, and paint and write the video and its frames."""
        from ..clip_files import VideoFiles

        files = VideoFiles(claim, maker.shape, count=1)
        self._save_run(maker, claim)
        frames = maker(*self.pictures, fps=self.fps, progress=progress)
        files.write(frames, self.spec.result.file_fps, name=self.name)

    def _save_run(self, maker: DropletPainter, claim: Claim) -> None:
        """Write run.json: the spec with the FPS and the files that were found."""
        from ..run_record import save_spec

        spec = replace(
            self.spec,
            models=_outside_ckpt(maker.model.files),
            sampling=replace(self.spec.sampling, motion_fps=self.fps),
        )
        named = {key: paths for key, paths in spec.paths().items() if key != "output"}
        save_spec(
            claim.path,
            self.command,
            spec,
            named,
            device=str(maker.model.device),
            dtype=str(maker.model.dtype),
            stand_ins=maker.model.is_stand_in,
        )


def _outside_ckpt(files: DropletFiles) -> DropletModelChoice:
    """The files of a model, without those in its folder: so another folder can replace all."""
    paths = {key: getattr(files, key) for key in DropletModelChoice.settings_by_key()}
    inside = [
        key
        for key, path in paths.items()
        if key != "ckpt" and files.ckpt and path and path.is_relative_to(files.ckpt)
    ]
    return DropletModelChoice(**paths | dict.fromkeys(inside))


WORK = DropletWork


def read_spec(options: argparse.Namespace) -> DropletSpec:
    """What the options say."""
    return DropletSpec.from_options(vars(options))


def run(options: argparse.Namespace) -> None:
    """Paint the video and write it."""
    from ..clip_files import describe_videos
    from ..progress import Bars
    from ..run_record import check_earlier_run

    work = DropletWork(read_spec(options))
    work.check_named(options.run)
    check_earlier_run(work.spec, options.run)
    _ = work.pictures, work.fps  # what can't be read is known before the model is looked at
    painter = work.open()
    with claim_folder(work.spec.output) as claim, Bars() as bars:
        work.finish(painter, None, claim, bars)
    print(describe_videos(claim.path, [work.name]))
    if painter.model.is_stand_in:
        print("The model was a stand-in: the frames are noise.")
