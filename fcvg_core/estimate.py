"""The memory and the relative time that sampling needs, before it starts. Nothing needs torch here.

The constants were counted on PyTorch's meta device, which computes shapes and no values;
`tests/core/test_estimate.py` counts them again. Only MARGIN and the time of REFERENCE were measured
on a card, see docs/memory.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from . import bounds
from .canvas import in_words
from .choices import FAMILIES

GB = 2**30  # bytes, as on the box of a card


@dataclass(frozen=True)
class Networks:
    """What the networks of a family need.

    Attributes:
        unet, control, encoders, vae: numbers in the weights of the UNet, of the network that
            steers it, of the networks that encode pictures and text, and of the VAE.
        step: numbers that the UNet holds at once for each value (a pixel of a latent) of a frame.
        decoding: numbers that the VAE holds at once for each pixel of a frame that it decodes.
        linear: operations of the UNet for each pixel of the latents.
        attention: operations for each pair of pixels of the latents in one frame.
        steering: operations of the network that steers, for each pixel of the latents.
        directions: in which a video is sampled.
    """

    unet: int
    control: int
    encoders: int
    vae: int
    step: int
    decoding: int
    linear: float
    attention: float
    steering: float
    directions: int


FCVG = Networks(
    unet=1_524_623_082,
    control=3_526_400,  # ControlNeXt's version 2; version 1 has 2 million more
    encoders=632_076_800,
    vae=97_742_847,
    step=8640,
    decoding=1024,
    linear=2.80e8,
    attention=7320,
    steering=2.47e7,
    directions=2,
)
DYNAMICRAFTER = Networks(
    unet=1_438_854_980,
    control=0,
    encoders=1_034_896_897,
    vae=83_653_863,
    step=10470,
    decoding=768,
    linear=2.92e8,
    attention=6790,
    steering=0,
    directions=1,
)
NETWORKS = dict(zip(FAMILIES, (FCVG, replace(FCVG, directions=1), DYNAMICRAFTER), strict=True))

# On an H200, PyTorch used up to 1.35 times the memory of the tensors that a step holds at once: its
# allocator keeps blocks in reserve, and convolutions need room to work.
MARGIN = 1.35
# Weights on the card if the host streams them: those that are in use, and the next ones.
STREAMED = GB // 4
# Memory of a card that no run can use: for the driver, the desktop, and what ComfyUI keeps free.
RESERVED = GB

# For each number format the bytes of a weight, and of a number that is computed with.
BYTES = {"bf16": (2, 2), "fp16": (2, 2), "fp8": (1, 2), "fp32": (4, 4)}
PASSES = 2  # of guidance: with and without the picture

FITS, STREAMS, TOO_LARGE = "fits", "streams", "too large"
SMALLEST_WINDOW = 8  # frames; advice names no smaller window


@dataclass(frozen=True)
class Estimate:
    """What sampling needs.

    Attributes:
        weights: bytes of the UNet and ControlNeXt.
        step: bytes of everything else that a step holds at once.
        decoding: bytes of the VAE with the frames that it decodes at once.
        cost: operations of a step.
    """

    weights: int
    step: int
    decoding: int
    cost: float

    @property
    def whole(self) -> int:
        """Bytes on the card if all weights stay there while the video is sampled."""
        return max(self.weights + self.step, self.decoding)

    @property
    def least(self) -> int:
        """Bytes on the card if weights are streamed."""
        return max(min(self.weights, STREAMED) + self.step, self.decoding)

    def fit(self, usable: int) -> str:
        """FITS, STREAMS or TOO_LARGE, for the bytes of a card that a run may use."""
        if self.whole <= usable:
            return FITS
        return STREAMS if self.least <= usable else TOO_LARGE


def estimate(
    size: tuple[int, int],
    frames: int,
    window: int,
    dtype: str,
    *,
    overlap: int,
    networks: Networks = FCVG,
    batched: bool = False,
    decode_chunk: int = 2,
) -> Estimate:
    """What sampling a video needs.

    Args:
        size: (height, width) in pixels.
        frames: of the video.
        window: frames that are sampled at once.
        dtype: a key of BYTES; fp8 is the format of the weights alone.
        overlap: frames that neighbouring windows share.
        networks: of the family, a value of NETWORKS.
        batched: whether the pass with the picture and the pass without the picture, which
            guidance needs, are computed at once. The command line does so, and ComfyUI does so if
            it has memory to spare.
        decode_chunk: frames that the VAE decodes at once.
    """
    of_weight, of_number = BYTES[dtype]
    length, windows = min(frames, window), count_windows(frames, window, overlap)
    pixels = size[0] * size[1] // 64  # of the latents of a frame
    at_once = PASSES if batched else 1
    step = at_once * length * pixels * networks.step * of_number * MARGIN
    decoded = min(frames, decode_chunk) * size[0] * size[1] * networks.decoding
    each_pass = length * (networks.linear * pixels + networks.attention * pixels**2)
    passes = windows * networks.directions * PASSES
    return Estimate(
        weights=networks.unet * of_weight + networks.control * of_number,
        step=int(step),
        decoding=int(networks.vae * of_number + decoded * of_number * MARGIN),
        cost=passes * each_pass + frames * networks.steering * pixels,
    )


def count_windows(frames: int, window: int, overlap: int) -> int:
    """Number of windows that `plan_windows` makes of valid numbers."""
    return 1 if frames <= window else len(range(0, frames - overlap, window - overlap))


# The run whose time was measured: FCVG, both directions, on an H200.
REFERENCE_SECONDS = 1.5
REFERENCE = estimate((576, 1024), 25, 25, "bf16", overlap=6)


def relative_cost(found: Estimate) -> float:
    """Time of a step as a multiple of the reference run's, from the count of operations."""
    return found.cost / REFERENCE.cost


def advise(
    needs: Callable[[tuple[int, int], int], Estimate],
    size: tuple[int, int],
    window: int,
    usable: int,
    *,
    overlap: int,
) -> str:
    """How a run that is too large for a card gets small enough: "lower window to 14".

    Args:
        needs: what the run needs at another size (height, width) and with another window.
        size, window: those that are too large.
        usable: bytes of the card that the run may use.
        overlap: frames that windows share; an advised window is longer.
    """

    def fits(size: tuple[int, int], window: int) -> bool:
        return needs(size, window).fit(usable) != TOO_LARGE

    shortest = max(SMALLEST_WINDOW, overlap + 1)
    shorter = (n for n in range(window - 1, shortest - 1, -1) if fits(size, n))
    smaller = (found for found in _smaller(size) if fits(found, window))
    advice = []
    if number := next(shorter, None):
        advice.append(f"lower window to {number}")
    if found := next(smaller, None):
        advice.append(f"lower the size to {in_words(found)}")
    return ", or ".join(advice) or "lower both window and size, or use another card"


def _smaller(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes of about the same shape, the largest first."""
    height, width = size
    step = bounds.SIZE.step
    widths = range(width - step, 0, -step)
    heights = (max(round(height * other / width / step), 1) * step for other in widths)
    return list(zip(heights, widths, strict=True))
