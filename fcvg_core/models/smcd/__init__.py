"""SMCD ("Animate Your Motion"): a picture, boxes that move and a prompt -> a video.

Its UNet is `models/unet3d`, with a gate. The networks here make the tokens that the gate takes in.
"""

from .position_net import PositionNet, PositionNetConfig
from .visual_encoder import VisualEncoder, VisualEncoderConfig

__all__ = ["PositionNet", "PositionNetConfig", "VisualEncoder", "VisualEncoderConfig"]
