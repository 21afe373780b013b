"""The matcher that finds the lines that two keyframes share: GlueStick or classic."""

import logging
from collections.abc import Callable

import numpy as np
import torch

from ...catalogue.find import find_gluestick
from ...catalogue.gluestick import GLUESTICK_FILES
from ...catalogue.integrity import check_name
from ...catalogue.model_files import Roots
from ...errors import UserError
from ...files.weight_files import read_weights
from ...lines import (
    ClassicLineMatcher,
    GlueStickLineMatcher,
    LineMatches,
    build_gluestick,
    gluestick_dtype,
)
from ..spec import MatcherChoice

MORE_LINES = "Get more lines: raise --max-lines, or use --matcher gluestick."
Matcher = Callable[[np.ndarray, np.ndarray], LineMatches]


def open_matcher(choice: MatcherChoice, roots: Roots, *, device: torch.device) -> Matcher:
    """The matcher of a choice; the log says which matcher it is.

    Args:
        choice: its field `matches` is not used here.
        roots: known folders of models.
        device: where GlueStick runs.

    Raises:
        UserError: a file is missing, or holds something else.
    """
    files = find_gluestick(choice.gluestick, choice.superpoint, roots)
    if choice.matcher == "gluestick" and None in files:
        raise UserError(
            f"GlueStick needs two files: {GLUESTICK_FILES[0]} (--gluestick) and "
            f"{GLUESTICK_FILES[1]} (--superpoint; for non-commercial research only), both of "
            "github.com/cvg/GlueStick. --matcher classic needs none."
        )
    if choice.matcher == "classic" or None in files:
        missing = choice.matcher != "classic"
        logging.info(
            "Lines are matched by SIFT, homographies and optical flow%s.",
            ", because GlueStick's two files are not found (`models --get` downloads them)"
            if missing
            else "",
        )
        return ClassicLineMatcher(max_lines=choice.max_lines)
    for path in files:
        check_name(path)
    logging.info("Lines are matched by GlueStick.")
    dtype = gluestick_dtype(fast_half=device.type == "cuda")
    model = build_gluestick(*map(read_weights, files), names=tuple(map(str, files)), dtype=dtype)
    return GlueStickLineMatcher(
        model.to(device),
        max_keypoints=choice.max_pts,
        max_lines=choice.max_lines,
    )
