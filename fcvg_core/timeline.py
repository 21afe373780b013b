"""Where every frame of a video stands between its two keyframes."""

import torch


def inbetween_times(num_frames: int) -> torch.Tensor:
    """Times of all frames, keyframes included: 0 at the first and 1 at the last.

    The frame next to a keyframe shows the keyframe's own geometry: 0, 0, ..., 1, 1.

    Args:
        num_frames: at least 2.

    Returns:
        [num_frames] float32, 0..1, never falling.

    Raises:
        ValueError: fewer than 2 frames.

    Source: Tian-one/FCVG demo_FCVG.py infer_gluestick_interp (`frac`).
    Differs: 3 frames give 0, 0.5, 1, where the reference divides by zero.
    """
    if num_frames < 2:
        raise ValueError(f"expected at least 2 frames (both keyframes), got {num_frames}")
    if num_frames == 3:
        return torch.tensor([0.0, 0.5, 1.0])
    # Divided in float64 and rounded once, as the reference does (linspace rounds otherwise).
    between = torch.arange(num_frames - 2, dtype=torch.float64) / max(num_frames - 3, 1)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    return torch.cat([ends[:1], between, ends[1:]]).float()
