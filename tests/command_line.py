"""The command line as tests use it."""

from pathlib import Path

import numpy as np
from PIL import Image

from fcvg_core.standalone.cli.main import main

SMALL = ["--height", "64", "--width", "128", "--frames", "4", "--steps", "1"]  # of inbetween


def fails(capsys, *arguments: str) -> str:
    """The message of a command that fails; one or two lines, no traceback."""
    assert main(["inbetween", *arguments]) == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


def pictures(folder: Path) -> np.ndarray:
    """The pictures of a folder [T, H, W, 3], in the order of their names."""
    return np.stack([np.array(Image.open(path)) for path in sorted(folder.iterdir())])
