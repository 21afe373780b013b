"""Makes videos with sound for tests, and finds the sound again."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from fcvg_core.video import Sound, read_sound, start_of

CLICK = 0.005  # seconds


def clicks(times, *, seconds: float, rate: int, channels: int = 2) -> Sound:
    """Silence with a click at each time."""
    samples = np.zeros((channels, round(seconds * rate)), np.float32)
    for time in times:
        samples[:, round(time * rate) : round((time + CLICK) * rate)] = 0.8
    return Sound(samples, rate)


def write_sounding(
    path: Path,
    frames,
    fps,
    sound: Sound,
    *,
    late: float = 0.0,
    codec: str = "aac",
    pictures: str = "libx264",
) -> Path:
    """Write frames [H, W, 3] uint8 as a video whose sound begins at a time."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(pictures, rate=fps)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        track = container.add_stream(codec, rate=sound.rate, layout=sound.layout)
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
        heard = av.AudioFrame.from_ndarray(sound.samples, format="fltp", layout=sound.layout)
        heard.sample_rate, heard.time_base = sound.rate, Fraction(1, sound.rate)
        heard.pts = round(late * sound.rate)
        container.mux([*track.encode(heard), *track.encode()])
    return path


def click_times(sound: Sound) -> list[float]:
    """When the clicks begin, in seconds."""
    loud = np.flatnonzero(np.abs(sound.samples[0]) > 0.3)
    first = np.diff(loud, prepend=-sound.rate) > 0.1 * sound.rate
    return (loud[first] / sound.rate).tolist()


def sound_of(path: Path) -> Sound | None:
    """The whole sound of a video file, from its first frame on."""
    with av.open(str(path)) as container:
        return read_sound(container, start=start_of(container.streams.video[0]), seconds=60)
