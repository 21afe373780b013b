"""Conditionings of a tiny DropletVideo in the host, and runs of the host's samplers."""

import torch
from torch import Tensor

SIZE = (8, 12)  # (height, width) of latents
LATENTS = 3  # latent frames


class Rig:
    """Conditionings and runs of one model."""

    def __init__(self, load, model):
        self.load, self.model = load, model
        self.keys = load("nodes.host.dropletvideo.model")
        self.width = model.model.diffusion_model.config.text_channels

    def conditioning(
        self, seed: int, *, latents: int = LATENTS, size=SIZE, length: int = 6, **more
    ) -> list:
        """A prompt with a picture, as the conditioning node gives it; fewer tokens than there."""
        mask = torch.zeros(1, 1, latents, *size)
        mask[:, :, 0] = 1
        values = {
            self.keys.PICTURE_LATENTS: random(seed + 1, 1, 16, latents, *size),
            self.keys.MASK: mask,
            self.keys.FPS: 8,
        }
        return [[random(seed, 1, length, self.width), {**values, **more}]]

    def guider(self, model=None, *, cfg: float = 3.0, positive=None, negative=None, **like):
        """The host's own guider."""
        import comfy.samplers

        guider = comfy.samplers.CFGGuider(model or self.model)
        guider.set_conds(
            positive or self.conditioning(1, **like), negative or self.conditioning(11, **like)
        )
        guider.set_cfg(cfg)
        return guider

    def sample(self, guider, *, steps: int = 2, rows: int = 1, latents: int = LATENTS) -> Tensor:
        """Final latents [B, 16, T, h, w]."""
        import comfy.samplers

        noise = random(0, rows, 16, latents, *SIZE)
        sampling = self.load("nodes.host.dropletvideo.sampling")
        return guider.sample(
            noise,
            torch.zeros_like(noise),
            comfy.samplers.sampler_object("euler"),
            sampling.trailing_levels(self.model, steps),
            disable_pbar=True,
            seed=0,
        )

    def ksample(
        self, model=None, *, steps: int = 3, sampler: str = "euler", noise=None, **more
    ) -> Tensor:
        """What KSampler makes of `latent_image`, which is empty if it is not given."""
        import comfy.sample

        empty = torch.zeros(1, 16, LATENTS, *SIZE)
        return comfy.sample.sample(
            model or self.model,
            random(0, *empty.shape) if noise is None else noise,
            steps,
            3.0,
            sampler,
            "simple",
            self.conditioning(1),
            self.conditioning(11),
            **{"latent_image": empty, "seed": 0, "disable_pbar": True, **more},
        )


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def encode(clip, prompt: str) -> Tensor:
    """[1, 400, D] of a prompt."""
    return clip.encode_from_tokens(clip.tokenize(prompt, disable_weights=True))
