"""SVD's UNet at a noise level: its input, its timestep, and the meaning of its prediction.

Source: Karras et al. (arXiv 2206.00364) table 1 with v-prediction; SVD's scheduler_config.json,
with the changes of Tian-one/FCVG utils/scheduling_euler_discrete_karras_fix.py.
"""

from torch import Tensor

SIGMA_MIN, SIGMA_MAX = 0.002, 700.0
# SVD's scheduler under diffusers' names, as FCVG runs it.
SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "interpolation_type": "linear",
    "prediction_type": "v_prediction", "sigma_min": SIGMA_MIN, "sigma_max": SIGMA_MAX,
    "steps_offset": 1, "timestep_spacing": "leading", "timestep_type": "continuous",
    "use_karras_sigmas": True,
}  # fmt: skip


def timestep(sigma: Tensor) -> Tensor:
    """The timestep that SVD's networks take for a noise level: 0.25 * ln(sigma), any shape."""
    return 0.25 * sigma.float().log()


def noisy_deviation(sigma: Tensor) -> Tensor:
    """Standard deviation of latents at a noise level; without noise it is 1."""
    return (sigma**2 + 1) ** 0.5


def denoise_latents(prediction: Tensor, latents: Tensor, sigma: Tensor) -> Tensor:
    """Latents without noise, from the UNet's v-prediction.

    Args:
        prediction: [T, 4, h, w], for latents that were divided by `noisy_deviation`.
        latents: [T, 4, h, w] at the noise level `sigma`, not divided.

    Returns:
        [T, 4, h, w].
    """
    return prediction * (-sigma / noisy_deviation(sigma)) + latents / (sigma**2 + 1)
