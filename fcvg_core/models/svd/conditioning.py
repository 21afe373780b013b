"""The augmentation of a keyframe, as in FCVG's official code.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:140-195, 519-545, 776-869.
"""

from torch import Tensor


def augment_keyframe(frame: Tensor, noise: Tensor, strength: float) -> Tensor:
    """A keyframe with augmentation noise, ready for the VAE to encode.

    Args:
        frame: [1, 3, H, W] in 0..1.
        noise: [1, 3, H, W] of unit variance; both keyframes get the same noise.
        strength: standard deviation of the noise for pixels in -1..1; for pixels in 0..1 it is
            half as large.

    Returns:
        [1, 3, H, W], about 0..1 and not clamped.
    """
    return frame + noise.to(frame) * (strength / 2)
