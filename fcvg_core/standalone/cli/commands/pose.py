"""`pose`: the people in pictures, as OpenPose's JSON and drawn."""

import argparse
import os
import unicodedata
from pathlib import Path

import numpy as np

from ....errors import UserError
from ....files.claim import claim_folder
from ....files.writing import write_aside
from ....frames import fit_frame
from ....pose import STYLES, Poses, PoseStyle, draw_on_frame, draw_poses, stack_frames
from ...control.dwpose import need_detector
from ...media.pictures import read_frame
from ...media.poses_file import write_poses
from ...media.writing import write_picture
from ..job import check_named

ENDINGS = (".json", ".png", "_preview.png")  # of a picture's files
# Bytes that a picture's name keeps: disks allow 255, less the ending and a number.
LONGEST = 255 - len("_preview.png") - len("_000000")


def run(options: argparse.Namespace) -> None:
    """Find people and write them, for each picture three files of its name."""
    if (options.height is None) != (options.width is None):
        raise UserError("Give both --height and --width, or neither.")
    check_named(options, ("dwpose_det", "dwpose_pose"))
    for path in options.images:
        read_frame(path)  # all of them, before anything is written
    style = STYLES[options.style].scaled(options.pose_width)
    with claim_folder(options.output) as claim:
        detector = need_detector(options)
        try:
            for name, path in zip(distinct_names(options.images), options.images, strict=True):
                frame = read_frame(path)
                if options.height:
                    frame = fit_frame(frame, (options.height, options.width))
                _write(claim.path / name, frame, detector(frame), style)
        finally:
            detector.release()


def _write(path: Path, frame: np.ndarray, poses: Poses, style: PoseStyle) -> None:
    """The three files of a picture; their names begin as `path` does."""
    size = frame.shape[:2]
    drawn = draw_poses(stack_frames([poses]), size, style=style)[0]
    table, picture, preview = (path.with_name(f"{path.name}{ending}") for ending in ENDINGS)
    with write_aside(table) as part:
        write_poses(part, poses, size)
    write_picture(picture, drawn)
    write_picture(preview, draw_on_frame(frame, poses, style=style))
    print(f"{poses.num_people} people: {path}{', '.join(ENDINGS)}")


def distinct_names(paths: list[Path]) -> list[str]:
    """A name for each picture's files: its own, with a number where a file would have two owners.

    All are also distinct where a disk takes capital letters for small ones, or one way of writing
    an accent for the other. Long names are cut, so that the files' endings fit.
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
    """What all names have in common that some disk takes for one."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
