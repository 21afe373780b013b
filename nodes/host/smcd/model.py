"""SMCD as the host's MODEL: its network, its noise levels, its conditioning.

Source: "Animate Your Motion" (arXiv 2403.10179); Mingxiao-Li/Animate-Your-Motion
modelscope_t2v/diffusion.py, modelscope_t2v/ms_pipeline.py.
"""

import comfy.conds
from torch import Tensor

from ....fcvg_core.choices import UNIFORM
from ....fcvg_core.models.dynamicrafter.variants import EPS
from ....fcvg_core.sampling import noise_table
from ....fcvg_core.weights import StateDict
from ..unet3d.levels import TableSampling
from ..unet3d.model import HostUNet, Meant, UNet3DConfig, UNet3DModel

NAME = "SMCD"
# Keys of a conditioning, which SMCD Conditioning writes, beside IMAGE_LATENTS.
OBJECTS = "smcd_objects"  # [T, n, D] tokens of the objects in each frame
IMAGE_TOKENS = "smcd_image"  # [T, L, D] tokens of the first frame


class SmcdUNet(HostUNet):
    """SMCD's UNet."""

    family = NAME


class SmcdConfig(UNet3DConfig):
    """What the host's loaders know of a model, for SMCD."""

    def get_model(self, state_dict: StateDict, prefix: str = "", device=None) -> "SmcdModel":
        """The model without weights; the arguments are the host's."""
        return SmcdModel(self, device=device)


class SmcdModel(UNet3DModel):
    """SMCD among the host's models."""

    family = NAME

    def __init__(self, model_config: SmcdConfig, device=None):
        table = noise_table(zero_snr=False, base_scale=None)
        sampling = TableSampling(EPS, table, leads_a_stride=True)
        meant = Meant(NAME, UNIFORM, rescale=0.0)
        super().__init__(model_config, sampling, SmcdUNet, meant, device)

    def extra_conds(self, **given) -> dict:
        """As `UNet3DModel.extra_conds`."""
        return {
            "image_tokens": self._tokens(given, IMAGE_TOKENS, "no picture"),
            "objects": self._tokens(given, OBJECTS, "no boxes"),
            **super().extra_conds(**given),
        }

    def _tokens(self, given: dict, key: str, lacking: str) -> comfy.conds.CONDRegular:
        """Tokens [T, n, D] of an entry."""
        tokens: Tensor | None = given.get(key)
        if tokens is None:
            raise self.wrong_entry(lacking)
        self.check_frames(len(tokens), len(given["noise"]))
        return comfy.conds.CONDRegular(tokens)
