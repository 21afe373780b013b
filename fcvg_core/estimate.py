"""The memory and the relative time that sampling needs, before it starts. Nothing needs torch here.

The constants were counted on PyTorch's meta device, which computes shapes and no values;
`tests/core/test_estimate.py` counts them again. Only MARGIN and the time of REFERENCE were measured
on a card, see docs/memory.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

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
        kept: numbers that SVD Cache keeps for each pixel of the latents; 0: it can't be cached.
        control_step: numbers that the network that steers holds at once, as `step` counts them. It
            sees up to CONTROL_FRAMES at once, whatever the window.
        shallow_linear, shallow_attention: operations of a pass that uses kept features, counted as
            `linear` and `attention` are.
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
    kept: int = 0
    control_step: int = 0
    shallow_linear: float = 0.0
    shallow_attention: float = 0.0


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
    kept=320,
    control_step=8210,
    shallow_linear=5.04e7,
    shallow_attention=3827,
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
CONTROLNEXT_SVD = replace(FCVG, directions=1)
NETWORKS = dict(zip(FAMILIES, (FCVG, CONTROLNEXT_SVD, DYNAMICRAFTER), strict=True))

# On an H200, PyTorch used up to 1.35 times the memory of the tensors that a step holds at once: its
# allocator keeps blocks in reserve, and convolutions need room to work.
MARGIN = 1.35
# Weights on the card if the host streams them: those that are in use, and the next ones.
STREAMED = GB // 4
# Memory of a card that no run can use: for the driver, the desktop, and what ComfyUI keeps free.
RESERVED = GB

# For each number format the bytes of a weight, and of a number that is computed with.
BYTES = {"bf16": (2, 2), "fp16": (2, 2), "fp8": (1, 2), "fp32": (4, 4)}
CONTROL_FRAMES = 8  # FRAMES_PER_CALL of `models.controlnext`, which needs torch
PASSES = 2  # of guidance: with and without the picture

FITS, STREAMS, TOO_LARGE = "fits", "streams", "too large"


@dataclass(frozen=True)
class Passes:
    """Passes of the UNet through one window.

    Attributes:
        whole: number of passes that compute all of the UNet.
        shallow: number of passes that use features that SVD Cache has kept.
        steered: number of noise levels at which the network that steers is computed.
    """

    whole: int
    shallow: int
    steered: int


@dataclass(frozen=True)
class Estimate:
    """What sampling needs.

    Attributes:
        weights: bytes of the UNet and ControlNeXt.
        step: bytes of everything else that a step holds at once.
        decoding: bytes of the VAE with the frames that it decodes at once.
        resting: bytes of the networks that do not sample: the encoders and the VAE.
        vae: bytes of the VAE alone.
        each_step: passes of a step with guidance and without a cache.
        whole_pass, shallow_pass: operations of a pass of each kind through all windows.
        steering: operations of the network that steers, at a noise level.
    """

    weights: int
    step: int
    decoding: int
    resting: int
    vae: int
    each_step: int
    whole_pass: float
    shallow_pass: float
    steering: float

    @property
    def whole(self) -> int:
        """Bytes on the card if all weights stay there while the video is sampled."""
        return max(self.weights + self.step, self.decoding)

    @property
    def least(self) -> int:
        """Bytes on the card if weights are streamed."""
        return max(min(self.weights, STREAMED) + self.step, self.decoding)

    @property
    def together(self) -> int:
        """Bytes on the card if all networks stay there, also the networks that do not sample."""
        return self.weights + self.resting + max(self.step, self.decoding - self.vae)

    def fit(self, usable: int) -> str:
        """FITS, STREAMS or TOO_LARGE, for the bytes of a card that a run may use."""
        if self.whole <= usable:
            return FITS
        return STREAMS if self.least <= usable else TOO_LARGE

    def cost(self, passes: Passes) -> float:
        """Operations of so many passes."""
        unet = passes.whole * self.whole_pass + passes.shallow * self.shallow_pass
        return unet + passes.steered * self.steering

    def all_passes(self, steps: int) -> Passes:
        """The passes of so many steps, each with guidance and without a cache."""
        return Passes(steps * self.each_step, shallow=0, steered=steps)


def estimate(
    size: tuple[int, int],
    frames: int,
    window: int,
    dtype: str,
    *,
    overlap: int,
    networks: Networks = FCVG,
    at_once: int = 1,
    decode_chunk: int = 2,
    kept: int = 0,
    at: Sequence[int] = (),
) -> Estimate:
    """What sampling a video needs.

    Args:
        size: (height, width) in pixels.
        frames: of the video.
        window: frames that are sampled at once.
        dtype: a key of BYTES; fp8 is the format of the weights alone.
        overlap: frames that neighbouring windows share.
        networks: of the family, a value of NETWORKS.
        at_once: passes of guidance (with and without the picture) that are computed at once: all
            of them without ComfyUI, and in ComfyUI if it has memory to spare.
        decode_chunk: frames that the VAE decodes at once.
        kept: passes whose features SVD Cache keeps on the device, if the video has one window.
        at: see `Video`.
    """
    of_weight, of_number = BYTES[dtype]
    length, sampled = _count_sampled(span_lengths(frames, at), window, overlap)
    pixels = size[0] * size[1] // 64  # of the latents of a frame
    steered = min(frames, CONTROL_FRAMES) * networks.control_step
    held = max(at_once * length * networks.step, steered) * MARGIN
    held += (kept if sampled == frames else 0) * length * networks.kept
    decoded = min(frames, decode_chunk) * size[0] * size[1] * networks.decoding

    def each_pass(linear: float, attention: float) -> float:
        return sampled * (linear * pixels + attention * pixels**2)

    return Estimate(
        weights=networks.unet * of_weight + networks.control * of_number,
        step=int(pixels * held * of_number),
        decoding=int(networks.vae * of_number + decoded * of_number * MARGIN),
        resting=(networks.encoders + networks.vae) * of_number,
        vae=networks.vae * of_number,
        each_step=networks.directions * PASSES,
        whole_pass=each_pass(networks.linear, networks.attention),
        shallow_pass=each_pass(networks.shallow_linear, networks.shallow_attention),
        steering=frames * networks.steering * pixels,
    )


@dataclass(frozen=True)
class Video:
    """What is sampled.

    Attributes:
        size: (height, width) in pixels.
        num_frames: of the video.
        window: frames that are sampled at once.
        overlap: frames that neighbouring windows share.
        at: frames of the keyframes, from the first to the last; each span between two of them has
            windows of its own. Empty: the keyframes are the first and the last frame.
    """

    size: tuple[int, int]
    num_frames: int
    window: int
    overlap: int
    at: tuple[int, ...] = ()

    @property
    def at_once(self) -> int:
        """Frames that are sampled at once: a short span has fewer frames than its window."""
        return min(max(span_lengths(self.num_frames, self.at)), self.window)

    @property
    def num_windows(self) -> int:
        """Number of windows of all spans."""
        spans = span_lengths(self.num_frames, self.at)
        return sum(count_windows(span, self.window, self.overlap) for span in spans)

    def __str__(self) -> str:
        """For example "60 frames of 1024 x 576 in 3 windows of 25"."""
        count = self.num_windows
        if len(self.at) > 2:
            windows = f"{count} windows of up to {self.at_once}, between {len(self.at)} keyframes"
        else:
            windows = "one window" if count == 1 else f"{count} windows of {self.window}"
        return f"{self.num_frames} frames of {in_words(self.size)} in {windows}"


def in_gigabytes(count: int) -> str:
    """A number of bytes: "7.9 GB"."""
    return f"{count / GB:.1f} GB"


def _count_sampled(spans: list[int], window: int, overlap: int) -> tuple[int, int]:
    """Frames of the longest window, and frames of all windows together."""
    sampled = sum(count_windows(span, window, overlap) * min(span, window) for span in spans)
    return min(max(spans), window), sampled


def span_lengths(frames: int, at: Sequence[int]) -> list[int]:
    """Frames of each span between two keyframes, both keyframes included; see `Video`."""
    return [last - first + 1 for first, last in pairwise(at or (0, frames - 1))]


def count_windows(frames: int, window: int, overlap: int) -> int:
    """Number of windows that `plan_windows` makes of valid numbers."""
    return 1 if frames <= window else len(range(0, frames - overlap, window - overlap))


# The run whose time was measured: FCVG, both directions, on an H200.
REFERENCE_SECONDS = 1.5  # a step
REFERENCE_STEPS = 25
REFERENCE = estimate((576, 1024), 25, 25, "bf16", overlap=6)


def relative_cost(found: Estimate) -> float:
    """Time of a step as a multiple of the reference run's, from the count of operations."""
    return found.cost(found.all_passes(1)) / REFERENCE.cost(REFERENCE.all_passes(1))


def relative_run(found: Estimate, passes: Passes) -> float:
    """Time of a run as a multiple of the reference run's, from the count of operations."""
    return found.cost(passes) / REFERENCE.cost(REFERENCE.all_passes(REFERENCE_STEPS))
