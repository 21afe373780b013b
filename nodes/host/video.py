"""VIDEO inputs: frames of a part of a video, and the sound of the same time."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import torch
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_api.latest import InputImpl
from torch.nn.functional import pad

from ...fcvg_core.errors import UserError
from ...fcvg_core.files.video_file import open_video
from ...fcvg_core.video import frame_rate, read_sound, show, square_size, start_of
from .images import check_image

SLACK = 0.002  # seconds by which rounded times of frames may differ from what a user types


@dataclass(frozen=True, kw_only=True)
class VideoPart:
    """Which frames of a video are taken.

    Attributes:
        start, end: in seconds from the beginning of the video; frames from `start` on are taken,
            up to but without `end`.
        stride: every N-th of these frames is taken.
        max_frames: the largest number of frames that are taken.
    """

    start: float
    end: float
    stride: int
    max_frames: int


@dataclass(frozen=True, eq=False)
class Clip:
    """What was taken of a video.

    Attributes:
        images: [N, H, W, 3] float32 in 0..1, N >= 1.
        audio: ComfyUI's AUDIO, which begins with the first frame; None if there is no sound.
        fps: frame rate of `images`, per second.
    """

    images: torch.Tensor
    audio: dict | None
    fps: float

    def audio_after_silence(self, seconds: float) -> dict | None:
        """The sound, which begins later."""
        if self.audio is None:
            return None
        silent = round(seconds * self.audio["sample_rate"])
        return {**self.audio, "waveform": pad(self.audio["waveform"], (silent, 0))}


def read_part(video, part: VideoPart) -> Clip:
    """Frames and sound of a part of a video; of a file no other frames are kept in memory.

    Frames of a file look as in a player: colours, orientation and square pixels.

    Args:
        video: ComfyUI's VIDEO.

    Raises:
        UserError: no frame is in this part, or the file is damaged.
    """
    if part.start >= part.end:
        raise UserError(
            f"start_time is {part.start:g} and end_time is {part.end:g}, but the end must come "
            "after the start: correct one of them, or set end_time to 0 for the end of the video."
        )
    if isinstance(video, InputImpl.VideoFromFile):
        try:
            clip = _read_file(video, part)
        except av.FFmpegError as error:
            raise UserError(
                f"The video is damaged ({error}). Save it again as MP4, or end before the damaged "
                "place with end_time."
            ) from error
    else:
        clip = _take(video.get_components(), part)
    count, height, width, _ = clip.images.shape
    logging.info(
        "%d %s of %d x %d, %.5g frames per second.",
        count,
        "frame" if count == 1 else "frames",
        width,
        height,
        clip.fps,
    )
    return clip


def _read_file(video, part: VideoPart) -> Clip:
    source = video.get_stream_source()
    with open_video(Path(source) if isinstance(source, str) else source) as (container, stream):
        stream.thread_type = "AUTO"
        fps = frame_rate(stream)
        begin, end = _times(video, stream, part)
        frames, first = _read_frames(container, stream, part, begin, end)
        if not frames:
            raise _no_frame(part, float(video.get_duration()))
        sound = read_sound(container, start=first, seconds=len(frames) * part.stride / fps)
    images = torch.empty((len(frames), *frames[0].shape), dtype=torch.float32)
    for image in images:
        image.copy_(torch.from_numpy(frames.pop(0))).div_(255)
    audio = sound and {
        "waveform": torch.from_numpy(sound.samples)[None],
        "sample_rate": sound.rate,
    }
    return Clip(images, audio, fps / part.stride)


def _times(video, stream, part: VideoPart) -> tuple[float, float]:
    """Where the part begins and ends, in seconds of the container's clock."""
    # ComfyUI's Trim Video notes the range in the VIDEO; older releases don't have this node.
    trimmed = getattr(video, "get_active_trim_window", lambda: (0.0, 0.0))
    trim_start, trim_length = trimmed()
    beginning = max(trim_start, start_of(stream))
    trim_end = trim_start + trim_length if trim_length else math.inf
    return beginning + part.start - SLACK, min(beginning + part.end, trim_end) - SLACK


def _read_frames(
    container, stream, part: VideoPart, begin: float, end: float
) -> tuple[list, float]:
    """The frames, uint8 [H, W, 3], and when the first frame is shown."""
    frames, first, number = [], 0.0, -1
    for frame in _decode_from(container, stream, begin):
        throw_exception_if_processing_interrupted()
        if frame.time < begin:
            continue
        number += 1
        if frame.time >= end:
            break
        if number % part.stride:
            continue
        if len(frames) == part.max_frames:
            _say_more(part)
            break
        if not frames:
            first, size = frame.time, square_size(frame, stream.sample_aspect_ratio)
        frames.append(show(frame, size))
    return frames, first


def _decode_from(container, stream, begin: float) -> Iterator:
    """FFmpeg's frames from shortly before a time on."""
    if begin > start_of(stream):
        container.seek(int(begin / stream.time_base), stream=stream)
        decoded = container.decode(stream)
        frame = next(decoded, None)
        if frame is not None and frame.time <= begin:
            yield frame
            yield from decoded
            return
        container.seek(0)  # the file has no list of its keyframes, as MPEG-TS has none
    yield from container.decode(stream)


def _take(components, part: VideoPart) -> Clip:
    """The part of a video that is in memory as a whole."""
    fps = float(components.frame_rate)
    first, end = (math.ceil((time - SLACK) * fps) for time in (part.start, part.end))
    images = components.images[max(first, 0) : end : part.stride]
    if len(images) == 0:
        raise _no_frame(part, len(components.images) / fps)
    if len(images) > part.max_frames:
        _say_more(part)
        images = images[: part.max_frames]
    audio = components.audio
    if audio:
        rate = audio["sample_rate"]
        start = round(max(first, 0) / fps * rate)
        length = round(len(images) * part.stride / fps * rate)
        audio = {**audio, "waveform": audio["waveform"][..., start : start + length]}
    return Clip(check_image(images, "video"), audio, fps / part.stride)


def _say_more(part: VideoPart) -> None:
    logging.info(
        "The video goes on: only its first %d chosen frames are taken (frame_load_cap).",
        part.max_frames,
    )


def _no_frame(part: VideoPart, seconds: float) -> UserError:
    if part.end < seconds:
        remedy = "a later end_time"
    else:
        remedy = "an earlier start_time" if part.start else "a longer part in Trim Video"
    return UserError(
        f"The video has {seconds:.2f} seconds, but no frame is between start_time {part.start:g} "
        f"and end_time: choose {remedy}."
    )
