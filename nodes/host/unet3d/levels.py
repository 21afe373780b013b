"""Noise levels of the official code, between the host's state and the network's.

Source: Doubiiu/DynamiCrafter lvdm/models/ddpm3d.py; Mingxiao-Li/Animate-Your-Motion
modelscope_t2v/diffusion.py.
"""

from comfy.model_sampling import ModelSamplingDiscrete
from torch import Tensor

from ....fcvg_core.models.dynamicrafter.variants import EPS
from ....fcvg_core.sampling import NoiseTable


class TableSampling(ModelSamplingDiscrete):
    """Noise levels of a table, with dynamic rescale.

    The host's state is clean + sigma * noise. The network sees this state times sqrt(alpha) *
    scale; its output is noise or velocity of the scaled clean latents. See `NoiseTable`.

    Args:
        prediction: EPS or V: what the network predicts.
        table: the noise of the network's timesteps.
        leads_a_stride: whether steps of DDIM are those of SMCD, see `lead_a_stride`.
    """

    def __init__(self, prediction: str, table: NoiseTable, *, leads_a_stride: bool = False):
        super().__init__()
        self.prediction, self.leads_a_stride = prediction, leads_a_stride
        self.table = table
        self.set_sigmas(self.table.sigmas)
        self.register_buffer("scales", self.table.scales.float())

    def calculate_input(self, sigma: Tensor, noise: Tensor) -> Tensor:
        """The host's state -> what the network sees."""
        _, scale, root = self._level(sigma, noise)
        return noise * (scale * root)

    def calculate_denoised(self, sigma: Tensor, model_output: Tensor, model_input: Tensor):
        """The network's output -> clean latents, from the host's state."""
        sigma, _, root = self._level(sigma, model_input)
        if self.prediction == EPS:
            return model_input - sigma * model_output
        return root**2 * model_input - sigma * root * model_output

    def network_output(self, sigma: Tensor, denoised: Tensor, state: Tensor) -> Tensor:
        """The output for which `calculate_denoised` gives these clean latents."""
        sigma, _, root = self._level(sigma, state)
        if self.prediction == EPS:
            return (state - denoised) / sigma
        return (root**2 * state - denoised) / (sigma * root)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """The state that a run begins with.

        A run without a video to start from begins with what the official code begins with: the
        network sees unit noise, whatever the first timestep is.
        """
        if max_denoise or not latent_image.any():
            _, scale, root = self._level(sigma, noise)
            return noise / (scale * root) + latent_image
        return noise * _spread(sigma, noise) + latent_image

    def inverse_noise_scaling(self, sigma: Tensor, latent: Tensor) -> Tensor:
        """The result of a run that ended at a noise level.

        At the level that DDIM Schedule ends with, the result is the network's state, as in the
        official code. Every other level leaves the host's state as it is.
        """
        end = float(sigma)
        lowest = self.table.sigmas[0] / self.table.scales.min()
        if not 0 < end <= float(lowest) * (1 + 1e-5):
            return latent
        return latent * (float((1 - self.table.alphas[0]).sqrt()) / end)

    def _level(self, sigma: Tensor, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sigma, scale and sqrt(alpha) of noise levels, ready to be multiplied with `like`."""
        sigma = sigma.reshape(-1)  # with masks the host gives it as many axes as the latents have
        scale = self.scales.to(sigma.device)[self.timestep(sigma)]
        root = ((scale * sigma) ** 2 + 1).rsqrt()
        return tuple(_spread(x, like) for x in (sigma, scale, root))


def _spread(values: Tensor, like: Tensor) -> Tensor:
    """One number, or one for each frame of `like`, in a shape that multiplies with it."""
    if values.numel() == 1:
        return values.reshape(())
    return values.reshape(-1, *[1] * (like.ndim - 1))
