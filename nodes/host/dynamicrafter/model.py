"""DynamiCrafter as the host's MODEL: its network, its noise levels, its conditioning.

Frames lie in the batch, as in the host's SVD, so the host's samplers, previews and windows work.

Source: DynamiCrafter (arXiv 2310.12190); Doubiiu/DynamiCrafter lvdm/models/ddpm3d.py.
"""

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.supported_models_base
import comfy.utils
import torch
from comfy.model_base import ModelType
from comfy.model_sampling import ModelSamplingDiscrete
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dynamicrafter.variants import EPS, Variant
from ....fcvg_core.models.unet3d import Config, UNet3D
from ....fcvg_core.sampling import noise_table
from ....fcvg_core.weights import StateDict
from ..network_calls import HostNetwork

# Keys of a conditioning, which DynamiCrafter Conditioning writes.
IMAGE_LATENTS = "concat_latent_image"
IMAGE_TOKENS = "dynamicrafter_image_tokens"
RATE = "dynamicrafter_rate"
VARIANT = "dynamicrafter_variant"  # of the projector that made the image tokens


class HostUNet(HostNetwork, UNet3D):
    """The UNet as the host calls its own."""

    family = "DynamiCrafter"
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
        image_tokens: Tensor,
        rate: int,
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
            rate=torch.full_like(timesteps, rate),
            control=control,
        )


class DynamiCrafterSampling(ModelSamplingDiscrete):
    """Noise levels with dynamic rescale, between the host's state and the network's.

    The host's state is clean + sigma * noise. The network sees this state times sqrt(alpha) *
    scale; its output is noise or velocity of the scaled clean latents. See `NoiseTable`.
    """

    def __init__(self, variant: Variant):
        super().__init__()
        self.prediction = variant.prediction
        self.table = noise_table(zero_snr=variant.zero_snr, base_scale=variant.base_scale)
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


class DynamiCrafterConfig(comfy.supported_models_base.BASE):
    """What the host's loaders know of a model, for DynamiCrafter."""

    unet_extra_config = {}
    latent_format = comfy.latent_formats.SD15
    # The host's default. It reserves twice the numbers that a step holds, see `fcvg_core.estimate`.
    memory_usage_factor = 2.0

    def __init__(self, config: Config, variant: Variant):
        super().__init__({"config": config, **_sd2_names(config)})
        self.variant = variant

    def get_model(
        self, state_dict: StateDict, prefix: str = "", device=None
    ) -> "DynamiCrafterModel":
        """The model without weights; the arguments are the host's."""
        return DynamiCrafterModel(self, device=device)


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


class DynamiCrafterModel(comfy.model_base.BaseModel):
    """DynamiCrafter among the host's models.

    Attributes:
        variant: which of the published checkpoints it is.
    """

    def __init__(self, model_config: DynamiCrafterConfig, device=None):
        variant = model_config.variant
        kind = ModelType.EPS if variant.prediction == EPS else ModelType.V_PREDICTION
        super().__init__(model_config, kind, device=device, unet_model=HostUNet)
        self.variant = variant
        self.model_sampling = DynamiCrafterSampling(variant)

    def extra_conds(self, **given) -> dict:
        """The network's inputs from one entry of a conditioning.

        Raises:
            UserError: the entry does not come from DynamiCrafter Conditioning, or was made for
                another number of frames.
        """
        noise = given["noise"]
        image, tokens = given.get(IMAGE_LATENTS), given.get(IMAGE_TOKENS)
        if image is None or tokens is None:
            raise UserError(
                "The conditioning holds no picture for DynamiCrafter: connect the outputs of "
                "DynamiCrafter Conditioning to the sampler or guider."
            )
        if len(image) != len(noise):
            raise UserError(
                f"The conditioning was made for {len(image)} frames, but the latent has "
                f"{len(noise)}: connect the latent of the same DynamiCrafter Conditioning."
            )
        image = self.process_latent_in(image)  # multiplies alone, so zeros stay zeros
        if image.shape[-2:] != noise.shape[-2:]:
            size = noise.shape[-1], noise.shape[-2]
            image = comfy.utils.common_upscale(image, *size, "bilinear", "center")
        conds = {
            "c_concat": comfy.conds.CONDNoiseShape(image),
            "c_crossattn": comfy.conds.CONDCrossAttn(given["cross_attn"]),
            "image_tokens": comfy.conds.CONDRegular(tokens),
            "rate": comfy.conds.CONDConstant(given[RATE]),
            # The host's context windows write their own length here.
            "num_video_frames": comfy.conds.CONDConstant(len(noise)),
        }
        if (text := given.get("cross_attn_controlnet")) is not None:
            conds["crossattn_controlnet"] = comfy.conds.CONDCrossAttn(text)
        return conds

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
