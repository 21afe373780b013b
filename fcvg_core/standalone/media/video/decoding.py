"""All frames of an open video, and a word if its file ends too early."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path

from .endings import lacks_its_end

MISSING = 0.02  # of the time that a file promises; less may be rounding
CHUNK = 8  # bytes before each frame of an AVI


def decode_all(path: Path, container, stream) -> Iterator:
    """Every frame of a stream, as FFmpeg has it.

    Raises:
        EOFError: the file ends long before the time that it promises.
    """
    first, reached, before, torn = math.inf, 0.0, math.inf, False
    longest = float(1 / stream.average_rate) if stream.average_rate else 0.0
    for packet in container.demux():  # also sound, which may be longer
        if packet.pts is not None:
            # Where frames are stored in another order than shown, Matroska's first have no dts.
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
        first = 0  # its time is that of the end
    # The last frame may be shown for long, which not every kind of file notes.
    if promised - max(reached - first, 0) > max(MISSING * promised, 2 * longest):
        raise EOFError(f"it holds only {reached - first:.1f} of {promised:.1f} seconds")
    if torn or lacks_its_end(path, container.format.name):
        logging.warning("%s may be cut off: it ends in the middle of a frame.", path)


def _promised(container, stream) -> float:
    """How many seconds a file says that it has; 0 if it does not."""
    if container.format.name in ("mpegts", "mpeg"):
        return 0  # FFmpeg's time is that of the file
    if container.format.name == "avi" and stream.average_rate:
        # FFmpeg's time, again. A recorder that was stopped leaves more than the file can hold.
        frames = stream.frames if stream.frames * CHUNK <= container.size else 0
        return float(frames / stream.average_rate)
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1e6
