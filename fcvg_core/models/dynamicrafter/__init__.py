"""DynamiCrafter: a picture and a prompt -> a short video.

Its UNet is `models/unet3d`. This file imports nothing that needs torch, because nodes and the
command line's help read `variants.py` at once.
"""

from .variants import VARIANTS, Variant

__all__ = ["VARIANTS", "Variant"]
