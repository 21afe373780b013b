"""Decodes all frames of an open video, and detects files that end too early."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path

from .endings import lacks_its_end

MISSING = 0.02  # missing fraction of the duration that counts as an error; less may be rounding
CHUNK = 8  # bytes before each frame in an AVI file


def decode_all(path: Path, container, stream) -> Iterator:
    """Every frame of a stream, as FFmpeg's object.

    Raises:
        EOFError: the file ends long before the duration in its header.
    """
    first, reached, before, torn = math.inf, 0.0, math.inf, False
    longest = float(1 / stream.average_rate) if stream.average_rate else 0.0
    for packet in container.demux():  # also packets of sound, which may be longer
        if packet.pts is not None:
            # In Matroska files with B-frames, the first packets have no dts.
            now = packet.pts if packet.dts is None else packet.dts
            now = float(now * packet.time_base)
            first = min(first, now)
            reached = max(reached, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index == stream.index:
                longest, before = max(longest, now - before), now
        if packet.size:
            torn = packet.is_corrupt
        if packet.stream.index == stream.index:
            yield from packet.decode()
    promised = _promised(container, stream)
    if container.format.name.startswith("matroska"):
        first = 0  # Matroska's duration is the time at the end, not end minus start
    # The last frame may stay on the screen for a long time; not every format stores this time.
    if promised - max(reached - first, 0) > max(MISSING * promised, 2 * longest):
        raise EOFError(f"it holds only {reached - first:.1f} of {promised:.1f} seconds")
    if torn or lacks_its_end(path, container.format.name):
        logging.warning("%s may be incomplete: it ends in the middle of a frame.", path)


def _promised(container, stream) -> float:
    """Duration in seconds that a file's header contains; 0 if there is none."""
    if container.format.name in ("mpegts", "mpeg"):
        return 0  # FFmpeg estimates the duration from the file itself
    if container.format.name == "avi" and stream.average_rate:
        # FFmpeg estimates this duration, too. A recorder that was stopped may leave a number of
        # frames that is larger than the file can hold.
        frames = stream.frames if stream.frames * CHUNK <= container.size else 0
        return float(frames / stream.average_rate)
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6
