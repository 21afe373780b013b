"""Sound -> AAC beside the frames of a video that is being written."""

from fractions import Fraction

import numpy as np

from ....video import Sound

RATE = 48000  # samples a second; AAC allows only a few rates
BITS = 192_000  # per second


class Soundtrack:
    """The sound of a video file, encoded as far as its frames go.

    Behind the end of the sound there is silence, because FFmpeg writes no frame of the video
    before it has the sound of the same time.
    """

    def __init__(self, container, sound: Sound) -> None:
        """Add the stream to a container that has no packet yet.

        Args:
            sound: of `RATE` samples a second.

        Raises:
            ValueError: the sound has another rate.
        """
        if sound.rate != RATE:
            raise ValueError(f"expected sound of {RATE} samples a second, got {sound.rate}")
        self._sound, self._end = sound, 0
        self._stream = container.add_stream("aac", rate=RATE, layout=sound.layout)
        self._stream.bit_rate = BITS

    def until(self, time: Fraction) -> list:
        """Packets of the sound up to a time in seconds."""
        import av

        start, self._end = self._end, round(time * RATE)
        samples = self._sound.samples[:, start : self._end]
        missing = self._end - start - samples.shape[1]
        samples = np.ascontiguousarray(np.pad(samples, ((0, 0), (0, missing))))
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=self._sound.layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        return self._encode(frame)

    def rest(self) -> list:
        """The packets that the encoder still holds."""
        return self._encode(None)

    def _encode(self, frame) -> list:
        # The first packet leads into the sound and comes before it. Players would show the video
        # later to play it, because a file that can be cut anywhere has no list of edits.
        return [packet for packet in self._stream.encode(frame) if packet.pts >= 0]
