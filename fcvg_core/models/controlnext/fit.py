"""Whether a ControlNeXt fits the UNet, the video and the method that it is used with."""

from collections.abc import Sized

from ...errors import UserError
from .network import ControlNeXt


def check_fit(network: ControlNeXt, channels: list[int] | tuple[int, ...]) -> None:
    """Raise UserError unless a network's features have the channels that the UNet needs.

    Args:
        channels: output channels of the UNet's down blocks, from the first to the last.
    """
    made, needed = network.config.out_channels, channels[network.config.down_block]
    if made == needed:
        return
    where = "middle" if network.config.down_block else "second"
    raise UserError(
        f"ControlNeXt v{network.config.version} gives {made} channels, but the UNet takes {needed} "
        f"into its {where} block: the two files belong to different models. Use the UNet that "
        "came with the ControlNeXt file, or another UNet that was trained from SVD."
    )


def check_num_frames(control_frames: Sized, num_frames: int) -> None:
    """Raise UserError unless there are as many control frames as the video has frames."""
    if len(control_frames) != num_frames:
        raise UserError(
            f"The video has {num_frames} frames but there are {len(control_frames)} control "
            "frames: use the same number of frames in both."
        )


def check_version(network: ControlNeXt) -> None:
    """Raise UserError unless a network is version 2, which FCVG was trained with."""
    if network.config.version != 2:
        raise UserError(
            f"This is ControlNeXt v{network.config.version}, but FCVG works with v2: use "
            "controlnext.safetensors of FCVG, or animate one image with ControlNeXt-SVD instead."
        )
