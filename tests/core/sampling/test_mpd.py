"""MPD beside its formulas, written as the paper and mpd_seq.py have them: sums and masks."""

import pytest
import torch
from torch import Tensor

from fcvg_core.sampling import (
    early_steps,
    fuse,
    fuse_forward_only,
    mpd_evaluations,
    sample_mpd,
    shift_to_end,
)

SHAPE = (6, 4, 3, 5)
SIGMAS = torch.tensor([9.0, 4.0, 2.5, 1.0, 0.4, 0.0], dtype=torch.float64)


def random(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


FIRST, LAST = random(1, 1, *SHAPE[1:]), random(2, 1, *SHAPE[1:])


class Denoiser:
    """Estimates that depend on every frame, the level, the direction and the condition."""

    def __init__(self) -> None:
        self.calls = []

    def __call__(self, x: Tensor, sigma: Tensor, backward: bool) -> tuple[Tensor, Tensor]:
        self.calls.append((float(sigma), backward))
        drift = torch.cumsum(x, 0) / len(x) / (1 + sigma)
        key = LAST if backward else FIRST
        return torch.tanh(drift) + key, torch.sin(drift) * 0.5


def draws(seed: int):
    generator = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(SHAPE, generator=generator, dtype=torch.float64)


def built_backward(x: Tensor, clean: Tensor, sigma: Tensor, end: Tensor) -> Tensor:
    """Estimate of the built backward path, backward in time: residuals of the noise, added up."""
    noise = (x - clean) / sigma
    residuals = -(noise[1:] - noise[:-1]).flip(0)
    start = (x[-1:] - end) / sigma
    built = torch.cat([start, start + torch.cumsum(residuals, 0)])
    return x.flip(0) - sigma * built


def masked(clean: Tensor, frame: Tensor) -> Tensor:
    """The estimate nearest to `clean` whose last frame is measured."""
    mask = torch.zeros(len(clean), 1, 1, 1, dtype=clean.dtype)
    mask[-1] = 1
    return clean * (1 - mask) + frame * mask


def reference(x: Tensor, predict: Denoiser, draw, *, share: float, rounds: int) -> Tensor:
    """Algorithm of mpd_seq.py, path by path."""
    steps = len(SIGMAS) - 1
    for i in range(steps):
        now, then = SIGMAS[i], SIGMAS[i + 1]
        renoise = (now**2 - then**2) ** 0.5
        if i < share * steps:
            for _ in range(rounds):
                cond, uncond = predict(x, now, False)
                clean = masked(built_backward(x, cond, now, LAST), FIRST)
                x = (clean + (x.flip(0) - uncond.flip(0)) / now * then).flip(0) + draw() * renoise
        cond, uncond = predict(x, now, False)
        x = masked(cond, LAST) + (x - uncond) / now * then + draw() * renoise
        cond, uncond = predict(x.flip(0), now, True)
        x = (masked(cond, FIRST) + (x.flip(0) - uncond) / now * then).flip(0)
    return x


@pytest.mark.parametrize(("share", "rounds"), [(0.0, 3), (0.2, 3), (0.5, 1), (1.0, 2)])
def test_takes_the_steps_of_the_paper(share, rounds):
    start = random(3, *SHAPE) * 9
    done, ours, theirs = [], Denoiser(), Denoiser()
    found = sample_mpd(
        start, SIGMAS, first=FIRST, last=LAST, predict=ours, draw=draws(4), share=share,
        rounds=rounds, progress=done.append,
    )  # fmt: skip
    expected = reference(start, theirs, draws(4), share=share, rounds=rounds)
    torch.testing.assert_close(found, expected)
    assert ours.calls == theirs.calls
    assert done == [1, 2, 3, 4, 5]


def test_defaults_are_those_of_the_paper():
    """One of 5 steps is early, with three more predictions."""
    predict = Denoiser()
    sample_mpd(random(3, *SHAPE), SIGMAS, first=FIRST, last=LAST, predict=predict, draw=draws(4))
    assert len(predict.calls) == 2 * 5 + 3


def test_evaluations_are_those_of_a_run():
    """In each step the evaluations before the last one are forward only."""
    evaluations = list(mpd_evaluations(SIGMAS))
    calls = [(level, way) for level, alone in evaluations for way in (False, True)[: 2 - alone]]
    predict = Denoiser()
    sample_mpd(random(3, *SHAPE), SIGMAS, first=FIRST, last=LAST, predict=predict, draw=draws(4))
    assert calls == predict.calls


def test_first_frame_is_the_first_keyframe():
    """The last step pins it without noise; the last frame comes from the backward prediction."""
    found = sample_mpd(
        random(3, *SHAPE), SIGMAS, first=FIRST, last=LAST, predict=Denoiser(), draw=draws(4)
    )
    assert torch.equal(found[:1], FIRST)


class TestShiftToEnd:
    def test_is_the_built_backward_path(self):
        x, clean = random(5, *SHAPE), random(6, *SHAPE)
        expected = built_backward(x, clean, torch.tensor(7.0, dtype=torch.float64), LAST).flip(0)
        torch.testing.assert_close(shift_to_end(clean, LAST), expected)

    def test_ends_with_the_keyframe(self):
        clean = torch.arange(4.0).reshape(4, 1, 1, 1)
        assert shift_to_end(clean, torch.tensor([[[[10.0]]]])).flatten().tolist() == [7, 8, 9, 10]


def test_fuse_forward_only():
    clean = random(7, *SHAPE)
    found = fuse_forward_only(clean, LAST)
    assert torch.equal(found[0], clean[0])
    torch.testing.assert_close(found[-1:], LAST)
    torch.testing.assert_close(found, fuse(clean, shift_to_end(clean, LAST)))


@pytest.mark.parametrize(
    ("steps", "share", "early"),
    [(25, 0.2, 5), (26, 0.2, 6), (10, 0.0, 0), (10, 1.0, 10), (10, 0.01, 1), (20, 0.55, 11)],
)
def test_early_steps(steps, share, early):
    assert early_steps(steps, share) == early
