"""Files of the commands that take keyframes: the keyframes are read, the frames written.

A batch reads the options of thousands of runs, and needs no torch for this: functions import it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TypeVar

from ...bounds import FRAMES
from ...errors import UserError
from ...files.claim import Claim
from ..spec import PreviewSpec

if TYPE_CHECKING:
    import numpy as np

    from ..control.dwpose import Keyframes
    from .run_record import EarlierRun

S = TypeVar("S", bound=PreviewSpec)


def spec_of(kind: type[S], options: argparse.Namespace) -> S:
    """The spec of a run; the video is as long as its keyframes need, unless its length is given.

    Args:
        options: of the command; `given` has the names of those that were typed, or that the
            earlier run has.

    Raises:
        UserError: there are too many pictures for a video.
    """
    table, count = vars(options), 2 + len(options.between)
    if "frames" not in options.given:
        if options.at:
            table = {**table, "frames": max(options.at) + 1}
        elif count > 2:
            from ...motion import spread_keyframes

            frames = spread_keyframes(count)[-1] + 1
            if frames not in FRAMES:
                raise UserError(
                    f"{count} pictures, 25 frames from each to the next, make {frames} frames, but "
                    f"a video has at most {FRAMES.maximum}: give --frames, or fewer pictures."
                )
            table = {**table, "frames": frames}
    return kind.from_options(table)


def check_keyframes_named(spec: PreviewSpec, command: str, run: EarlierRun | None = None) -> None:
    """Raise UserError unless a spec names its first and its last keyframe.

    Args:
        command: that the message tells how to type.
        run: the earlier run that lacks them.
    """
    if not (spec.first and spec.last):
        lacking = f"{run.path} does not name both. " if run else ""
        raise UserError(
            f"{lacking}Two pictures are needed, the first frame and the last: "
            f"python -m fcvg_core {command} FIRST LAST -o OUT"
        )


def read_keyframes_of(spec: PreviewSpec) -> Keyframes:
    """The keyframes that a spec names, of its size.

    Raises:
        UserError: a keyframe is not there, or is no picture.
    """
    from ..media.pictures import read_keyframes

    paths, result = (spec.first, *spec.between, spec.last), spec.result
    return read_keyframes(paths, result.size, result.fit, result.anchor)


def reserve_room(claim: Claim, spec: PreviewSpec) -> None:
    """Reserve the disk's room for frames and video, which `write_result` writes.

    Raises:
        UserError: the disk has less room.
    """
    from ..media.writing import frames_size, video_size

    shape = (spec.result.frames, *spec.result.size, 3)
    claim.reserve(frames_size(shape) + video_size(shape))


def write_result(
    claim: Claim,
    frames: np.ndarray,
    fps: float,
    *,
    video: str,
    folder: str = "frames",
    kept: float = 0,
) -> None:
    """Write frames [T, H, W, 3] uint8 to a folder, then as a video of this name.

    The reserved room is freed frame by frame, until the rest is the video's.

    Args:
        kept: bytes that stay reserved for other files.
    """
    from ..media.writing import frames_size, video_size, write_frames, write_video

    def release(number: int) -> None:
        claim.release(kept + frames_size(frames[number + 1 :].shape) + video_size(frames.shape))

    write_frames(claim.path / folder, frames, before=release)
    claim.release(kept)
    write_video(claim.path / video, frames, fps)
