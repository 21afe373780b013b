"""The UNet of DynamiCrafter and SMCD as the host's MODEL: frames lie in the batch, as in SVD.

So the host's samplers, previews and windows work.
"""

from dataclasses import dataclass

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.supported_models_base
import comfy.utils
import torch
from comfy.model_base import ModelType
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dynamicrafter.variants import EPS
from ....fcvg_core.models.unet3d import Config, UNet3D
from ..network_calls import HostNetwork
from .levels import TableSampling

# Key of a conditioning, which both families' conditioning nodes write: [T, 4, h, w] latents of
# pictures as the VAE gives them.
IMAGE_LATENTS = "concat_latent_image"


@dataclass(frozen=True)
class Meant:
    """What a model is meant for, where a run may differ; DynamiCrafter's `Variant` has it too.

    Attributes:
        name: the model's name for people.
        spacing: of timesteps, one of SPACINGS of `choices`.
        rescale: share of the contrast before guidance that comes back, 0..1.
    """

    name: str
    spacing: str
    rescale: float


class HostUNet(HostNetwork, UNet3D):
    """The UNet as the host calls its own."""

    # Where the host may choose, it computes in float32, as for SD 2.
    attention = {"attn_precision": torch.float32}

    def predict(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        control: dict | None,
        *,
        num_video_frames: int,
        image_tokens: Tensor | None = None,
        rate: int | None = None,
        objects: Tensor | None = None,
        **others,
    ) -> Tensor:
        """As `HostNetwork.predict`: [N, 4, h, w]."""
        return UNet3D.forward(
            self,
            x,
            timesteps,
            context,
            num_frames=num_video_frames,
            image_tokens=image_tokens,
            rate=None if rate is None else torch.full_like(timesteps, rate),
            objects=objects,
            control=control,
        )


class UNet3DConfig(comfy.supported_models_base.BASE):
    """What the host's loaders know of a model; a family writes `get_model`."""

    unet_extra_config = {}
    latent_format = comfy.latent_formats.SD15
    # The host's default. It reserves twice the numbers that a step holds, see `fcvg_core.estimate`.
    memory_usage_factor = 2.0

    def __init__(self, config: Config):
        super().__init__({"config": config, **_sd2_names(config)})


def _sd2_names(config: Config) -> dict:
    """Sizes under the names of the host's SD 2, by which LoRAs of SD 2.1 find their layers."""
    depths = [int(level in config.attention_levels) for level in range(len(config.channel_mult))]
    blocks = config.num_res_blocks
    return {
        "in_channels": config.in_channels,
        "out_channels": config.out_channels,
        "model_channels": config.model_channels,
        "channel_mult": list(config.channel_mult),
        "num_res_blocks": [blocks] * len(depths),
        "transformer_depth": [depth for depth in depths for _ in range(blocks)],
        "transformer_depth_output": [depth for depth in depths for _ in range(blocks + 1)],
        "transformer_depth_middle": 1,
        "context_dim": config.context_channels,
    }


class UNet3DModel(comfy.model_base.BaseModel):
    """A family among the host's models.

    Args:
        sampling: its noise levels.
        network: builds its network.

    Attributes:
        family: name of the family, whose conditioning node has this name too.
        variant: what the model is meant for, see `Meant`.
    """

    family: str

    def __init__(
        self,
        model_config: UNet3DConfig,
        sampling: TableSampling,
        network: type[HostUNet],
        variant,
        device=None,
    ):
        kind = ModelType.EPS if sampling.prediction == EPS else ModelType.V_PREDICTION
        super().__init__(model_config, kind, device=device, unet_model=network)
        self.variant = variant
        self.model_sampling = sampling

    def extra_conds(self, **given) -> dict:
        """The network's inputs from one entry of a conditioning; a family adds its own.

        Raises:
            UserError: the entry does not come from the family's conditioning node, or was made for
                another number of frames; or the latent is of another family.
        """
        noise, image = given["noise"], given.get(IMAGE_LATENTS)
        if noise.shape[1] != self.latent_format.latent_channels:
            raise UserError(
                f"The latent has {noise.shape[1]} channels, but {self.family}'s have "
                f"{self.latent_format.latent_channels}: connect the latent of {self.family} "
                "Conditioning, or encode the video with a VAE of Stable Diffusion 1 or 2."
            )
        if image is None:
            raise self.wrong_entry("no picture")
        self.check_frames(len(image), len(noise))
        image = self.process_latent_in(image)  # multiplies alone, so zeros stay zeros
        if image.shape[-2:] != noise.shape[-2:]:
            size = noise.shape[-1], noise.shape[-2]
            image = comfy.utils.common_upscale(image, *size, "bilinear", "center")
        conds = {
            "c_concat": comfy.conds.CONDNoiseShape(image),
            "c_crossattn": comfy.conds.CONDCrossAttn(given["cross_attn"]),
            # The host's context windows write their own length here.
            "num_video_frames": comfy.conds.CONDConstant(len(noise)),
        }
        if (text := given.get("cross_attn_controlnet")) is not None:
            conds["crossattn_controlnet"] = comfy.conds.CONDCrossAttn(text)
        return conds

    def wrong_entry(self, lacking: str) -> UserError:
        """What is said of a conditioning that lacks something."""
        return UserError(
            f"The conditioning holds {lacking} for {self.family}: connect the outputs of "
            f"{self.family} Conditioning to the sampler or guider."
        )

    def check_frames(self, found: int, num_frames: int) -> None:
        """Raise UserError unless a conditioning was made for as many frames as a latent has."""
        if found != num_frames:
            raise UserError(
                f"The conditioning was made for {found} frames, but the latent has {num_frames}: "
                f"connect the latent of the same {self.family} Conditioning."
            )

    def resize_cond_for_context_window(
        self, cond_key: str, cond_value, window, x_in: Tensor, device, retain_index_list=()
    ):
        """Newer hosts ask so for the value of an input in a context window; None: their own.

        Their windows may begin with one more frame, which they do not count ("causal window fix").
        """
        if cond_key != "num_video_frames":
            return None
        anchor = getattr(window, "causal_anchor_index", None)
        return comfy.conds.CONDConstant(len(window.index_list) + (anchor is not None))
