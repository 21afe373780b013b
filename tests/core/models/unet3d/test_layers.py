import pytest
import torch
from unet3d_cases import TINY

from fcvg_core.models.layers import attend
from fcvg_core.models.unet3d.config import Build, Conditions
from fcvg_core.models.unet3d.layers import ResBlock, join_frames, split_frames


def test_frames_of_a_video_lie_one_after_another():
    batch = torch.arange(6.0).reshape(6, 1, 1, 1)  # two videos of three frames
    videos = split_frames(batch, 3)
    assert videos.shape == (2, 1, 3, 1, 1)
    assert videos[1].flatten().tolist() == [3, 4, 5]
    assert torch.equal(join_frames(videos), batch)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.inference_mode()
def test_norms_do_not_overflow_in_half_precision(dtype):
    """The squares of such values are far above the largest number of half precision."""
    torch.manual_seed(0)
    block = ResBlock(64, 64, Build(TINY, torch.nn, attend, {"dtype": None, "device": None}))
    hidden = (torch.randn(3, 64, 4, 4) * 1e4 + 2e4).clamp(-5e4, 5e4).to(dtype)
    expected = block.in_layers(hidden.float())
    block.to(dtype)
    torch.testing.assert_close(block.in_layers(hidden).float(), expected, atol=0.05, rtol=0.05)
    embedding, text = torch.randn(3, 256, dtype=dtype), torch.zeros(3, 1, 1)
    assert block(hidden, Conditions(3, embedding, text)).isfinite().all()
