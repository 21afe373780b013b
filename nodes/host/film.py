"""A video that is being sampled, as a small film that the editor plays on the node that samples.

`web/js/preview.js` plays it.
"""

import io
import logging
import time
from binascii import b2a_base64
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

# Names in preview.js: of the event, and of its parts.
EVENT = "fcvg.preview"
FPS = 7  # of the model; a video of more frames than are sent is played as fast
MOST_FRAMES = 32  # of a longer video so many are sent, spread evenly
# JPEG, because 25 frames of 512 x 288 take 18 ms on one core; a WebP that plays takes 300 ms.
QUALITY = 75
PAUSE = 0.5  # seconds, at least, from the end of one film to the begin of the next
SHARE = 0.03  # of the time, at most, that films take
# What a decoder or an encoder may raise; a missing or wrong file is a ValueError.
FAULTS = (RuntimeError, ValueError, OSError)

# Latents [T, 4, h, w], scaled as between steps -> frames [T, 3, H, W] in 0..1.
Decode = Callable[[Tensor], Tensor]


class Film:
    """Sends the frames of a video to the editor while the video is sampled.

    Args:
        decoders: the decoder to begin with, then those that replace a decoder that fails.
        send: sends frames, each a JPEG, and the frames that are played in a second. No frames: the
            film has ended.
    """

    def __init__(self, decoders: Sequence[Decode], send: Callable[[list[bytes], float], None]):
        self._decoders = list(decoders)
        self._send = send
        self._next = 0.0  # not before this time

    def show(self, latents: Tensor, *, is_last: bool) -> None:
        """Send the video of these latents [T, 4, h, w], unless a film was just sent.

        A film that can't be made never ends the run.

        Args:
            is_last: whether no other film follows: then it is sent in any case, because the editor
                goes on showing its middle frame.
        """
        if not self._decoders or (time.monotonic() < self._next and not is_last):
            return
        latents.flatten()[0].item()  # waits for the step, whose time is not the film's
        begin = time.monotonic()
        chosen = shown_frames(len(latents))
        try:
            frames = encode_frames(self._decoders[0](latents[chosen]))
        except FAULTS as error:
            del self._decoders[0]
            follows = "A simpler preview follows" if self._decoders else "No preview follows"
            logging.warning("The moving preview failed (%s). %s.", error, follows)
            return
        self._send(frames, FPS * len(chosen) / len(latents))
        end = time.monotonic()
        self._next = end + max(PAUSE, (end - begin) * (1 / SHARE - 1))

    def end(self) -> None:
        """The run has ended."""
        self._send([], FPS)


def shown_frames(num_frames: int) -> list[int]:
    """The frames of a video that are sent."""
    count = min(num_frames, MOST_FRAMES)
    return np.linspace(0, num_frames - 1, count).round().astype(int).tolist()


def encode_frames(frames: Tensor) -> list[bytes]:
    """Each of the frames [T, 3, H, W] in 0..1 as a JPEG."""
    pixels = frames.mul(255).round().to(torch.uint8).movedim(1, -1).cpu().numpy()
    encoded = []
    for frame in pixels:
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=QUALITY)
        encoded.append(file.getvalue())
    return encoded


def film_event(node_id: str, frames: list[bytes], fps: float) -> dict:
    """What `EVENT` holds. Events are JSON, so the frames are text."""
    texts = [b2a_base64(frame, newline=False).decode() for frame in frames]
    return {"node": node_id, "frames": texts, "fps": fps}
