"""`sample-frames`: two pictures to try the program on."""

import argparse
from pathlib import Path

from ....errors import UserError
from ....files.claim import made_folder
from ...spec.values import PATH
from ..option_groups import add_size

HELP = "write two sample frames, drawn by code"
DESCRIPTION = "Write first.png and last.png, two frames of a scene that code draws."
EXAMPLES = ("sample-frames frames --width 512 --height 320",)
NAMES = ("first.png", "last.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", type=PATH, metavar="DIR", help="folder to write to")
    add_size(parser)


def run(options: argparse.Namespace) -> None:
    """Draw and write the pictures; a folder that has them already stays as it is."""
    for path in write_samples(options.folder, (options.height, options.width)):
        print(path)


def write_samples(folder: Path, size: tuple[int, int]) -> list[Path]:
    """Draw and write the pictures; a folder that has them already stays as it is.

    Args:
        folder: it is made if necessary.
        size: (height, width) in pixels.

    Returns:
        Paths of the first frame and the last.

    Raises:
        UserError: another picture has the name of a sample; then nothing is written.
    """
    import numpy as np

    from ...demo.scene import draw_sample_pair
    from ...media.pictures import read_frame
    from ...media.writing import write_picture

    frames = draw_sample_pair(size)
    paths = [folder / name for name in NAMES]
    for path, frame in zip(paths, frames, strict=True):
        if path.exists() and not np.array_equal(read_frame(path), frame):
            raise UserError(f"{path} exists and is another picture: name another folder.")
    with made_folder(folder):
        for path, frame in zip(paths, frames, strict=True):
            write_picture(path, frame)
    return paths
