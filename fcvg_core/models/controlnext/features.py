"""ControlNeXt's features, brought to a hidden state of the UNet and added to it.

Source: Tian-one/FCVG models/unet_spatio_temporal_condition_controlnext.py:452-465.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import UserError

CONTROL_SCALE = 0.2  # FCVG's control level, line 464
STD_EPSILON = 1e-5  # line 462


def prepare_control(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Features without their own mean and scale, at the hidden state's size.

    Normalising comes before pooling: the pooled features' statistics are other ones. What the
    hidden state lends (its mean and deviation) can be put on afterwards, since pooling is
    linear; so this is done once a step for all passes, and less is kept.

    Args:
        features: [T, C, h, w] of ControlNeXt.
        size: (height, width) of the hidden state that they will be added to.

    Returns:
        [T, C, *size] of mean 0 and deviation 1 before pooling, in float32.
    """
    features = features.float()  # the difference may overflow in half precision
    std, mean = torch.std_mean(features, dim=(1, 2, 3), keepdim=True)
    return F.adaptive_avg_pool2d((features - mean) / (std + STD_EPSILON), size)


def add_control(
    hidden: Tensor, control: Tensor, strength: float, level: float = CONTROL_SCALE
) -> Tensor:
    """Steer a hidden state: control takes its mean and deviation, then is added.

    Args:
        hidden: [T, C, h, w] after the network's `down_block` of the UNet, a downsampler included;
            the skip connection has been taken already and stays as it is.
        control: [T, C, h, w] from `prepare_control`.
        strength: 1.0 is the reference's; 0 changes nothing.
        level: one of the network's `levels`.
    """
    if hidden.shape != control.shape:
        raise UserError(
            f"ControlNeXt's features are {tuple(control.shape)} (frames, channels, height, width) "
            f"but the UNet's are {tuple(hidden.shape)}: the two files do not belong together, "
            "or the number of control frames is not that of the video."
        )
    std, mean = torch.std_mean(hidden, dim=(1, 2, 3), keepdim=True)
    return hidden + (control * std + mean) * (level * strength)
