"""Steps that are repeated after noise was added again.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:703-722.
"""

from collections.abc import Callable

from torch import Tensor

from ..errors import UserError


def injection_steps(steps: int, ratio: float) -> int:
    """Number of leading steps that get noise injected; `ratio` (0..1) is their share of all."""
    if not 0 <= ratio <= 1:
        raise UserError(f"The noise injection ratio is a share from 0 to 1, got {ratio}.")
    return int(steps * ratio)


def inject_noise(latents: Tensor, noise: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """Bring latents that were just stepped to `sigma_next` back to the noise level `sigma`.

    Args:
        latents: at the noise level `sigma_next`, any shape.
        noise: unit noise shaped like the latents.
        sigma, sigma_next: scalars, the noise levels before and after the step.

    Differs: the official scheduler advances inside step() and so uses the sigmas of the next
        step. Here the sigmas of the step itself are used, as the method describes
        (jeanne-wang/svd_keyframe_interpolation).
    """
    return latents + noise * (sigma**2 - sigma_next**2).sqrt()


def repeat_step(
    latents: Tensor,
    sigma: Tensor,
    sigma_next: Tensor,
    *,
    times: int,
    step: Callable[[Tensor], Tensor],
    draw: Callable[[], Tensor],
) -> Tensor:
    """Take one step, then repeat it `times` times, each time after adding noise again.

    Args:
        latents: at the noise level `sigma`, any shape.
        sigma, sigma_next: scalars, the noise levels before and after the step.
        times: number of repetitions, 0 or more.
        step: latents at the noise level `sigma` -> latents at the noise level `sigma_next`.
        draw: gives new unit noise shaped like the latents.
    """
    latents = step(latents)
    for _ in range(times):
        latents = step(inject_noise(latents, draw(), sigma, sigma_next))
    return latents
