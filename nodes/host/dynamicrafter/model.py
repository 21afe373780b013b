"""DynamiCrafter as the host's MODEL: its network, its noise levels, its conditioning.

Source: DynamiCrafter (arXiv 2310.12190); Doubiiu/DynamiCrafter lvdm/models/ddpm3d.py.
"""

import comfy.conds

from ....fcvg_core.models.dynamicrafter.variants import Variant
from ....fcvg_core.models.unet3d import Config
from ....fcvg_core.sampling import noise_table
from ....fcvg_core.weights import StateDict
from ..unet3d.levels import TableSampling
from ..unet3d.model import HostUNet, UNet3DConfig, UNet3DModel

NAME = "DynamiCrafter"
# Keys of a conditioning, which DynamiCrafter Conditioning writes, beside IMAGE_LATENTS.
IMAGE_TOKENS = "dynamicrafter_image_tokens"
RATE = "dynamicrafter_rate"
VARIANT = "dynamicrafter_variant"  # of the projector that made the image tokens


class DynamiCrafterUNet(HostUNet):
    """DynamiCrafter's UNet."""

    family = NAME


class DynamiCrafterConfig(UNet3DConfig):
    """What the host's loaders know of a model, for DynamiCrafter."""

    def __init__(self, config: Config, variant: Variant):
        super().__init__(config)
        self.variant = variant

    def get_model(
        self, state_dict: StateDict, prefix: str = "", device=None
    ) -> "DynamiCrafterModel":
        """The model without weights; the arguments are the host's."""
        return DynamiCrafterModel(self, device=device)


class DynamiCrafterModel(UNet3DModel):
    """DynamiCrafter among the host's models.

    Attributes:
        variant: which of the published checkpoints it is.
    """

    family = NAME

    def __init__(self, model_config: DynamiCrafterConfig, device=None):
        variant = model_config.variant
        table = noise_table(zero_snr=variant.zero_snr, base_scale=variant.base_scale)
        sampling = TableSampling(variant.prediction, table)
        super().__init__(model_config, sampling, DynamiCrafterUNet, variant, device)

    def extra_conds(self, **given) -> dict:
        """As `UNet3DModel.extra_conds`."""
        tokens = given.get(IMAGE_TOKENS)
        if tokens is None:
            raise self.wrong_entry("no picture")
        return {
            **super().extra_conds(**given),
            "image_tokens": comfy.conds.CONDRegular(tokens),
            "rate": comfy.conds.CONDConstant(given[RATE]),
        }
