"""`sample-frames`: two pictures to try the program on."""

import argparse

import numpy as np

from ....errors import UserError
from ....files.claim import made_folder
from ...demo.scene import draw_sample_pair
from ...media.pictures import read_frame
from ...media.writing import write_picture

NAMES = ("first.png", "last.png")


def run(options: argparse.Namespace) -> None:
    """Draw and write them; a folder that has them already is left as it is."""
    frames = draw_sample_pair((options.height, options.width))
    paths = [options.folder / name for name in NAMES]
    for path, frame in zip(paths, frames, strict=True):
        if path.exists() and not np.array_equal(read_frame(path), frame):
            raise UserError(f"{path} exists and is another picture: name another folder.")
    with made_folder(options.folder):
        for path, frame in zip(paths, frames, strict=True):
            write_picture(path, frame)
            print(path)
