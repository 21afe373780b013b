"""The sound of an open video, cut to a range of time."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Seconds. Files note times rounded to a millisecond: only larger gaps are gaps in the sound.
GAP = 0.05
# Seconds before the start from which a stream is decoded: the first packets that are decoded are
# silent, because decoders need the packets before them.
LEAD = 0.25


@dataclass(frozen=True, eq=False)
class Sound:
    """Sound without the file that it came in.

    Attributes:
        samples: float32 [C, N], in -1..1; C is 1 (mono) or 2 (stereo).
        rate: samples a second.
    """

    samples: np.ndarray
    rate: int

    @property
    def layout(self) -> str:
        """FFmpeg's name of the channels."""
        return "mono" if len(self.samples) == 1 else "stereo"

    def after_silence(self, seconds: float) -> "Sound":
        """The same sound, which begins later."""
        silence = np.zeros((len(self.samples), round(seconds * self.rate)), np.float32)
        return Sound(np.concatenate([silence, self.samples], axis=1), self.rate)


def read_sound(container, *, start: float, seconds: float, rate: int | None = None) -> Sound | None:
    """The sound of an open video from a time on; None if the video has no sound.

    Of several streams the first that FFmpeg can decode is read. Sound with more channels than two
    becomes stereo, and samples beyond -1..1 are clipped. The channels and the rate of a stream may
    change on the way; those of the result stay. Where the stream has no sound, there is silence; a
    stream that is damaged is read up to there, and a warning says so.

    Args:
        container: FFmpeg's open container. Afterwards it does not stand where it stood before.
        start: in seconds of the container's clock; see `start_of`.
        seconds: length of the sound, which is less if the stream ends before.
        rate: samples a second; None keeps the stream's.
    """
    # FFmpeg crashes if it decodes a stream that it has no decoder for.
    stream = next((s for s in container.streams.audio if s.codec_context is not None), None)
    if stream is None:
        return None
    pieces, end = [], 0  # end: of the pieces, in samples
    for frame in _resampled(container, stream, start, rate):
        rate = frame.sample_rate
        place = end if frame.pts is None else round((frame.time - start) * rate)
        if pieces and abs(place - end) < GAP * rate:
            place = end
        if place >= seconds * rate:
            break
        samples = frame.to_ndarray()[:, max(end - place, 0) :]
        if samples.size:
            silence = np.zeros((len(samples), max(place - end, 0)), np.float32)
            pieces += [silence, samples]
            end += silence.shape[1] + samples.shape[1]
    if not pieces:
        return None
    samples = np.concatenate(pieces, axis=1)[:, : round(seconds * rate)]
    return Sound(samples.clip(-1, 1), rate)


def _resampled(container, stream, start: float, rate: int | None) -> Iterator:
    """Frames of sound in mono or stereo, from shortly before `start` on."""
    import av

    layout = "mono" if stream.codec_context.channels == 1 else "stereo"
    resampler = kind = None
    lead = max(start - LEAD, min(start, 0))
    try:
        container.seek(int(lead / stream.time_base), stream=stream)
        for packet in container.demux(stream):
            for frame in packet.decode():
                found = frame.format.name, frame.layout.name, frame.sample_rate
                if found != kind:  # a resampler takes frames of one kind
                    if resampler:
                        yield from resampler.resample(None)
                    kind, rate = found, rate or frame.sample_rate
                    resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
                yield from resampler.resample(frame)
        if resampler:
            yield from resampler.resample(None)
    except av.FFmpegError as error:
        logging.warning("The sound of the video is damaged: it is used up to there (%s).", error)
