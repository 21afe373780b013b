"""Colours of a video, brought to an even ramp between those of its keyframes."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

# The transfer function of sRGB (IEC 61966-2-1).
LINEAR_SLOPE = 12.92
LINEAR_END, GAMMA_END = 0.0031308, 0.04045  # where the straight part ends, in light and in sRGB
OFFSET, GAMMA = 0.055, 2.4
MAX_CONTRAST = 2.0  # largest factor, and 1 / smallest factor, of a channel's spread
CORRECTIONS = 3  # of the mean, after colours beyond the range were clamped
FLAT = 1e-6  # a smaller spread is none


def ramp_colors(
    frames: Iterable[Tensor], keyframes: Sequence[Tensor], at: Sequence[int]
) -> Iterator[Tensor]:
    """Frames whose colours change evenly from keyframe to keyframe.

    The mean and the spread (standard deviation) of each channel are measured in linear light, where
    a brighter lamp multiplies both by one factor. Between two neighbouring keyframes both go
    straight from the values of the one to the values of the other; each frame gets, in linear
    light, the factor and the offset that bring it there. So the colours do not jump where the
    keyframes replace the frames of a model, and do not flicker between. The ramp takes every change
    of the mean for a change of light: something large and bright that appears only between the
    keyframes makes the rest of the frame darker.

    Args:
        frames: [H, W, 3] float32 in 0..1 each, in the order of time. They are read one by one.
        keyframes: [H, W, 3] in 0..1, of the frames' size or of another size.
        at: the frame that each keyframe stands at: from 0 on, rising, the last frame included.

    Yields:
        [H, W, 3] float32 in 0..1, new, for every frame. Colours beyond the range are clamped.

    Raises:
        ValueError: the numbers do not begin with 0 or do not rise, there is another number of
            keyframes, or there are frames after the last keyframe.

    Source: Reinhard et al., Color Transfer between Images (2001).
    Differs: in linear light, not in l-alpha-beta; a change of the spread is limited to
        MAX_CONTRAST.
    """
    numbers = list(at)
    if len(numbers) < 2 or numbers[0] != 0 or numbers != sorted(set(numbers)):
        raise ValueError(f"expected rising numbers of frames from 0 on, got {numbers}")
    if len(keyframes) != len(numbers):
        raise ValueError(f"expected {len(numbers)} keyframes, got {len(keyframes)}")
    known = torch.stack([_statistics(to_linear(keyframe)) for keyframe in keyframes])
    return _ramp(frames, known, numbers)


def _ramp(frames: Iterable[Tensor], known: Tensor, numbers: Sequence[int]) -> Iterator[Tensor]:
    """See `ramp_colors`; known: [N, 2, 3], statistics of the keyframes."""
    span = 0
    for number, frame in enumerate(frames):
        if number > numbers[-1]:
            raise ValueError(f"expected {numbers[-1] + 1} frames, got more")
        if number > numbers[span + 1]:
            span += 1
        begin, end = numbers[span : span + 2]
        wanted = torch.lerp(known[span], known[span + 1], (number - begin) / (end - begin))
        yield _match(frame, wanted)


def _match(frame: Tensor, wanted: Tensor) -> Tensor:
    """A frame [H, W, 3] with the mean and the spread of each channel, [2, 3], that are wanted."""
    light = to_linear(frame)
    mean, spread = _statistics(light)
    contrast = wanted[1] / spread.clamp(min=FLAT)
    contrast = contrast.clamp(1 / MAX_CONTRAST, MAX_CONTRAST)
    light = ((light - mean) * contrast + wanted[0]).clamp(0, 1)
    for _ in range(CORRECTIONS):  # clamping has changed the mean
        light = (light + wanted[0] - light.mean(dim=(0, 1))).clamp(0, 1)
    return to_srgb(light)


def _statistics(light: Tensor) -> Tensor:
    """Mean and standard deviation of each channel of a frame [H, W, 3]: [2, 3]."""
    return torch.stack(torch.std_mean(light, dim=(0, 1), correction=0)[::-1])


def to_linear(frame: Tensor) -> Tensor:
    """Light of sRGB values, both in 0..1: the same shape, float32."""
    frame = frame.float()
    curve = ((frame + OFFSET) / (1 + OFFSET)).clamp(min=0) ** GAMMA
    return torch.where(frame <= GAMMA_END, frame / LINEAR_SLOPE, curve)


def to_srgb(light: Tensor) -> Tensor:
    """sRGB values in 0..1 of light, which is clamped to 0..1: the same shape, float32."""
    light = light.float().clamp(0, 1)
    curve = (1 + OFFSET) * light.clamp(min=LINEAR_END) ** (1 / GAMMA) - OFFSET
    return torch.where(light <= LINEAR_END, light * LINEAR_SLOPE, curve)
