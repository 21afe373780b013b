import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fcvg_core.estimate import REFERENCE
from fcvg_core.models.taesdv import Decoder, shrink_latents


@pytest.mark.parametrize(
    ("size", "shrunk"),
    [((72, 128), (36, 64)), ((160, 80), (64, 32)), ((40, 64), (40, 64)), ((1, 512), (1, 64))],
)
def test_frames_have_at_most_512_pixels_a_side(size, shrunk):
    assert shrink_latents(torch.zeros(2, 4, *size)).shape == (2, 4, *shrunk)


def test_latents_are_averaged():
    latents = torch.arange(128.0).repeat(2, 1, 1, 2, 1).flatten(0, 1)
    assert torch.equal(shrink_latents(latents)[0, 0, 0, :3], torch.tensor([0.5, 2.5, 4.5]))


def operations(latents: torch.Tensor) -> int:
    decoder = Decoder(device="meta").requires_grad_(False)
    with FlopCounterMode(display=False) as counted:
        decoder(latents)
    return counted.get_total_flops()


def test_a_preview_takes_less_than_three_percent_of_a_step():
    """Counted for 25 frames of 576 x 1024. A whole decode takes about as much as is allowed."""
    latents = torch.empty(25, 4, 72, 128, device="meta")
    step = REFERENCE.cost(REFERENCE.all_passes(1))
    preview, whole = operations(shrink_latents(latents)) / step, operations(latents) / step
    print(f"preview: {preview:.2%} of a step; whole video: {whole:.2%}")
    assert preview < 0.03
    assert preview == pytest.approx(whole / 4)
