"""DropletVideo as the host's MODEL: its network, its noise levels, its conditioning.

Source: DropletVideo (arXiv 2503.06053); IEIT-AGI/DropletVideo pipeline.py.
"""

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.supported_models_base
import comfy.utils
import torch
from comfy.model_base import ModelType
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dropletvideo.conditioning import concat_conditions
from ....fcvg_core.models.dropletvideo.config import ModelSettings, TransformerConfig
from ....fcvg_core.models.dropletvideo.network import DropletVideoTransformer
from ....fcvg_core.models.dropletvideo.rules import FRAMES_A_LATENT
from ....fcvg_core.weights import StateDict
from ..network_calls import HostNetwork

NAME = "DropletVideo"
# Keys of a conditioning, which DropletVideo Conditioning writes.
PICTURE_LATENTS = "concat_latent_image"  # [1, 16, T, h, w] as the VAE gives them, unscaled
MASK = "dropletvideo_mask"  # [1, 1, T, h, w], 1 where a latent frame is given, else 0: unscaled
FPS = "dropletvideo_fps"  # a number


class HostTransformer(HostNetwork, DropletVideoTransformer):
    """The transformer as the host calls its own networks."""

    family = NAME

    def predict(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        control: dict | None,
        *,
        fps: Tensor,
        **others,
    ) -> Tensor:
        """As `HostNetwork.predict`: [B, 16, T, h, w]."""
        return DropletVideoTransformer.forward(self, x, timesteps, context=context, fps=fps)


class Latents(comfy.latent_formats.LatentFormat):
    """What the host knows of the VAE's latents.

    Args:
        scaling_factor: what the latents are multiplied by for the network.
    """

    latent_channels = 16
    latent_dimensions = 3
    temporal_downscale_ratio = FRAMES_A_LATENT

    def __init__(self, scaling_factor: float):
        super().__init__()
        self.scale_factor = scaling_factor


class DropletVideoConfig(comfy.supported_models_base.BASE):
    """What the host's loaders know of a model, for DropletVideo."""

    unet_extra_config = {}
    # The host's "linear" is called scaled linear elsewhere.
    sampling_settings = {
        "beta_schedule": "linear",
        "linear_start": 0.00085,
        "linear_end": 0.012,
        "zsnr": True,
    }
    # In half precision (fp16) the activations of CogVideoX-5B, on which it stands, overflow.
    supported_inference_dtypes = [torch.bfloat16, torch.float32]
    # Reserves 10.9 numbers for each of the 3072 channels of a token; a step holds 8.4 at once.
    memory_usage_factor = 0.8

    def __init__(self, config: TransformerConfig, settings: ModelSettings):
        self.latent_format = lambda: Latents(settings.scaling_factor)  # the host calls it
        super().__init__({"config": config})

    def get_model(self, state_dict: StateDict, prefix: str = "", device=None):
        """The model without weights; the arguments are the host's."""
        return DropletVideoModel(self, device=device)


class DropletVideoModel(comfy.model_base.BaseModel):
    """DropletVideo among the host's models."""

    def __init__(self, model_config: DropletVideoConfig, device=None):
        kind = ModelType.V_PREDICTION
        super().__init__(model_config, kind, device=device, unet_model=HostTransformer)

    def extra_conds(self, **given) -> dict:
        """The network's inputs from one entry of a conditioning.

        Raises:
            UserError: the entry does not come from DropletVideo Conditioning, was made for
                another number of frames, or its text for another model.
        """
        text, fps = given.get("cross_attn"), given.get(FPS)
        latents, mask = given.get(PICTURE_LATENTS), given.get(MASK)
        if latents is None or mask is None or fps is None:
            raise UserError(
                "The conditioning holds no picture for DropletVideo: connect the outputs of "
                "DropletVideo Conditioning to the sampler or guider."
            )
        _check_text(text, self.diffusion_model.config.text_channels)
        # CONDRegular, because the host repeats texts of other lengths in CONDCrossAttn: every
        # token is read here, and a repeated text would be another text.
        return {
            "c_concat": comfy.conds.CONDNoiseShape(
                self._fit(concat_conditions(mask, latents), given["noise"])
            ),
            "c_crossattn": comfy.conds.CONDRegular(text),
            "fps": comfy.conds.CONDRegular(torch.tensor([fps])),
        }

    def _fit(self, conditions: Tensor, noise: Tensor) -> Tensor:
        """Mask and pictures [B, 17, T, h, w], scaled, in the size of the latents."""
        if conditions.shape[2] != noise.shape[2]:
            raise UserError(
                f"The conditioning was made for {conditions.shape[2]} latent frames, but the "
                f"latent has {noise.shape[2]}: connect the latent of the same DropletVideo "
                "Conditioning."
            )
        if conditions.shape[-2:] != noise.shape[-2:]:
            size = noise.shape[-1], noise.shape[-2]
            conditions = comfy.utils.common_upscale(conditions, *size, "bilinear", "center")
        return self.process_latent_in(conditions)  # multiplies alone: the mask is scaled too

    def _apply_model(self, x: Tensor, t: Tensor, c_concat: Tensor | None = None, *args, **inputs):
        """As the host; in old hosts, context windows do not cut the pictures."""
        if c_concat is not None and c_concat.shape[2] != x.shape[2]:
            raise UserError(
                f"The network got {x.shape[2]} latent frames, but pictures for "
                f"{c_concat.shape[2]}: the context windows of this ComfyUI can't cut them. Update "
                "ComfyUI, or take the context windows out."
            )
        return super()._apply_model(x, t, c_concat, *args, **inputs)


def _check_text(text: Tensor | None, channels: int) -> None:
    """Raise UserError for a text that another encoder has encoded, or for none."""
    found = 0 if text is None else text.shape[-1]
    if found != channels:
        raise UserError(
            f"The text has {found} numbers for each token, but DropletVideo reads "
            f"{channels}: encode it by DropletVideo Text Encode, with the CLIP of Load "
            "DropletVideo or T5-XXL."
        )
