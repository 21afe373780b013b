"""Whether a ControlNeXt fits the UNet that it would steer, and the method that uses it."""

from ...errors import UserError
from .network import ControlNeXt


def check_fit(network: ControlNeXt, channels: list[int] | tuple[int, ...]) -> None:
    """Raise UserError unless a network's features fit the UNet that they would steer.

    Args:
        channels: of the UNet's blocks, from the first to the last.
    """
    own, theirs = network.config.out_channels, channels[network.config.down_block]
    if own == theirs:
        return
    where = "middle" if network.config.down_block else "second"
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
