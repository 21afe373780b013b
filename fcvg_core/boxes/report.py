"""What is known of tracks, in words."""

import logging

from ..quoting import in_short, unquoted
from .types import BoxTracks


def report_boxes(tracks: BoxTracks) -> None:
    """Log how many objects there are, what they are, and in how many frames they are there.

    A warning says if no object is ever there.
    """
    if not any(track.present.any() for track in tracks.tracks):
        logging.warning("There are no boxes: no object steers the video.")
        return
    told = [
        f"{unquoted(track.label)} in {_frames(int(track.present.sum()), tracks.num_frames)}"
        for track in tracks.tracks
    ]
    logging.info("Box tracks: %d (%s).", len(told), in_short(told, most=8))


def _frames(count: int, total: int) -> str:
    return f"all {total} frames" if count == total else f"{count} of {total} frames"
