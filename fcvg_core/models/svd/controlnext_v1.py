"""ControlNeXt v1: the first ControlNeXt-SVD, which steers what enters SVD's middle block.

It sees control at half the resolution of v2 (a pooling after the stem, a third residual block)
and has learned how strongly control acts.

Source: ControlNeXt (arXiv 2408.06070); dvlab-research/ControlNeXt ControlNeXt-SVD/models/
controlnext_vid_svd.py, unet_spatio_temporal_condition_controlnext.py:464-472 and pipeline/
pipeline_stable_video_diffusion_controlnext.py:571-579.
"""

from dataclasses import dataclass

import torch
from torch import nn

from ...errors import UserError
from .controlnext import Config, ControlNeXt

SCALE_LIMIT = 1.3  # unet_..._controlnext.py:472: control acts with sigmoid(scale) * 1.3


@dataclass(frozen=True)
class ConfigV1(Config):
    """Sizes of the published network."""

    out_channels: int = 1280  # of SVD's last block
    down: tuple[int, ...] = (128, 256, 256)
    version: int = 1


class ControlNeXtV1(ControlNeXt):
    """ControlNeXt v2's blocks, one more of them, behind a pooling."""

    down_block = -1  # the last one, so control comes before the middle block
    halvings = 3
    repeats_first_frame = False

    def __init__(self, config: Config, *, operations=nn, dtype=None, device=None):
        super().__init__(config, operations=operations, dtype=dtype, device=device)
        self.embedding.append(nn.MaxPool2d(2))
        self.scale = nn.Parameter(torch.ones((), dtype=dtype, device=device))

    def levels(self) -> tuple[float, float]:
        """How strongly control acts on the conditional and on the unconditional half.

        The reference zeroes the unconditional half's scale *before* the sigmoid: 0.65 is left.
        """
        return SCALE_LIMIT * float(self.scale.float().sigmoid()), SCALE_LIMIT / 2


def build_controlnext(
    config: Config, *, operations=nn, dtype: torch.dtype | None = None, device=None
) -> ControlNeXt:
    """The network that a config is of, version 1 or 2."""
    kind = ControlNeXtV1 if config.version == 1 else ControlNeXt
    return kind(config, operations=operations, dtype=dtype, device=device)


def check_fit(network: ControlNeXt, channels: list[int] | tuple[int, ...]) -> None:
    """Raise UserError unless a network's features fit the UNet that they would steer.

    Args:
        channels: of the UNet's blocks, from the first to the last.
    """
    own, theirs = network.config.out_channels, channels[network.down_block]
    if own == theirs:
        return
    where = "middle" if network.down_block else "second"
    raise UserError(
        f"ControlNeXt v{network.config.version} gives {own} channels, but the UNet takes {theirs} "
        f"into its {where} block: the two files belong to different models. Take the UNet that "
        "came with the ControlNeXt file, or another one made of SVD."
    )


def check_version(network: ControlNeXt) -> None:
    """Raise UserError unless a network is version 2, the one that FCVG was trained with."""
    if network.config.version != 2:
        raise UserError(
            f"This is ControlNeXt v{network.config.version}, but FCVG works with v2: take "
            "controlnext.safetensors of FCVG, or animate one image with ControlNeXt-SVD instead."
        )
