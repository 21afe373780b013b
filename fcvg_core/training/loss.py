"""What SVD's UNet should predict at a noise level, and how far its prediction is from it.

The official loss is the squared error of the latents without noise, times (1 + sigma^2) / sigma^2.
It equals the plain squared error of the UNet's own output, which is v-prediction. The plain form
divides by no small number, and nothing cancels in it.

Source: Karras et al. (arXiv 2206.00364) table 1; dvlab-research/ControlNeXt
ControlNeXt-SVD-v2-Training/train_svd.py:1301-1322.
Differs: the plain form instead of the weighted one.
"""

from torch import Tensor

from ..models.svd import noisy_deviation


def add_noise(clean: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """Latents at a noise level.

    Args:
        clean: [..., T, 4, h, w] scaled latents.
        noise: the same shape, unit variance.
        sigma: the noise level, a shape that goes with `clean`.

    Returns:
        The shape of `clean`.
    """
    return clean + sigma * noise


def v_target(clean: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """What the UNet should predict for latents from `add_noise`, which takes the same arguments.

    `denoise_latents` of this prediction are the clean latents.
    """
    return (noise - sigma * clean) / noisy_deviation(sigma)


def v_loss(prediction: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared error of each sample.

    Args:
        prediction: [B, T, 4, h, w] of the UNet, float32.
        target: [B, T, 4, h, w] from `v_target`.
        weights: [B, T, 1, h, w], how much each place counts; None: all count 1. The errors are
            multiplied by the weights, whose mean is not made 1: a heavier hand makes no other
            place lighter.

    Returns:
        [B].
    """
    error = (prediction - target.to(prediction)) ** 2
    if weights is not None:
        error = error * weights.to(error)
    return error.flatten(1).mean(1)
