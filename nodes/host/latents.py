"""Latents of videos as the host has them between nodes: frames lie in the batch."""

import torch


def empty_video(num_frames: int, size: tuple[int, int]) -> dict:
    """LATENT of a video without content: zeros [T, 4, H / 8, W / 8].

    Args:
        size: (height, width) in pixels.
    """
    height, width = size
    return {"samples": torch.zeros(num_frames, 4, height // 8, width // 8)}
