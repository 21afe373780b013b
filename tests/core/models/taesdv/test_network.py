import pytest
import torch
from taesdv_cases import DECODER_SHAPES, taesdv_weights
from torch.nn import functional as F

from fcvg_core.models.taesdv import Decoder


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    decoder = Decoder().eval().requires_grad_(False)
    decoder.load_state_dict(taesdv_weights())
    return decoder


def latents(num_frames: int, height: int = 5, width: int = 6) -> torch.Tensor:
    return torch.randn(num_frames, 4, height, width, generator=torch.Generator().manual_seed(1))


def written_out(weights: dict, video: torch.Tensor) -> torch.Tensor:
    """The decoder once more, written out: one frame after the other, on plain functions."""
    before, frames = {}, []

    def conv(x, name):
        return F.conv2d(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"), padding=1)

    for x in video.split(1):
        x = conv(3 * torch.tanh(x / 3), "decoder.1").relu()
        for number in range(3, 19):
            name = f"decoder.{number}"
            if f"{name}.conv.0.weight" in weights:
                seen = torch.cat([x, before.get(number, torch.zeros_like(x))], 1)
                before[number] = x
                for i in (0, 2, 4):
                    seen = conv(seen, f"{name}.conv.{i}")
                    seen = seen.relu() if i < 4 else seen
                x = (x + seen).relu()
            elif f"{name}.weight" in weights:
                x = conv(F.interpolate(x, scale_factor=2, mode="nearest"), name)
        frames.append(conv(x, "decoder.19").clamp(0, 1))
    return torch.cat(frames)


class TestDecoder:
    def test_names_and_shapes_are_those_of_the_published_file(self):
        found = Decoder(device="meta").state_dict()
        assert {key: tuple(value.shape) for key, value in found.items()} == DECODER_SHAPES

    def test_equals_the_decoder_written_out(self, decoder):
        video = latents(4)
        frames, _ = decoder(video)
        assert frames.shape == (4, 3, 40, 48)
        assert 0 <= frames.min() < 0.3 and 0.7 < frames.max() <= 1
        torch.testing.assert_close(frames, written_out(taesdv_weights(), video))

    @pytest.mark.parametrize("lengths", [(1,) * 7, (3, 4), (6, 1), (2, 3, 2)])
    def test_parts_give_the_same_frames_bit_for_bit(self, decoder, lengths):
        video = latents(7)
        whole, last = decoder(video)
        memory, parts = None, []
        for part in video.split(lengths):
            frames, memory = decoder(part, memory)
            parts.append(frames)
        assert torch.equal(torch.cat(parts), whole)
        assert all(map(torch.equal, memory, last))

    def test_a_frame_depends_on_the_frames_before_alone(self, decoder):
        video = latents(5)
        other = video.clone()
        other[2] = 0
        changed = (decoder(video)[0] != decoder(other)[0]).flatten(1).any(1)
        assert changed.tolist() == [False, False, True, True, True]

    def test_the_memory_holds_one_frame_alone(self, decoder):
        _, memory = decoder(latents(5))
        sizes = [x.untyped_storage().nbytes() for x in memory]
        assert sizes == [4 * 64 * n * 5 * 6 for n in [1] * 3 + [4] * 3 + [16] * 3 + [64]]
