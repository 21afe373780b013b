"""TAESDV: a tiny decoder that turns latents of SD's VAEs into a video, roughly but quickly."""

from .keys import decoder_weights
from .network import MULTIPLE, Decoder, Memory
from .preview import LONGEST_SIDE, shrink_latents

__all__ = ["LONGEST_SIDE", "MULTIPLE", "Decoder", "Memory", "decoder_weights", "shrink_latents"]
