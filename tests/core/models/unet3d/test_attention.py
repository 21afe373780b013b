import torch
from unet3d_cases import TINY

from fcvg_core.models.layers import attend
from fcvg_core.models.unet3d import transformers
from fcvg_core.models.unet3d.config import Build
from fcvg_core.models.unet3d.transformers import TemporalTransformer


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
