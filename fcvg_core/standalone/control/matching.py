"""Which matcher finds the lines that two keyframes share: chosen by options and files."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...catalogue.find import find_gluestick
from ...catalogue.integrity import check_name
from ...errors import UserError
from ...files.weight_files import read_weights
from ...lines import (
    ClassicLineMatcher,
    GlueStickLineMatcher,
    LineMatches,
    build_gluestick,
    gluestick_dtype,
)
from ..media.matches_file import read_matches
from ..networks.device import choose_device

Matcher = Callable[[np.ndarray, np.ndarray], LineMatches]


def choose_matcher(options: argparse.Namespace, size: tuple[int, int]) -> Matcher:
    """What gives the line matches of two keyframes; says which it is.

    Args:
        options: `matcher`, `gluestick`, `superpoint`, `matches`, `max_lines`, `max_pts` and
            `device` of the command line.
        size: (height, width) of the keyframes.

    Raises:
        UserError: a file is missing or none, or made for frames of another size.
    """
    if getattr(options, "matches", None):
        return _given_matches(options.matches, size)
    files = find_gluestick(options.gluestick, options.superpoint)
    if options.matcher == "gluestick" and None in files:
        raise UserError(
            "GlueStick needs two files: checkpoint_GlueStick_MD.tar (--gluestick) and "
            "superpoint_v1.pth (--superpoint; for non-commercial research only), both of "
            "github.com/cvg/GlueStick. --matcher classic needs none."
        )
    if options.matcher == "classic" or None in files:
        logging.info("Lines are matched by SIFT, homographies and optical flow.")
        return ClassicLineMatcher(max_lines=options.max_lines)
    for path in files:
        check_name(path)
    logging.info("Lines are matched by GlueStick.")
    device = choose_device(options.device)
    dtype = gluestick_dtype(fast_half=device.type == "cuda")
    model = build_gluestick(*map(read_weights, files), names=tuple(map(str, files)), dtype=dtype)
    return GlueStickLineMatcher(
        model.to(device),
        max_keypoints=options.max_pts,
        max_lines=options.max_lines,
    )


def _given_matches(path: Path, size: tuple[int, int]) -> Matcher:
    found = read_matches(path)
    if found.size != size:
        raise UserError(
            f"{path} is for frames of {found.size[1]} x {found.size[0]} pixels, but these are "
            f"{size[1]} x {size[0]}: give --width and --height those values."
        )
    return lambda *keyframes: found
