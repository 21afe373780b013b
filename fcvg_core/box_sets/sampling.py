"""A video -> a window of neighbouring frames: by chance, or as the official evaluation draws it."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch

from .layout import cut_tracks
from .types import BoxVideo

# How often the library that resizes the official frames draws a number for each of them.
DRAWS_PER_FRAME = 3


def cut_window(video: BoxVideo, start: int, num_frames: int) -> BoxVideo:
    """Neighbouring frames of a video.

    Args:
        start: the first frame, from 0.
        num_frames: that many lie behind `start`, itself counted.
    """
    if not 0 <= start <= len(video.frames) - num_frames:
        raise ValueError(
            f"expected {num_frames} frames from {start} on, got {len(video.frames)} in all"
        )
    frames = slice(start, start + num_frames)
    return replace(video, frames=video.frames[frames], tracks=cut_tracks(video.tracks, frames))


def draw_window(video: BoxVideo, num_frames: int, chance: torch.Generator) -> BoxVideo:
    """Neighbouring frames of a video from a random frame on; each start is equally likely.

    Args:
        num_frames: of the window; the video has as many or more.
        chance: on the CPU.

    Source: Mingxiao-Li/Animate-Your-Motion data/obj_track_dataset.py.
    """
    starts = max(len(video.frames) - num_frames + 1, 1)
    start = int(torch.randint(starts, (), generator=chance))
    return cut_window(video, start, num_frames)


def official_windows(videos: Iterable[BoxVideo], num_frames: int, seed: int) -> Iterator[BoxVideo]:
    """The window of each video that the official evaluation takes for a seed.

    The official program draws the starts of one video after another from Python's own generator,
    from which its resizing (albumentations 1.3.1) draws too; so a start depends on all videos
    before. Its figures of 8 frames and seed 33 belong to these windows.

    Args:
        videos: of a data set, from its first one on; each has `num_frames` or more.
        num_frames: of each window.
        seed: 0 or more; the official one is 33.

    Source: Mingxiao-Li/Animate-Your-Motion inference_eval.py, data/obj_track_dataset.py.
    """
    chance = random.Random(seed)
    for video in videos:
        start = chance.randint(0, len(video.frames) - num_frames)
        for _ in range(DRAWS_PER_FRAME * num_frames):
            chance.random()
        yield cut_window(video, start, num_frames)
