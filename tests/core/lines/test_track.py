"""Matched lines -> lines of every frame."""

from pathlib import Path

import pytest
import torch
from golden_cases import load_arrays

from fcvg_core.lines import LineMatches, interpolate_lines
from fcvg_core.timeline import inbetween_times


def one_match(lines0: list, lines1: list) -> LineMatches:
    return LineMatches(torch.tensor(lines0).float(), torch.tensor(lines1).float(), (100, 100))


def test_by_hand() -> None:
    matches = one_match([[[0, 0], [10, 0]]], [[[0, 20], [10, 40]]])
    track = interpolate_lines(matches, torch.tensor([0.0, 0.25, 1.0]))
    assert track.tolist() == [[[[0, 0], [10, 0]]], [[[0, 5], [10, 10]]], [[[0, 20], [10, 40]]]]


def test_swapped_ends() -> None:
    straight = one_match([[[0, 0], [10, 0]]], [[[0, 20], [10, 40]]])
    swapped = LineMatches(straight.lines0, straight.lines1.flip(1), straight.size)
    times = inbetween_times(6)
    assert torch.equal(interpolate_lines(straight, times), interpolate_lines(swapped, times))


@pytest.mark.parametrize("num_frames", [2, 3, 25])
def test_no_lines(num_frames: int) -> None:
    empty = torch.zeros(0, 2, 2)
    track = interpolate_lines(LineMatches(empty, empty, (64, 64)), inbetween_times(num_frames))
    assert track.shape == (num_frames, 0, 2, 2)


def test_golden(golden: Path) -> None:
    case = load_arrays(golden / "dwpose" / "lines.npz")
    matches = LineMatches(
        lines0=torch.from_numpy(case["lines0"]),
        lines1=torch.from_numpy(case["lines1"]),
        size=tuple(case["size_hw"].tolist()),
    )
    expected = torch.from_numpy(case["interpolated"])
    track = interpolate_lines(matches, inbetween_times(len(expected)))
    assert torch.equal(track[:-1], expected[:-1])
    # The official code's last frame has the ends as detected; ours as in every other frame.
    apart = torch.stack([(expected[-1] - end).abs().amax((1, 2)) for end in both(track[-1])])
    assert apart.amin(dim=0).max() < 1e-4


def both(lines: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return lines, lines.flip(1)


def test_inputs_are_left_alone() -> None:
    matches = one_match([[[0, 0], [10, 0]]], [[[10, 40], [0, 20]]])
    before = matches.lines1.clone()
    interpolate_lines(matches, inbetween_times(5)).zero_()
    assert torch.equal(matches.lines1, before)


def test_error() -> None:
    matches = one_match([[[0, 0], [10, 0]]], [[[0, 20], [10, 40]]])
    with pytest.raises(ValueError, match=r"expected times \[T\], got \[2, 1\]"):
        interpolate_lines(matches, torch.zeros(2, 1))
