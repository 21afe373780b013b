"""Rotary positions of tokens."""

import pytest
import torch
from dropletvideo_cases import each_rope_case

from fcvg_core.models.dropletvideo.rope import rotary_table
from fcvg_core.models.dropletvideo.rules import MULTIPLE, count_latents


@each_rope_case()
def test_official_sizes(case):
    """Some tokens of the first and of the last latent frame."""
    for name, expected in case.tensors.items():
        kind, size = name.split("_")
        width, height, num_frames = map(int, size.split("x"))
        grid = (height // MULTIPLE, width // MULTIPLE)
        table = rotary_table(count_latents(num_frames), grid, expected.shape[-1])[kind == "sin"]
        table = table.unflatten(0, (-1, grid[0] * grid[1]))
        last = table.shape[1] - 1
        found = table[[0, -1]][:, [0, 1, (last + 1) // 2, last]]
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-4)


def test_a_frame_of_the_base_size_counts_from_zero():
    cos, sin = rotary_table(2, (30, 45), 16)
    assert cos.shape == sin.shape == (2 * 30 * 45, 16)
    angles = torch.atan2(sin, cos).unflatten(0, (2, 30, 45))
    steps = torch.arange(3.0)
    for pair, positions in ((0, angles[1, 0, 0]), (4, angles[0, 1, 0]), (10, angles[0, 0, 1])):
        assert positions[pair] == positions[pair + 1] == pytest.approx(1)  # the fastest channels
    torch.testing.assert_close(angles[0, :3, 0, 4], steps)
    torch.testing.assert_close(angles[0, 0, :3, 10], steps)


def test_one_token():
    cos, sin = rotary_table(1, (1, 1), 16)
    assert cos.shape == (1, 16)
    assert torch.equal(sin[:, :4], torch.zeros(1, 4))  # frame 0; row and column are in the middle


def test_the_last_table_is_kept():
    assert rotary_table(1, (2, 2), 16)[0] is rotary_table(1, (2, 2), 16)[0]


def test_a_table_made_while_sampling_serves_training():
    with torch.inference_mode():
        cos, _ = rotary_table(1, (2, 3), 16)
    assert not cos.is_inference()


@pytest.mark.parametrize("channels", [0, 8, 24])
def test_channels_of_a_head(channels):
    with pytest.raises(ValueError, match=f"got {channels} channels, expected a multiple of 16"):
        rotary_table(1, (2, 2), channels)
