"""`dynamicrafter`: a picture moves as a prompt says, or becomes another picture."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....bounds import SEED
from ....choices import ANIMATE, INTERPOLATE
from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ....progress import Progress, silent
from ...spec import DynamiCrafterSpec, DynamiCrafterVideo
from ...work import Work, setup_of, unusable_if_missing
from ..clip_options import (
    OFFICIAL,
    add_clip_machine,
    add_clip_models,
    add_clip_sampling,
    add_clip_video,
    add_output,
)
from ..option_groups import options_of
from ..option_parser import Gather
from ..option_rules import Rules

if TYPE_CHECKING:
    from ...dynamicrafter import DynamiCrafterPainter
    from ..run_record import EarlierRun

HELP = "animate a picture by a prompt, or lead one picture to another"
DESCRIPTION = (
    "Animate a picture by a prompt, go from picture to picture, or make a loop (DynamiCrafter). "
    "Writes result.mp4, frames/ and run.json to a new folder. The options of the official program "
    "work under their names too."
)
EXAMPLES = (
    'dynamicrafter boat.png --prompt "a boat leaves the harbour" -o result',
    'dynamicrafter first.png last.png --prompt "a flower opens" -o between',
    'dynamicrafter sea.png --prompt "waves" --loop -o loop',
    'dynamicrafter boat.png --prompt "a boat" --n-samples 4 --seed 7 -o takes',
    "dynamicrafter --prompt_dir prompts/512 --text_input -o results",
)
SPEC = DynamiCrafterSpec
RULES = Rules(
    aliases=OFFICIAL,
    pairs=(("images", "prompt_dir"), ("prompt", "prompt_dir"), ("loop", "interp")),
    replaces={"images": "prompt_dir", "prompt_dir": "images", "loop": "interp", "interp": "loop"},
)


@dataclass(frozen=True)
class Video:
    """A video to make.

    Attributes:
        name: of its file, without the ending.
        prompt: one text, or one for each pair of pictures; None is an empty text.
        source: the text file of a prompt of `--prompt_dir`.
    """

    name: str
    pictures: tuple[Path, ...]
    prompt: str | tuple[str, ...] | None
    seed: int
    source: Path | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    files = parser.add_argument_group("files")
    add = options_of(DynamiCrafterSpec, files)
    add(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="a picture to animate, or two or more to go through, a clip for each pair",
    )
    add(
        "--prompt",
        action=Gather,
        metavar="TEXT",
        help="what happens; with several pairs give one prompt, or --prompt once for each pair",
    )
    add(
        "--prompt_dir",
        metavar="DIR",
        help="folder of pictures and a text file with a prompt on each line: makes a video for "
        "each prompt",
    )
    add(
        "--text_input",
        help="use the prompts of --prompt_dir; without this option their videos have no prompt",
    )
    add_output(files)
    add_clip_models(files)
    _add_video(parser.add_argument_group("video"))
    add_clip_sampling(parser.add_argument_group("sampling"))
    add_clip_machine(parser.add_argument_group("machine"))


def _add_video(group: argparse._ArgumentGroup) -> None:
    add_clip_video(group)
    add = options_of(DynamiCrafterVideo, group)
    add("--loop", help="end where the video begins; the last frame, the first again, is left out")
    add("--interp", help="go from picture to picture; two or more pictures do so by themselves")
    add(
        "--timing",
        metavar="T",
        help="which of the painted frames are shown: uniform (all), ease-in, ease-out, "
        "ease-in-out, reference, or numbers such as 0,0.2,1, which are spread evenly over the "
        "video (%(default)s)",
    )
    add(
        "--clip-picture",
        help="the picture that the model's image encoder sees: as the video shows it, or whole "
        "(%(default)s)",
    )
    add(
        "--n-samples",
        "--n_samples",
        metavar="N",
        help="videos to make; each video has a seed higher by 1 than the video before "
        "(%(default)s)",
    )


class DynamiCrafterWork(Work[DynamiCrafterSpec]):
    """Paints the videos of given pictures, or of a folder of pictures and prompts."""

    command = "dynamicrafter"

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        spec = self.spec
        interpolates = spec.mode != ANIMATE
        return setup_of(self.command, spec.models.options(), spec.machine.loading, interpolates)

    @cached_property
    def videos(self) -> list[Video]:
        """The videos to make.

        Raises:
            UserError: there is no picture, or too few or too many pictures or prompts.
        """
        from ...dynamicrafter import check_count, spread_prompts

        self.check_named()
        videos = _plan_videos(self.spec)
        for video in videos:
            check_count(self.spec, len(video.pictures))
            spread_prompts(video.prompt, max(len(video.pictures) - 1, 1))
        return videos

    @cached_property
    def sizes(self) -> dict[Path, tuple[int, int]]:
        """(height, width) in pixels of each picture. Pictures are not kept: there may be many.

        Raises:
            UserError: see `videos`; or a picture is not there, or is no picture.
        """
        from ...media.pictures import read_frame

        paths = (path for video in self.videos for path in video.pictures)
        return {path: read_frame(path).shape[:2] for path in paths}

    def check_named(self, run: EarlierRun | None = None) -> None:
        """Raise UserError unless the spec names pictures.

        Args:
            run: the earlier run that lacks them.
        """
        if not self.spec.images and not self.spec.prompt_dir:
            lacking = f"{run.path} names none. " if run else ""
            raise UserError(
                f"{lacking}A picture is needed: python -m fcvg_core dynamicrafter IMAGE --prompt "
                "TEXT -o OUT"
            )

    def check(self) -> None:
        """As `Work.check`; a model that is not named is looked at by `open` alone."""
        from ...clip_model import check_named_model

        _ = self.sizes
        check_named_model(self.spec)

    def open(self, like: Any = None) -> DynamiCrafterPainter:
        """As `Work.open`; the log says what of each picture is cut off."""
        from ...dynamicrafter import DynamiCrafterPainter
        from ...media.pictures import log_placement

        with unusable_if_missing():
            painter = DynamiCrafterPainter(self.spec, like)
        result = self.spec.result
        for path, size in self.sizes.items():
            log_placement(size, painter.size, result.fit, result.anchor, name=path)
        return painter

    def finish(
        self,
        maker: DynamiCrafterPainter,
        prepared: None,
        claim: Claim,
        progress: Progress = silent,
    ) -> None:
        """Write run.json, and paint and write the videos and their frames."""
        from ...dynamicrafter import share_progress
        from ...media.pictures import read_frame
        from ..clip_files import VideoFiles, save_clip_run

        spec, videos = self.spec, self.videos
        files = VideoFiles(claim, maker.shape(len(videos[0].pictures)), count=len(videos))
        inputs = {"prompt_dir": (*self.sizes, videos[0].source)} if spec.prompt_dir else {}
        save_clip_run(claim.path, self.command, spec, {"checkpoint": maker.model}, inputs)
        for i, video in enumerate(videos):
            frames = maker(
                *map(read_frame, video.pictures),
                prompt=video.prompt,
                seed=video.seed,
                progress=share_progress(progress, i, len(videos)),
            )
            files.write(frames, spec.result.fps, name=video.name)


WORK = DynamiCrafterWork


def read_spec(options: argparse.Namespace) -> DynamiCrafterSpec:
    """What the options say."""
    return DynamiCrafterSpec.from_options(vars(options))


def run(options: argparse.Namespace) -> None:
    """Paint the videos and write them."""
    from ..clip_files import describe_videos
    from ..progress import Bars
    from ..run_record import check_earlier_run

    work = DynamiCrafterWork(read_spec(options))
    work.check_named(options.run)
    check_earlier_run(work.spec, options.run)
    _ = work.sizes  # what can't be read is known before the model is looked at
    painter = work.open()
    with claim_folder(work.spec.output) as claim, Bars() as bars:
        work.finish(painter, None, claim, bars)
    print(describe_videos(claim.path, [video.name for video in work.videos]))
    if painter.model.is_stand_in:
        print("The model was a stand-in: the frames are noise.")


def _plan_videos(spec: DynamiCrafterSpec) -> list[Video]:
    """The videos to make, of the named pictures or of a folder of pictures and prompts."""
    from ...media.prompt_folder import read_prompt_folder

    count, seed = spec.result.n_samples, spec.sampling.seed
    seeds = [(seed + i) % (SEED.maximum + 1) for i in range(count)]
    if not spec.prompt_dir:
        names = ["result"] if count == 1 else [f"result_{i:04d}" for i in range(1, count + 1)]
        return [
            Video(name, spec.images, spec.prompt, own)
            for name, own in zip(names, seeds, strict=True)
        ]
    if spec.images or spec.prompt:
        raise UserError(
            "--prompt_dir has pictures and prompts of its own: leave IMAGE and --prompt out, or "
            "leave out --prompt_dir."
        )
    if not spec.text_input:
        logging.warning("The prompts of %s are not used: give --text_input.", spec.prompt_dir)
    return [
        Video(
            f"{task.name}_sample{i}",
            task.pictures,
            task.prompt if spec.text_input else "",
            own,
            task.source,
        )
        for task in read_prompt_folder(spec.prompt_dir, in_pairs=spec.mode == INTERPOLATE)
        for i, own in enumerate(seeds)
    ]
