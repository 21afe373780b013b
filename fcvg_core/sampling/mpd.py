"""Frames between two keyframes by SVD alone: Motion Prior Distillation (MPD).

Early steps predict the forward path alone and build the backward path from it, so that both paths
show the same motion. Each step then goes along the forward path and, after noise was added again,
along the backward path.

Source: MPD (arXiv 2602.12679); vvsjeon/MPDsampler mpd_seq.py. Noise levels as in CFG++
(arXiv 2406.08070): the unconditional prediction gives the direction of the noise, the conditional
prediction gives the picture, and there is no guidance scale.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from .fusion import fuse
from .injection import inject_noise

EARLY_SHARE = 0.2  # of the steps
ROUNDS = 3  # repetitions of an early step along the built path

# Latents [T, 4, h, w] in the pass's own order of time, their noise level, and whether the pass is
# the backward pass -> the conditional and the unconditional estimate of the latents without noise.
Predict = Callable[[Tensor, Tensor, bool], tuple[Tensor, Tensor]]


def early_steps(steps: int, share: float) -> int:
    """Number of leading steps that predict the forward direction alone.

    Args:
        steps: of the whole run.
        share: 0..1; a part of a step counts as a step, as in the official loop.
    """
    # In floating point 0.55 * 20 is a little more than 11.
    return math.ceil(round(share * steps, 9))


def shift_to_end(clean: Tensor, end: Tensor) -> Tensor:
    """The backward path that MPD builds from the forward path, in the forward order of frames.

    The official code takes the noise estimate of the forward path, (x - clean) / sigma, and its
    differences from frame to frame. It adds these differences up again, backward in time, from
    the noise estimate whose last frame without noise is the last keyframe. So the sum is the
    forward estimate plus one constant for all frames, and without noise each frame is the
    forward frame plus the same constant: the constant that leads to the last keyframe.

    Args:
        clean: [T, 4, h, w] estimate of the latents without noise, forward in time.
        end: [1, 4, h, w] latents of the last keyframe, scaled like `clean`.

    Returns:
        [T, 4, h, w], its last frame is `end`.
    """
    return clean + (end - clean[-1:])


def fuse_forward_only(clean: Tensor, end: Tensor) -> Tensor:
    """`fuse` with the backward path that is built from the forward path.

    A video of several windows is fused window by window. Then each window ends with the last
    keyframe, as the ordinary backward pass of each window begins with it.

    Args:
        clean, end: see `shift_to_end`.

    Returns:
        [T, 4, h, w].

    Differs: MPD fuses nothing, it steps along one path after the other. FCVG fuses both
        predictions, and here the built path takes the place of the backward prediction.
    """
    return fuse(clean, shift_to_end(clean, end))


def mpd_evaluations(sigmas: Tensor) -> Iterator[tuple[float, bool]]:
    """For each evaluation of the UNet its noise level, and whether it is forward only.

    In each of its directions an evaluation has two passes: with the picture and without it.

    Args:
        sigmas: [S + 1], see `sample_mpd`.
    """
    early = early_steps(len(sigmas) - 1, EARLY_SHARE)
    for i, level in enumerate(sigmas[:-1].tolist()):
        yield from [(level, True)] * (ROUNDS if i < early else 0)
        yield level, False


def sample_mpd(
    x: Tensor,
    sigmas: Tensor,
    *,
    first: Tensor,
    last: Tensor,
    predict: Predict,
    draw: Callable[[], Tensor],
    share: float = EARLY_SHARE,
    rounds: int = ROUNDS,
    progress: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Latents of the frames between two keyframes.

    Args:
        x: [T, 4, h, w] latents at the noise level `sigmas[0]`.
        sigmas: [S + 1] noise levels, the last of them 0.
        first, last: [1, 4, h, w] latents of the keyframes, scaled like the latents of the frames.
        predict: see `Predict`; a noise level is a scalar tensor.
        draw: gives new unit noise shaped like `x`, in the forward order of frames.
        share, rounds: see `early_steps`; how often an early step goes along the built path.
        progress: gets the number of finished steps.

    Returns:
        [T, 4, h, w] latents without noise.

    Differs: the official code solves for a path that ends with the keyframe by conjugate
        gradients, whose exact solution after one of its iterations is the keyframe itself.
    """
    early = early_steps(len(sigmas) - 1, share)
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        for _ in range(rounds if i < early else 0):
            clean, uncond = predict(x, sigma, False)
            clean = _end_with(shift_to_end(clean, last).flip(0), first).flip(0)
            x = _renoise(clean, uncond, x, sigma, sigma_next)
            x = inject_noise(x, draw(), sigma, sigma_next)
        clean, uncond = predict(x, sigma, False)
        x = _renoise(_end_with(clean, last), uncond, x, sigma, sigma_next)
        x = inject_noise(x, draw(), sigma, sigma_next).flip(0)
        clean, uncond = predict(x, sigma, True)
        x = _renoise(_end_with(clean, first), uncond, x, sigma, sigma_next).flip(0)
        progress(i + 1)
    return x


def _end_with(clean: Tensor, frame: Tensor) -> Tensor:
    """The same frames, but for the last frame."""
    return torch.cat([clean[:-1], frame])


def _renoise(clean: Tensor, uncond: Tensor, x: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """The clean latents with the noise of the next level, along the unconditional estimate."""
    return clean + (x - uncond) / sigma * sigma_next
