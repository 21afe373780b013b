"""Whether what is connected to a conditioning node belongs to its family."""

import comfy.sd

from ....fcvg_core.errors import UserError


def check_prompt(prompt: list, name: str, width: int, family: str) -> None:
    """Raise UserError unless a prompt has tokens of the width that the UNet takes.

    Args:
        prompt: a CONDITIONING.
        name: of the node's input.
        family: its loader is called so.
    """
    for text, _ in prompt:
        if text.ndim != 3 or text.shape[-1] != width:
            raise UserError(
                f"{name} has text tokens of the shape {list(text.shape)}, but {family} takes the "
                f"width {width}: encode the prompt with the CLIP of Load {family}, or with the "
                "text encoder of Stable Diffusion 2.1."
            )


def check_vae(vae: comfy.sd.VAE, family: str) -> None:
    """Raise UserError unless a VAE makes latents like those of Stable Diffusion."""
    vae.throw_exception_if_invalid()
    if (vae.latent_channels, vae.latent_dim) != (4, 2):
        raise UserError(
            f"The VAE makes latents of {vae.latent_channels} channels and {vae.latent_dim} "
            f"dimensions, but {family}'s have 4 channels and 2 dimensions: connect the VAE of Load "
            f"{family}, or a VAE of Stable Diffusion 1 or 2."
        )
