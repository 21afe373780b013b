"""The decoder of TAESDV: convolutions over single frames that also see the frame before.

Source: madebyollin/taesdv taesdv.py:29-72, 146-160 (MIT).
"""

from functools import partial

import torch
from torch import Tensor, nn

LATENT_CHANNELS, CHANNELS = 4, 64
STAGES, BLOCKS = 3, 3  # each stage doubles height and width
MULTIPLE = 2**STAGES  # pixels of a frame for each latent, in height and in width

# What each block has got of the last frame, [1, C, h, w], from the first block to the last.
Memory = tuple[Tensor, ...]


class Decoder(nn.Module):
    """Scaled latents -> frames.

    Its attributes have the names of the published file.
    """

    def __init__(self, *, operations=nn, dtype=None, device=None):
        super().__init__()
        kept = {"dtype": dtype, "device": device}
        conv = partial(operations.Conv2d, kernel_size=3, padding=1, **kept)
        layers = [SoftClamp(), conv(LATENT_CHANNELS, CHANNELS), nn.ReLU()]
        for _ in range(STAGES):
            layers += [MemoryBlock(operations=operations, **kept) for _ in range(BLOCKS)]
            layers += [nn.Upsample(scale_factor=2), conv(CHANNELS, CHANNELS, bias=False)]
        layers += [MemoryBlock(operations=operations, **kept), conv(CHANNELS, 3)]
        self.decoder = nn.Sequential(*layers)

    def forward(self, latents: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory]:
        """Frames of a video, or of a part of a video.

        The frames go through the layers one by one. So the parts of a video, each with the memory
        of the part before it, give the same frames bit for bit as the whole video: some devices
        round differently if a convolution gets more frames at once.

        Args:
            latents: [T, 4, h, w], T > 0, scaled as between the steps of a sampler.
            memory: of the frames before these; None at the beginning of the video.

        Returns:
            Frames [T, 3, 8 h, 8 w] in 0..1, and the memory for the frames after these.
        """
        frames = None
        for i, latent in enumerate(latents.split(1)):
            frame, memory = self._decode_frame(latent, memory)
            if frames is None:
                frames = frame.new_empty(len(latents), *frame.shape[1:])
            frames[i] = frame[0].clamp(0, 1)
        return frames, memory

    def _decode_frame(self, x: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        """A frame [1, 3, 8 h, 8 w] of a latent [1, 4, h, w], and what its blocks have seen."""
        left = list(memory or ())
        seen = []
        for layer in self.decoder:
            if isinstance(layer, MemoryBlock):
                seen.append(x)
                x = layer(x, left.pop(0) if left else None)
            else:
                x = layer(x)
        return x, tuple(seen)


class MemoryBlock(nn.Module):
    """A residual block whose convolutions also see the frame before; before the first are zeros."""

    def __init__(self, *, operations, dtype=None, device=None):
        super().__init__()
        conv = partial(operations.Conv2d, kernel_size=3, padding=1, dtype=dtype, device=device)
        self.conv = nn.Sequential(
            conv(2 * CHANNELS, CHANNELS),
            nn.ReLU(),
            conv(CHANNELS, CHANNELS),
            nn.ReLU(),
            conv(CHANNELS, CHANNELS),
        )

    def forward(self, x: Tensor, before: Tensor | None) -> Tensor:
        """Features [1, C, h, w] of a frame; `before` are the features of the frame before."""
        before = torch.zeros_like(x) if before is None else before
        return torch.relu(self.conv(torch.cat([x, before], 1)) + x)


class SoftClamp(nn.Module):
    """Holds latents within -3..3, where the decoder was trained."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return torch.tanh(x / 3) * 3
