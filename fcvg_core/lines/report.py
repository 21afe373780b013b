"""Line matches -> sentences for the user: how many match, where they lie, what to do about few."""

import logging

import numpy as np
import torch

from ..coverage import PARTS, count_parts
from .draw import draw_segments
from .types import LineMatches

FEW = 10  # fewer matches hardly steer a video


def report_matches(
    matches: LineMatches, *, remedy: str, matcher: str | None = None, where: str = ""
) -> None:
    """Log how many lines match, and a warning if there are few.

    Args:
        remedy: what the user can do to get more matches, as a sentence.
        matcher: what matched the lines; None: it is said elsewhere.
        where: between which keyframes, if there are several pairs.
    """
    place = f"{where}: " if where else ""
    logging.info("%s%s.", place, describe_matches(matches, matcher))
    warn_of_few(matches, remedy=remedy)


def describe_matches(matches: LineMatches, matcher: str | None = None) -> str:
    """How many lines match, of how many, and how they spread: a sentence without its full stop.

    Args:
        matcher: what matched the lines; None: it is not said.
    """
    count = len(matches.ids)
    text = f"{count} line{' matches' if count == 1 else 's match'}" if count else "No lines match"
    if matcher:
        text += f", by {matcher}"
    if matches.found:
        text += " ({} and {} found)".format(*matches.found)
    if count:
        text += f", in {count_touched(matches.lines0, matches.size)} of {PARTS} parts of the frame"
    return text


def warn_of_few(matches: LineMatches, *, remedy: str) -> None:
    """Log a warning with the remedy if there are fewer than FEW matches."""
    count = len(matches.ids)
    if count == 0:
        logging.warning("No line steers the video. %s", remedy)
    elif count < FEW:
        only = "1 line steers" if count == 1 else f"{count} lines steer"
        logging.warning("Only %s the video, which is few. %s", only, remedy)


def count_touched(lines: torch.Tensor, size: tuple[int, int]) -> int:
    """In how many of 16 parts of a frame a line lies, see `coverage.count_parts`.

    Args:
        lines: [N, 2, 2], in pixels.
        size: (height, width) of the frame, in pixels.
    """
    frame = np.zeros((*size, 3), np.uint8)
    draw_segments(frame, lines.numpy(), np.full((len(lines), 3), 255), 1)
    return count_parts(frame)
