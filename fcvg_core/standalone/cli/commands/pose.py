"""`pose`: the people in pictures, as OpenPose's JSON and drawn."""

from __future__ import annotations

import argparse
import logging
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from ....choices import POSE_COLORS, POSE_STYLES
from ....errors import UserError
from ....files.claim import claim_folder
from ....files.writing import write_aside
from ...spec import PoseChoice
from ...spec.values import PATH, SIZE_KIND
from ..option_groups import OUTPUT, add_detector, add_device, add_fit

if TYPE_CHECKING:
    import numpy as np

    from ....pose import Poses, PoseStyle

HELP = "find the people in pictures"
DESCRIPTION = (
    "Write the people of each picture as a picture and as JSON in OpenPose's format, which --poses "
    "of preview and inbetween takes, and the node Load Pose JSON in ComfyUI."
)
EXAMPLES = (
    "pose *.png -o poses",
    "pose first.png last.png -o poses --width 1024 --height 576",
    "pose person.png -o poses --colors openpose --pose-width 2",
)
ENDINGS = (".json", ".png", "_preview.png")  # of a picture's files
# Bytes of a picture's name that are kept: disks allow 255, minus the ending and a number.
LONGEST = 255 - len("_preview.png") - len("_000000")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("images", type=PATH, nargs="+", metavar="IMAGE", help="pictures")
    add("-o", "--output", type=PATH, required=True, metavar="OUT", help=OUTPUT)
    for name in ("--height", "--width"):
        add(
            name,
            type=SIZE_KIND,
            metavar="N",
            help="in pixels, a multiple of 64; if both are given, pictures are brought to this "
            "size as inbetween does it, else they keep their size",
        )
    add_fit(parser)
    add(
        "--style",
        choices=POSE_STYLES,
        default=POSE_STYLES[0],
        help="the model that the drawing is for (%(default)s)",
    )
    add(
        "--colors",
        choices=POSE_COLORS,
        default=POSE_COLORS[0],
        help="fcvg: the colours that FCVG and ControlNeXt-SVD were trained on; openpose: those of "
        "OpenPose, for other models' ControlNets, which expect wider lines too (--pose-width 2); "
        "white: white lines (%(default)s)",
    )
    add_detector(parser)
    add_device(parser)


def run(options: argparse.Namespace) -> None:
    """Find people and write them: for each picture three files with its name."""
    from ....catalogue.comfyui import known_folders
    from ....pose import STYLES
    from ...control.dwpose import need_detector
    from ...media.pictures import fit_picture, read_frame
    from ...named_files import check_named
    from ...networks.device import choose_device

    if (options.height is None) != (options.width is None):
        raise UserError("Give both --height and --width, or neither.")
    choice = PoseChoice.from_options(vars(options))
    check_named(choice)
    for path in options.images:
        read_frame(path)  # all of them, before anything is written
    style = STYLES[options.style].scaled(choice.pose_width).colored(options.colors)
    with claim_folder(options.output) as claim:
        detector = need_detector(
            choice,
            known_folders(),
            device=choose_device(options.device),
            cpu_only=options.device == "cpu",
        )
        try:
            for name, path in zip(distinct_names(options.images), options.images, strict=True):
                frame = read_frame(path)
                if options.height:
                    size = options.height, options.width
                    frame = fit_picture(frame, size, options.fit, options.anchor, name=path)
                poses = detector(frame)
                if not poses.num_people:
                    logging.warning(
                        "Nobody is found in %s. If there is a person, give a larger or clearer "
                        "picture, or --whole-frame, which takes the whole picture for a person.",
                        path,
                    )
                _write(claim.path / name, frame, poses, style)
        finally:
            detector.release()


def _write(path: Path, frame: np.ndarray, poses: Poses, style: PoseStyle) -> None:
    """The three files of a picture; their names begin with the name in `path`."""
    from ....pose import count_people, draw_on_frame, draw_poses, stack_frames
    from ...media.poses_file import write_poses
    from ...media.writing import write_picture

    size = frame.shape[:2]
    drawn = draw_poses(stack_frames([poses]), size, style=style)[0]
    table, picture, preview = (path.with_name(f"{path.name}{ending}") for ending in ENDINGS)
    with write_aside(table) as part:
        write_poses(part, poses, size)
    write_picture(picture, drawn)
    write_picture(preview, draw_on_frame(frame, poses, style=style))
    print(f"{count_people(poses.num_people)}: {path}{', '.join(ENDINGS)}")


def distinct_names(paths: list[Path]) -> list[str]:
    """A name for each picture's files: the picture's own name, with a number if it is taken.

    The names also differ on a disk that ignores capitals or the way in which an accent is encoded.
    Long names are cut, so that the files' endings fit.
    """
    names: list[str] = []
    taken: set[str] = set()
    for path in paths:
        stem = _cut(path.stem)
        name, number = stem, 0
        while not taken.isdisjoint(files := {_on_disk(name + ending) for ending in ENDINGS}):
            number += 1
            name = f"{stem}_{number:04d}"
        taken |= files
        names.append(name)
    return names


def _cut(stem: str) -> str:
    """At most LONGEST bytes of a name; whole characters."""
    while len(os.fsencode(stem)) > LONGEST:
        stem = stem[:-1]
    return stem


def _on_disk(name: str) -> str:
    """A form that is equal for two names if some disk takes them for the same name."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
