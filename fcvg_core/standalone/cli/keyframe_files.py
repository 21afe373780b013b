"""Files of the commands that take keyframes: the keyframes are read, the frames written."""

import argparse
from typing import TypeVar

import numpy as np

from ...bounds import FRAMES
from ...errors import UserError
from ...files.claim import Claim
from ..control.dwpose import Keyframes
from ..media.pictures import read_keyframes
from ..media.writing import frames_size, video_size, write_frames, write_video
from ..spec import PreviewSpec
from .run_record import check_earlier_run

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


def read_keyframes_of(spec: PreviewSpec, options: argparse.Namespace) -> Keyframes:
    """The keyframes of a run, of its size.

    Args:
        options: of the command: its name, and the earlier run that it repeats.

    Raises:
        UserError: a keyframe is not named, or is not there, or is no picture; or another file of
            the earlier run is not there.
    """
    if not (spec.first and spec.last):
        lacking = f"{options.run.path} does not name both. " if options.run else ""
        raise UserError(
            f"{lacking}Two pictures are needed, the first frame and the last: "
            f"python -m fcvg_core {options.command} FIRST LAST -o OUT"
        )
    check_earlier_run(spec, options.run)
    paths, result = (spec.first, *spec.between, spec.last), spec.result
    return read_keyframes(paths, result.size, result.fit, result.anchor)


def reserve_room(claim: Claim, spec: PreviewSpec) -> None:
    """Reserve the disk's room for frames and video, which `write_result` writes.

    Raises:
        UserError: the disk has less room.
    """
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

    def release(number: int) -> None:
        claim.release(kept + frames_size(frames[number + 1 :].shape) + video_size(frames.shape))

    write_frames(claim.path / folder, frames, before=release)
    claim.release(kept)
    write_video(claim.path / video, frames, fps)
