"""Videos with noise under SMCD's UNet: what it predicts, and how far it is from the noise."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...sampling import noise_table

TABLE = noise_table(zero_snr=False, base_scale=None)


@dataclass(frozen=True, eq=False)
class Passes:
    """V videos of T frames, their noise and their conditions; frames lie in the batch, N = V * T.

    Attributes:
        latents: [N, 4, h, w] of every frame, scaled, without noise.
        noise: [N, 4, h, w], unit variance.
        timesteps: [V] whole numbers in 0..999.
        concat: [N, 4, h, w] latents beside those with noise: the first frame's, or zeros.
        text: [V, L, D] tokens of the prompts.
        objects: [N, n, D] tokens.
        image: [N, m, D] tokens of the first frame.
    """

    latents: Tensor
    noise: Tensor
    timesteps: Tensor
    concat: Tensor
    text: Tensor
    objects: Tensor
    image: Tensor

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.latents) // len(self.timesteps)


def add_noise(latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """Latents [N, 4, h, w] at timesteps [V], each of which counts for N / V frames."""
    alphas = TABLE.alphas[timesteps.cpu()].repeat_interleave(len(latents) // len(timesteps))
    kept, added = (share.sqrt().to(latents)[:, None, None, None] for share in (alphas, 1 - alphas))
    return kept * latents + added * noise


def predict_noise(unet: nn.Module, passes: Passes) -> Tensor:
    """The UNet's output [N, 4, h, w], float32."""
    noisy = add_noise(passes.latents, passes.noise, passes.timesteps)
    every_frame = {"repeats": passes.num_frames, "dim": 0}
    return unet(
        torch.cat([noisy, passes.concat], dim=1),
        passes.timesteps.repeat_interleave(**every_frame),
        passes.text.repeat_interleave(**every_frame),
        num_frames=passes.num_frames,
        image_tokens=passes.image,
        objects=passes.objects,
    ).float()


def noise_loss(unet: nn.Module, passes: Passes) -> Tensor:
    """The mean squared error [V] of each video; the official loss is the mean of all.

    Source: Mingxiao-Li/Animate-Your-Motion train.py, modelscope_shared_step.
    """
    errors = (predict_noise(unet, passes) - passes.noise.float()) ** 2
    return errors.unflatten(0, (-1, passes.num_frames)).mean(dim=(1, 2, 3, 4))
