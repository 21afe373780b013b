"""A person who waves and walks on the spot: poses that look like a person's, and drawings of it."""

import math

import av
import numpy as np
import torch

from fcvg_core.pose import STYLES, Poses, draw_poses, stack_frames
from fcvg_core.pose.skeleton import BODY, FACE, LEFT_HAND, NUM_POINTS, RIGHT_HAND

# The 18 points of the body: x to the right and y down from the hips, 1 is about the height.
JOINTS = (
    *((0, -0.8), (0, -0.55), (-0.2, -0.55), (-0.35, -0.25), (-0.3, 0.05), (0.2, -0.55)),
    *((0.33, -0.25), (0.42, -0.5), (-0.13, 0), (-0.15, 0.4), (-0.12, 0.8), (0.13, 0)),
    *((0.17, 0.4), (0.2, 0.8), (-0.05, -0.85), (0.05, -0.85), (-0.12, -0.82), (0.12, -0.82)),
)
WRISTS = {4: LEFT_HAND, 7: RIGHT_HAND}


def walker(time: float, *, at=(0.5, 0.5), reach=(0.45, 0.55)) -> Poses:
    """The person at one time, with body, hands and face."""
    points = np.zeros((NUM_POINTS, 2))
    points[BODY] = JOINTS
    points[[3, 4, 7], 1] += 0.1 * math.sin(time)
    points[[9, 10], 0] += 0.1 * math.sin(time)
    turns = np.linspace(0, 2 * math.pi, 68)
    points[FACE] = np.stack([0.12 * np.cos(turns), 0.13 * np.sin(turns) - 0.78], axis=1)
    fingers = [(0, 0)] + [(0.01 * (f - 2) * j, 0.04 * j) for f in range(5) for j in range(1, 5)]
    for wrist, hand in WRISTS.items():
        points[hand] = points[wrist] + fingers
    keypoints = torch.from_numpy(np.array(at) + points * reach)
    return Poses(keypoints[None], torch.full((1, NUM_POINTS), 0.9, dtype=torch.float64))


def drawn_walker(
    count: int,
    size: tuple[int, int],
    *,
    style: str = "controlnext-svd-v2",
    width: float = 1.0,
    **where,
) -> list[np.ndarray]:
    """Frames [height, width, 3] uint8 that show the person drawn."""
    track = stack_frames([walker(i / 2, **where) for i in range(count)])
    return list(draw_poses(track, size, style=STYLES[style].scaled(width)))


def compressed(frames: list[np.ndarray], crf: int) -> list[np.ndarray]:
    """The frames as they come back from H.264; crf 18 is said to look like the original."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = frames[0].shape[:2]
    encoder.pix_fmt, encoder.framerate, encoder.options = "yuv420p", 24, {"crf": str(crf)}
    decoder = av.CodecContext.create("h264", "r")
    packets = []
    for i, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")
        picture.pts = i
        packets += encoder.encode(picture)
    packets += encoder.encode()
    decoded = [frame for packet in packets for frame in decoder.decode(packet)]
    return [frame.to_ndarray(format="rgb24") for frame in decoded + decoder.decode()]
