"""When the frames of a stream are shown."""

from ..bounds import FILE_FPS

UNKNOWN_FPS = 24.0  # frames per second if a file does not contain its frame rate


def frame_rate(stream) -> float:
    """Frames per second of a video stream, 0.001..1000; a variable frame rate is averaged."""
    fps = float(stream.average_rate or stream.guessed_rate or UNKNOWN_FPS)
    return fps if fps in FILE_FPS else UNKNOWN_FPS


def start_of(stream) -> float:
    """When the first frame of a stream is shown, in seconds of its container's clock."""
    return float((stream.start_time or 0) * stream.time_base)
