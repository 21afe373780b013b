"""The keyframes of a video between its first frame and its last, as nodes pass them on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...fcvg_core.bounds import FRAMES
from ...fcvg_core.errors import UserError
from ...fcvg_core.motion import Motion, check_keyframes, span_times, spread_keyframes
from ...fcvg_core.quoting import quote


@dataclass(frozen=True, eq=False)
class Keyframes:
    """Keyframes between the first and the last, in the order of time.

    Attributes:
        images: pictures [1, h, w, 3] in 0..1, of any size.
        frames: the frame of each picture in the video, counted from 0.
    """

    images: tuple[Tensor, ...]
    frames: tuple[int, ...]

    def add(self, image: Tensor, frame: int) -> "Keyframes":
        """These keyframes and one more.

        Raises:
            UserError: two keyframes are at one place, or too near to each other or to the first
                frame.
        """
        pairs = sorted(
            [*zip(self.frames, self.images, strict=True), (frame, image)], key=lambda pair: pair[0]
        )
        frames, images = zip(*pairs, strict=True)
        check_keyframes((0, *frames), frames[-1] + 1)
        return Keyframes(images, frames)

    def at(self, num_frames: int) -> tuple[int, ...]:
        """Frames of all keyframes of a video of so many frames, the first and the last included.

        Raises:
            UserError: a keyframe is where the last one is; or see `check_keyframes`.
        """
        if num_frames - 1 in self.frames:
            raise UserError(
                f"A keyframe is at frame {num_frames - 1}, but this is the last frame of a video "
                f"of {num_frames} frames, the place of last_frame: move the keyframe, or raise "
                "num_frames."
            )
        return check_keyframes((0, *self.frames, num_frames - 1), num_frames)


NO_KEYFRAMES = Keyframes((), ())


def place_batch(text: str, count: int) -> tuple[int, ...]:
    """Frames of the pictures of a batch, as a person writes them.

    Args:
        text: a number for each picture, separated by commas or spaces; nothing: 25 frames from
            each picture to the next, both included.
        count: number of pictures.

    Raises:
        UserError: there are fewer than two pictures, the text is not so many whole numbers, the
            video is too long, or see `check_keyframes`.
    """
    if count < 2:
        raise UserError("images is one picture, but a video needs two keyframes or more.")
    words = text.replace(",", " ").split()
    at = _read_places(text, words, count) if words else spread_keyframes(count)
    if at[-1] + 1 not in FRAMES:
        raise UserError(
            f"The last of {count} pictures is at frame {at[-1]}, but a video has at most "
            f"{FRAMES.maximum} frames: give fewer pictures, or write frames that are nearer to "
            "each other."
        )
    return at


def _read_places(text: str, words: list[str], count: int) -> tuple[int, ...]:
    if len(words) != count or not all(word.isdecimal() for word in words):
        raise UserError(
            f"frames is {quote(text)}, but there are {count} pictures: write {count} whole numbers "
            "that begin with 0, for example 0, 24, 60; or nothing."
        )
    frames = [int(word) for word in words]
    return check_keyframes(frames, max(frames) + 1)


def name_pictures(first: Tensor, keyframes: Keyframes | None, last: Tensor) -> dict[str, Tensor]:
    """The pictures of all keyframes in the order of time, by names for messages."""
    between = keyframes or NO_KEYFRAMES
    named = zip(between.frames, between.images, strict=True)
    return {
        "first_frame": first,
        **{f"keyframe {frame}": image for frame, image in named},
        "last_frame": last,
    }


def place_frames(
    keyframes: Keyframes | None, num_frames: int, timing: str | Sequence[float]
) -> Tensor:
    """[T] where each frame is among the keyframes: 0 at the first, 1 at the second, and so on.

    Raises:
        UserError: the timing is not valid; or see `check_keyframes`.
    """
    at = (keyframes or NO_KEYFRAMES).at(num_frames)
    spans = [span + times for span, times in enumerate(span_times(at, timing))]
    return torch.cat([*(times[:-1] for times in spans[:-1]), spans[-1]])


def place_motion(motion: Motion, keyframes: Keyframes | None, num_frames: int) -> tuple[int, ...]:
    """Frames of the keyframes of a motion; without `keyframes` they are spread evenly.

    Raises:
        UserError: the motion has another number of keyframes; or see `check_keyframes`.
    """
    spans = len(motion.spans)
    if keyframes is None:
        return spread_keyframes(spans + 1, num_frames)
    at = keyframes.at(num_frames)
    if len(at) != spans + 1:
        raise UserError(
            f"What moves is known between {spans + 1} keyframes, but with the first and the last "
            f"frame there are {len(at)}: connect the same keyframes to Match Keyframes and to this "
            "node, and its motion too."
        )
    return at
