"""`pose`: the people in pictures, as OpenPose's JSON and drawn."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import UserError
from ...frames import fit_frame
from ...pose import STYLES, Poses, PoseStyle, draw_on_frame, draw_poses, stack_frames
from ..dwpose import need_detector
from ..keyframes import read_frame
from ..output import claim_folder
from ..poses_file import write_poses


def run(options: argparse.Namespace) -> None:
    """Find people and write them, for each picture three files of its name."""
    if (options.height is None) != (options.width is None):
        raise UserError("Give both --height and --width, or neither.")
    detector = need_detector(options)
    for path in options.images:
        read_frame(path)  # all of them, before anything is written
    folder = claim_folder(options.output)
    style = STYLES[options.style].scaled(options.pose_width)
    try:
        for name, path in zip(_names(options.images), options.images, strict=True):
            frame = read_frame(path)
            if options.height:
                frame = fit_frame(frame, (options.height, options.width))
            _write(folder / name, frame, detector(frame), style)
    finally:
        detector.release()


def _write(path: Path, frame: np.ndarray, poses: Poses, style: PoseStyle) -> None:
    """The three files of a picture; their names begin as `path` does."""
    size = frame.shape[:2]
    drawn = draw_poses(stack_frames([poses]), size, style=style)[0]
    write_poses(path.with_name(f"{path.name}.json"), poses, size)
    Image.fromarray(drawn).save(path.with_name(f"{path.name}.png"))
    preview = draw_on_frame(frame, poses, style=style)
    Image.fromarray(preview).save(path.with_name(f"{path.name}_preview.png"))
    print(f"{poses.num_people} people: {path}.json, .png, _preview.png")


def _names(paths: list[Path]) -> list[str]:
    """A name for each picture's files; where two would have one name, a number is added."""
    names: list[str] = []
    for path in paths:
        name, number = path.stem, 0
        while name in names or name in [f"{other}_preview" for other in names]:
            number += 1
            name = f"{path.stem}_{number:04d}"
        names.append(name)
    return names
