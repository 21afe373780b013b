"""The UNet of DynamiCrafter and SMCD; the differences are switches of its Config."""

from .config import GATES, IMAGE_ATTENTIONS, Config
from .keys import unet3d_config
from .network import UNet3D

__all__ = ["GATES", "IMAGE_ATTENTIONS", "Config", "UNet3D", "unet3d_config"]
