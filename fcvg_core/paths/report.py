"""What is known of paths, in words."""

import logging
from collections.abc import Sequence

from .track import way_lengths
from .types import Path


def report_paths(paths: Sequence[Path]) -> None:
    """Log how many paths there are, how long they are, and of how many curves they consist.

    A warning says if no point moves.
    """
    if not paths:
        logging.warning("There are no paths.")
        return
    lengths = way_lengths(paths)
    if lengths.max() == 0:
        logging.warning("Paths: %d, but none of their points moves.", len(paths))
        return
    curves = sum(len(path.points) // 3 for path in paths)
    logging.info(
        "Paths: %d, of %d Bezier curves. Their points move by %.0f to %.0f pixels.",
        len(paths),
        curves,
        lengths.min(),
        lengths.max(),
    )
