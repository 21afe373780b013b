"""Lines of two keyframes, matched with GlueStick or without any weights."""

import logging
from dataclasses import dataclass

import numpy as np
from comfy.model_patcher import ModelPatcher

from ...fcvg_core.lines import ClassicLineMatcher, LineMatches, report_matches
from .gluestick import match_lines

# What a user can do if few lines match.
MORE_LINES = "Raise max_lines or lower min_length."
MORE_GLUESTICK_LINES = "Raise max_lines, or lower min_length or match_threshold."


@dataclass(frozen=True, kw_only=True)
class MatcherSettings:
    """Values of the widgets of Match Lines, see their tooltips."""

    max_lines: int
    min_length: float
    max_keypoints: int
    match_threshold: float
    detector: str


def match_pair(
    first: np.ndarray,
    last: np.ndarray,
    gluestick: ModelPatcher | None,
    settings: MatcherSettings,
    *,
    where: str = "",
) -> LineMatches:
    """Matched lines of two uint8 frames [H, W, 3]; the log says how many, and what helps if few.

    Args:
        gluestick: None: the lines are matched without weights.
        where: which of several pairs this is, for the log.
    """
    chosen = {"max_lines": settings.max_lines, "min_length": settings.min_length}
    if gluestick is None:
        matches = ClassicLineMatcher(**chosen)(first, last)
        matcher, remedy = "SIFT and optical flow", MORE_LINES
    else:
        chosen |= {"max_keypoints": settings.max_keypoints, "threshold": settings.match_threshold}
        matches = match_lines(gluestick, first, last, detector=settings.detector, **chosen)
        matcher, remedy = "GlueStick", MORE_GLUESTICK_LINES
    report_matches(matches, matcher=matcher, remedy=remedy, where=where)
    return matches


def say_what_matches(gluestick: ModelPatcher | None) -> None:
    """Log that GlueStick is not there, if lines were matched without it."""
    if gluestick is None:
        logging.info("GlueStick is not loaded: see Load GlueStick.")
