"""`smcd`: the objects of a picture move along boxes, as a prompt says."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ....progress import Progress, silent
from ...spec import SmcdModelChoice, SmcdSpec
from ...work import Work, setup_of, unusable_if_missing
from ..option_groups import add_loading
from ..option_rules import Rules
from ..smcd_options import (
    add_boxes,
    add_smcd_files,
    add_smcd_sampling,
    add_smcd_video,
)

if TYPE_CHECKING:
    import numpy as np

    from ....boxes import BoxTracks
    from ...networks.smcd import SmcdFiles
    from ...smcd import SmcdPainter
    from ..run_record import EarlierRun

HELP = "move the objects of a picture along boxes, by a prompt"
DESCRIPTION = (
    "Move the objects of a picture along boxes, as a prompt says (SMCD, Animate Your Motion). "
    "Writes result.mp4, frames/ and run.json to a new folder. The options of the official program "
    "work under their names too."
)
EXAMPLES = (
    'smcd --input_data_path DIR --label dog --prompt "a dog runs on the beach" -o result',
    'smcd park.png --boxes dog=dog.txt --boxes cat=cat.txt --prompt "a dog chases a cat" -o result',
    'smcd park.png --boxes boxes.json --fill held --pad-to 8 --prompt "a dog runs" -o result',
    'smcd --trained_ckpt_path weights --input_data_path DIR --prompt "a dog" --output_dir result',
)
SPEC = SmcdSpec
NAME = "result"  # of the video's file, without the ending
RULES = Rules(
    pairs=(("output", "output_dir"),),
    presets={"output_dir": {"official_files": True}},
    replaces={
        "output_dir": "output",
        "input_data_path": ("first", "boxes", "label"),
        "boxes": "label",
        "ckpt": ("position_net", "visual_encoder"),
        "root_path": ("text_encoder", "vae"),
    },
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_smcd_files(parser.add_argument_group("files"))
    add_boxes(parser.add_argument_group("boxes"))
    add_smcd_video(parser.add_argument_group("video"))
    add_smcd_sampling(parser.add_argument_group("sampling"))
    add_loading(parser.add_argument_group("machine"))


class SmcdWork(Work[SmcdSpec]):
    """Paints the video of a given picture and its boxes."""

    command = "smcd"

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        return setup_of(self.command, self.spec.models.options(), self.spec.machine.loading)

    @cached_property
    def files(self) -> tuple[Path, tuple[Path, ...]]:
        """The picture, and the files of boxes.

        Raises:
            UserError: no picture is named, or the folder that should hold it lacks it.
        """
        from ...media.box_file import find_boxes, find_picture

        self.check_named()
        folder = self.spec.input_data_path
        boxes = self.spec.boxes
        if boxes is None:
            boxes = find_boxes(folder) if folder else ()
        return self.spec.first or find_picture(folder), boxes

    @cached_property
    def first(self) -> np.ndarray:
        """The picture, uint8 [h, w, 3].

        Raises:
            UserError: see `files`; or the picture is not there, or is no picture.
        """
        from ...media.pictures import read_frame

        return read_frame(self.files[0])

    @cached_property
    def tracks(self) -> BoxTracks:
        """The boxes over the frames of the video, as shares of the picture.

        Raises:
            UserError: see `first`; a file of boxes can't be read, an object has no label, or there
                are too many objects.
        """
        from ....boxes import BoxReading, check_count, report_boxes
        from ....models.smcd.rules import MOST_OBJECTS
        from ...media.box_file import read_all

        reading, spec = self.spec.reading, self.spec
        tracks = read_all(
            self.files[1],
            spec.label,
            BoxReading(
                kind=reading.kind,
                form=reading.form,
                unit=reading.units,
                size=self.first.shape[:2],
                num_frames=spec.result.frames,
                timing=reading.timing,
                fill=reading.fill,
                video=reading.video or "",
            ),
            prompt=spec.prompt or "",
        )
        check_count(tracks, MOST_OBJECTS, name="SMCD")
        report_boxes(tracks)
        return tracks

    def check_named(self, run: EarlierRun | None = None) -> None:
        """Raise UserError unless the spec names a picture.

        Args:
            run: the earlier run that lacks it.
        """
        if self.spec.first is None and self.spec.input_data_path is None:
            lacking = f"{run.path} names none. " if run else ""
            raise UserError(
                f"{lacking}A picture is needed: python -m fcvg_core smcd IMAGE --boxes dog=FILE "
                "--prompt TEXT -o OUT, or --input_data_path DIR with img.png and bbox.txt."
            )

    def check(self) -> None:
        """As `Work.check`."""
        from ....models.smcd.rules import check_video
        from ...smcd import settle_config

        _ = self.tracks
        check_video(self.spec.result.size, self.spec.result.frames)
        settle_config(self.spec)

    def open(self, like: Any = None) -> SmcdPainter:
        """As `Work.open`; the log says what of the picture is cut off."""
        from ...media.pictures import log_placement
        from ...smcd import SmcdPainter

        with unusable_if_missing():
            painter = SmcdPainter(self.spec, like)
        result, size = self.spec.result, self.first.shape[:2]
        log_placement(size, painter.size, result.fit, result.anchor, name=self.files[0])
        return painter

    def finish(
        self,
        maker: SmcdPainter,
        prepared: None,
        claim: Claim,
        progress: Progress = silent,
    ) -> None:
        """Write run.json, and paint and write the video, its frames and the official files."""
        from ..clip_files import VideoFiles
        from ..smcd_files import official_size, write_official

        spec, official = self.spec, self.spec.official_files
        beside = official_size(maker.shape) if official else 0
        files = VideoFiles(claim, maker.shape, count=1, beside=beside)
        self._save_run(maker, claim)
        video = maker(self.first, self.tracks, progress=progress)
        if official:
            tracks = maker.place(self.tracks, self.first.shape[:2])
            files.release(beside)
            write_official(claim.path, video, tracks, spec.prompt or "", spec.result.fps)
        files.write(video, spec.result.fps, name=NAME)

    def _save_run(self, maker: SmcdPainter, claim: Claim) -> None:
        """Write run.json: the spec with the seed and the files that were found."""
        from ..run_record import save_spec

        spec = replace(
            self.spec,
            models=_found(maker.model.files),
            sampling=replace(self.spec.sampling, seed=maker.seed),
        )
        picture, boxes = self.files
        named = {key: paths for key, paths in spec.paths().items() if key != "output"}
        save_spec(
            claim.path,
            self.command,
            spec,
            named | {"first": (picture,)} | ({"boxes": boxes} if boxes else {}),
            device=str(maker.model.device),
            dtype=str(maker.model.dtype),
            stand_ins=maker.model.is_stand_in,
        )


def _found(files: SmcdFiles) -> SmcdModelChoice:
    """The files of a model, as options."""
    names = vars(files).keys() & SmcdModelChoice.settings_by_key().keys()
    return SmcdModelChoice(**{name: getattr(files, name) for name in names})


WORK = SmcdWork


def read_spec(options: argparse.Namespace) -> SmcdSpec:
    """What the options say."""
    table = vars(options)
    if folder := table.get("output_dir"):
        table = {**table, "output": folder}
    return SmcdSpec.from_options(table)


def run(options: argparse.Namespace) -> None:
    """Paint the video and write it."""
    from ..clip_files import describe_videos
    from ..progress import Bars
    from ..run_record import check_earlier_run

    work = SmcdWork(read_spec(options))
    work.check_named(options.run)
    check_earlier_run(work.spec, options.run)
    _ = work.tracks  # what can't be read is known before the model is looked at
    painter = work.open()
    with claim_folder(work.spec.output) as claim, Bars() as bars:
        work.finish(painter, None, claim, bars)
    print(describe_videos(claim.path, [NAME]))
    if painter.model.is_stand_in:
        print("The model was a stand-in: the frames are noise.")
