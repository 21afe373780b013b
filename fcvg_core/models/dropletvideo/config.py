"""Sizes of DropletVideo's networks, and what its configuration files say beside sizes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes of the transformer; the defaults are those of DropletVideo-5B."""

    layers: int = 42
    heads: int = 48
    head_channels: int = 64
    in_channels: int = 33  # 16 of noise, 1 of the mask, 16 of the given pictures
    out_channels: int = 16
    time_channels: int = 512
    text_channels: int = 4096
    patch: int = 2

    @property
    def channels(self) -> int:
        """Channels of a token."""
        return self.heads * self.head_channels


@dataclass(frozen=True, kw_only=True)
class VaeConfig:
    """Sizes of the VAE; the defaults are those of DropletVideo-5B."""

    block_channels: tuple[int, ...] = (128, 256, 256, 512)
    layers: int = 3
    latent_channels: int = 16
    norm_groups: int = 32


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What configuration files say that tensors do not; the defaults hold without such files.

    Attributes:
        scaling_factor: what the VAE's latents are multiplied by.
        adds_noise: whether the model was trained with noise on the given pictures.
        told: names of these settings that a file has said, and "schedule" if a file has said the
            noise schedule, which must be CogVideoX-5B's.
    """

    scaling_factor: float = 0.7
    adds_noise: bool = True
    told: frozenset[str] = frozenset()
