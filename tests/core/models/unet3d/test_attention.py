import pytest
import torch
from unet3d_cases import TINY

from fcvg_core.models.unet3d import attend, transformers
from fcvg_core.models.unet3d.config import Build
from fcvg_core.models.unet3d.transformers import TemporalTransformer


class TestAttend:
    def test_by_hand(self):
        """The first head looks at the first key alone, the second head at both keys alike."""
        query = torch.tensor([[[100.0, 0.0]]])
        key = torch.tensor([[[10.0, 1.0], [-10.0, 1.0]]])
        value = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
        out = attend(query, key, value, 2)
        torch.testing.assert_close(out, torch.tensor([[[1.0, 3.0]]]))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_logits_above_the_largest_half(self, dtype):
        generator = torch.Generator().manual_seed(0)
        query, key, value = (
            torch.randn(1, 5, 64, generator=generator).mul(scale).to(dtype)
            for scale in (300, 300, 1)
        )
        assert (query.float() @ key.float().mT).abs().max() > 65504
        out = attend(query, key, value, 1)
        expected = attend(query.float(), key.float(), value.float(), 1)
        torch.testing.assert_close(out.float(), expected, atol=1e-2, rtol=1e-2)


class TestTemporalTransformer:
    @torch.inference_mode()
    def test_many_pixels_are_taken_in_parts(self, monkeypatch):
        torch.manual_seed(0)
        sizes = []

        def count(query, key, value, heads):
            sizes.append(len(query) * heads)
            return attend(query, key, value, heads)

        make = {"dtype": None, "device": None}
        for conv in (False, True):
            layer = TemporalTransformer(64, Build(TINY, torch.nn, count, make), conv=conv)
            hidden = torch.randn(6, 64, 3, 5)  # two videos of three frames: 30 sequences, 4 heads
            whole = layer(hidden, Frames(3))
            assert max(sizes) == 120
            monkeypatch.setattr(transformers, "MOST_SEQUENCES", 50)
            sizes.clear()
            parts = layer(hidden, Frames(3))
            assert max(sizes) == 48
            torch.testing.assert_close(parts, whole)
            monkeypatch.undo()
            sizes.clear()


class Frames:
    """Conditions of a layer that needs the number of frames alone."""

    def __init__(self, num_frames: int):
        self.num_frames = num_frames
