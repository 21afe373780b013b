"""Displacement: how far pixels move, and the FPS at which DropletVideo may move them as far."""

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np

from ..frames import check_frame, to_gray

SIDE = 512  # pixels of the longer side at which the flow is searched
SHORTEST = 64  # pixels of the shorter side; OpenCV's search crashes in very small frames
# FPS -> mean displacement from frame to frame in the published samples of DropletVideo, as a share
# of the diagonal: the geometric mean of both scenes.
SAMPLES = {32: 0.00101, 16: 0.00176, 8: 0.00248, 4: 0.00251}


def mean_displacement(first: np.ndarray, last: np.ndarray) -> float:
    """How far pixels have moved between two frames, on the mean, as a share of the diagonal.

    The flow is searched at 512 pixels of the longer side, so that the size of the frames does not
    change the figure. It finds what both frames show: a sideways pan by 0.1 of the diagonal is
    measured as 0.096, by 0.2 as 0.18, by 0.3 as 0.25; what has moved farther is mostly not found.

    Args:
        first, last: [H, W, 3] uint8 of one size.

    Returns:
        0 for frames that are equal; 0.1 if pixels move by a tenth of the diagonal.

    Raises:
        ValueError: the frames are not [H, W, 3] uint8 of one size.

    Source: Kroeger et al., Fast Optical Flow using Dense Inverse Search (2016); OpenCV's.
    """
    return _displacement(_small(first), _small(last))


def clip_displacement(frames: Iterable[np.ndarray]) -> float:
    """The way of the pixels through a clip: the sum of `mean_displacement` from frame to frame.

    It is at least as long as the way straight from the first frame to the last, and needs no part
    of the scene that both show. Noise of the frames counts as motion: 0.0001 to 0.0002 a frame.

    Args:
        frames: [H, W, 3] uint8 of one size, one by one.

    Returns:
        The way as a share of the diagonal; 0 for fewer than two frames.

    Raises:
        ValueError: as `mean_displacement`.
    """
    return sum(_displacement(*pair) for pair in pairwise(map(_small, frames)))


def fps_to_try(displacement: float, num_frames: int) -> int:
    """The FPS at which the published samples of DropletVideo move as far from frame to frame.

    There is no claim of accuracy: the samples are two scenes, and what moves in a scene changes
    the displacement as much as FPS does. The displacement from frame to frame, measured in frames
    4 to 88 of each sample (672 x 384):

        FPS                      4         8         16        32
        scene 752                0.00177   0.00172   0.00147   0.00099
        scene VideoGen_Eval      0.00355   0.00357   0.00210   0.00104
        over 85 frames (mean)    0.21      0.21      0.15      0.085

    Between these the logarithms are interpolated; beyond them it is 4 or 32.

    Args:
        displacement: over the whole video, as a share of the diagonal, 0 or more.
        num_frames: of the video; one frame counts as two.

    Returns:
        4 to 32; a lower one moves more.
    """
    step = max(displacement / max(num_frames - 1, 1), min(SAMPLES.values()))
    return round(2 ** np.interp(np.log(step), np.log([*SAMPLES.values()]), np.log2([*SAMPLES])))


def _small(frame: np.ndarray) -> np.ndarray:
    """The grey values of a frame at the size of the search."""
    check_frame(frame)
    height, width = frame.shape[:2]
    scale = SIDE / max(height, width)
    size = max(round(width * scale), SHORTEST), max(round(height * scale), SHORTEST)
    return cv2.resize(to_gray(frame), size, interpolation=cv2.INTER_AREA)


def _displacement(first: np.ndarray, last: np.ndarray) -> float:
    """The mean length of the flow between grey frames, as a share of the diagonal."""
    if first.shape != last.shape:
        raise ValueError(f"expected frames of one shape, got {first.shape} and {last.shape}")
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(first, last, None)
    return float(np.hypot(flow[..., 0], flow[..., 1]).mean() / np.hypot(*first.shape))
