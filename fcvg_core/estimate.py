"""The memory and the relative time that sampling needs, before it starts. Nothing needs torch here.

MARGIN and the time of REFERENCE were measured on a card, see docs/memory.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from .canvas import in_words
from .choices import FAMILIES
from .network_costs import CONTROLNEXT_SVD, DROPLETVIDEO, DYNAMICRAFTER, FCVG, SMCD, Networks

GB = 2**30  # bytes, as on the box of a card
_EVERY = (FCVG, CONTROLNEXT_SVD, DYNAMICRAFTER, DROPLETVIDEO, SMCD)
NETWORKS = dict(zip(FAMILIES, _EVERY, strict=True))

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
    decode_chunk: int | None = None,
    kept: int = 0,
    at: Sequence[int] = (),
) -> Estimate:
    """What sampling a video needs.

    Args:
        size: (height, width) in pixels.
        frames: of the video.
        window: frames that are sampled at once.
        dtype: a key of BYTES; fp8 is the format of the weights alone.
        overlap: frames that neighbouring windows share; 0 for one window.
        networks: of the family, a value of NETWORKS.
        at_once: passes of guidance (with and without the picture) that are computed at once: all
            of them without ComfyUI, and in ComfyUI if it has memory to spare.
        decode_chunk: frames that the VAE decodes at once; None: the family's.
        kept: passes whose features SVD Cache keeps on the device, if the video has one window.
        at: see `Video`.
    """
    of_weight, of_number = BYTES[dtype]
    spans = [networks.count_latents(span) for span in span_lengths(frames, at)]
    length, sampled = _count_sampled(spans, *map(networks.count_latents, (window, overlap)))
    pixels = size[0] * size[1] // 64  # of the latents of a frame
    sequence = networks.sequence(length, pixels)
    steered = min(frames, CONTROL_FRAMES) * networks.control_step
    held = max(at_once * sequence * networks.step, pixels * steered) * MARGIN
    held += (kept if sampled == frames else 0) * length * pixels * networks.kept
    chunk = networks.decode_chunk if decode_chunk is None else decode_chunk
    decoded = min(frames, chunk) * size[0] * size[1] * networks.decoding
    of_a_pass = partial(_operations, networks, length, sampled, pixels)
    return Estimate(
        weights=networks.unet * of_weight + networks.control * of_number,
        step=int(held * of_number),
        decoding=int(networks.vae * of_number + decoded * of_number * MARGIN),
        resting=(networks.encoders + networks.vae) * of_number,
        vae=networks.vae * of_number,
        each_step=networks.directions * PASSES,
        whole_pass=of_a_pass(networks.linear, networks.attention),
        shallow_pass=of_a_pass(networks.shallow_linear, networks.shallow_attention),
        steering=frames * networks.steering * pixels,
    )


def _operations(
    networks: Networks, length: int, sampled: int, pixels: int, linear: float, attention: float
) -> float:
    """Operations of a pass through all windows.

    Args:
        length: frames of the latents in a window.
        sampled: frames of the latents in all windows.
        pixels: of the latents of a frame.
        linear, attention: as `Networks` has them.
    """
    sequence = networks.sequence(length, pixels)
    in_a_window = linear * sequence + networks.whole_attention * sequence**2
    return sampled * (in_a_window / length + attention * pixels**2)


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
        frames = f"{self.num_frames} frame{'s' * (self.num_frames != 1)}"
        return f"{frames} of {in_words(self.size)} in {windows}"


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
