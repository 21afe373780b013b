"""The VAE: a video in chunks of four frames <-> latents in chunks of two.

A chunk begins with what the convolutions have seen of the chunk before it. Norms see one chunk at
a time, so the sizes of the chunks belong to the model: other sizes give other numbers.

Attribute names are the checkpoint's.

Source: IEIT-AGI/DropletVideo vae.py.
Differs: 2 and 3 frames can be encoded, too; one frame leaves nothing behind for the next video.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from .config import VaeConfig
from .rules import decoded_frames
from .vae_layers import (
    Build,
    CausalConv,
    Downsample,
    LatentNorm,
    Level,
    Past,
    Upsample,
    activate,
    join_in_time,
)

COLORS = 3
FRAMES_A_CHUNK, LATENTS_A_CHUNK = 4, 2
TIME_LEVELS = 2  # the first changes of size compress time, too
MIDDLE_BLOCKS = 2


class VideoVae(nn.Module):
    """Pictures in -1..1 <-> latents, unscaled.

    Args:
        config: sizes of the network.
        operations: the module that layers come from, for example `torch.nn`.
        dtype, device: of the weights.
    """

    def __init__(self, config: VaeConfig, *, operations=nn, dtype=None, device=None):
        super().__init__()
        build = Build(config, operations, {"dtype": dtype, "device": device})
        self.encoder, self.decoder = Encoder(build), Decoder(build)

    def encode(self, video: Tensor) -> Tensor:
        """The mode of a video's latents, see `encode_moments`; without a seed.

        Args:
            video: [B, 3, F, H, W] in -1..1.

        Returns:
            [B, 16, T, H / 8, W / 8].
        """
        return self.encode_moments(video).chunk(2, dim=1)[0]

    def encode_moments(self, video: Tensor) -> Tensor:
        """Mean and logarithm of the variance of a video's latents.

        Args:
            video: [B, 3, F, H, W] in -1..1, F > 0, usually 4k + 1; H and W multiples of 8.

        Returns:
            [B, 32, T, H / 8, W / 8], T = k + 1.

        Raises:
            ValueError: the video has no frame.
        """
        past: Past = {}
        parts = [self.encoder(part, past) for part in _chunks(video, FRAMES_A_CHUNK)]
        return join_in_time(parts, sum(part.shape[2] for part in parts))

    def decode(self, latents: Tensor) -> Tensor:
        """The video of latents, all chunks in one tensor.

        Args:
            latents: [B, 16, T, h, w], unscaled, T > 0.

        Returns:
            [B, 3, F, 8 h, 8 w] in about -1..1; F is 4 T for an even T, 4 T - 3 for an odd T.
        """
        return join_in_time(self.decode_chunks(latents), decoded_frames(latents.shape[2]))

    def decode_chunks(self, latents: Tensor) -> Iterator[Tensor]:
        """The video of latents, chunk by chunk: needs memory for one chunk, however long it is.

        Args:
            latents: see `decode`.

        Yields:
            [B, 3, f, 8 h, 8 w]: first 1, 8 or 9 frames, then 8 frames each.

        Raises:
            ValueError: there are no latents.
        """
        past: Past = {}
        for part in _chunks(latents, LATENTS_A_CHUNK):
            yield self.decoder(part, past)


def _chunks(video: Tensor, frames: int) -> Iterator[Tensor]:
    """Parts of so many frames along time; the first part has the frames that are left over, too."""
    if not video.shape[2]:
        raise ValueError(f"expected a video of at least one frame, got {list(video.shape)}")
    first = frames + video.shape[2] % frames
    yield video[:, :, :first]
    for start in range(first, video.shape[2], frames):
        yield video[:, :, start : start + frames]


class Encoder(nn.Module):
    """A chunk of frames -> moments of its latents."""

    def __init__(self, build: Build):
        super().__init__()
        widths, layers = build.config.block_channels, build.config.layers
        last = widths[-1]
        self.conv_in = CausalConv(COLORS, widths[0], build)
        self.down_blocks = nn.ModuleList()
        for i, pair in enumerate(zip((widths[0], *widths), widths, strict=False)):
            halves = i + 1 < len(widths)
            size = Downsample(pair[1], build, in_time=i < TIME_LEVELS) if halves else None
            self.down_blocks.append(Level(pair, layers, build, decodes=False, downsampler=size))
        self.mid_block = Level((last, last), MIDDLE_BLOCKS, build, decodes=False)
        self.norm_out = build.group_norm(last)
        self.conv_out = CausalConv(last, 2 * build.config.latent_channels, build)

    def forward(self, frames: Tensor, past: Past) -> Tensor:
        """[B, 3, F, H, W] -> [B, 32, f, H / 8, W / 8]; `past` of the chunk before this chunk."""
        hidden = self.conv_in(frames, past)
        for level in (*self.down_blocks, self.mid_block):
            hidden = level(hidden, past)
        return self.conv_out(activate(self.norm_out, hidden), past)


class Decoder(nn.Module):
    """A chunk of latents -> its frames."""

    def __init__(self, build: Build):
        super().__init__()
        widths, layers = build.config.block_channels[::-1], build.config.layers + 1
        first = widths[0]
        self.conv_in = CausalConv(build.config.latent_channels, first, build)
        self.mid_block = Level((first, first), MIDDLE_BLOCKS, build, decodes=True)
        self.up_blocks = nn.ModuleList()
        for i, pair in enumerate(zip((first, *widths), widths, strict=False)):
            doubles = i + 1 < len(widths)
            size = Upsample(pair[1], build, in_time=i < TIME_LEVELS) if doubles else None
            self.up_blocks.append(Level(pair, layers, build, decodes=True, upsampler=size))
        self.norm_out = LatentNorm(widths[-1], build)
        self.conv_out = CausalConv(widths[-1], COLORS, build)

    def forward(self, latents: Tensor, past: Past) -> Tensor:
        """[B, 16, t, h, w] -> [B, 3, F, 8 h, 8 w]; `past` of the chunk before this chunk."""
        hidden = self.conv_in(latents, past)
        for level in (self.mid_block, *self.up_blocks):
            hidden = level(hidden, past, latents)
        return self.conv_out(activate(self.norm_out, hidden, latents), past)
