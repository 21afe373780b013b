"""What the transformer makes of its inputs, at small sizes."""

import pytest
import torch
from memory import PeakBytes
from network_checks import CastingOperations, unused_tensors
from torch import Tensor

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.config import TransformerConfig
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer
from fcvg_core.models.dropletvideo.rope import rotary_table

TINY = TransformerConfig(layers=2, heads=2, head_channels=16, time_channels=12, text_channels=8)


@pytest.fixture(scope="module")
def network() -> DropletVideoTransformer:
    torch.manual_seed(0)
    return DropletVideoTransformer(TINY).eval()


def inputs(*, batch: int = 1, frames: int = 2, size: tuple[int, int] = (4, 6)) -> dict[str, Tensor]:
    """Arguments of a tiny transformer's call."""
    generator = torch.Generator().manual_seed(1)
    return {
        "x": torch.randn(batch, TINY.in_channels, frames, *size, generator=generator),
        "timesteps": torch.linspace(999, 0, batch),
        "context": torch.randn(batch, 5, TINY.text_channels, generator=generator),
        "fps": torch.tensor([8]),
    }


def change(network: DropletVideoTransformer, **changed: Tensor) -> float:
    """How far other inputs change the output, as a share of the largest value."""
    before = network(**inputs())
    return float((network(**{**inputs(), **changed}) - before).abs().max() / before.abs().max())


class TestForward:
    @pytest.mark.parametrize("shape", [(1, 1, 2, 2), (2, 1, 4, 2), (1, 3, 2, 6)])
    @torch.inference_mode()
    def test_shape(self, network, shape):
        batch, frames, *size = shape
        out = network(**inputs(batch=batch, frames=frames, size=tuple(size)))
        assert out.shape == (batch, TINY.out_channels, frames, *size)

    @torch.inference_mode()
    def test_videos_of_a_batch_do_not_see_each_other(self, network):
        both = inputs(batch=2) | {"fps": torch.tensor([4, 32])}
        together = network(**both)
        for i in range(2):
            alone = network(**{name: value[i : i + 1] for name, value in both.items()})
            torch.testing.assert_close(alone, together[i : i + 1], atol=1e-5, rtol=1e-4)

    def test_every_tensor_matters(self, network):
        assert not unused_tensors(network, network(**inputs()))

    @torch.inference_mode()
    def test_every_input_matters(self, network):
        given = inputs()
        assert change(network, fps=torch.tensor([9])) > 1e-3
        assert change(network, timesteps=given["timesteps"] - 50) > 1e-3
        assert change(network, context=-given["context"]) > 1e-3
        for channel in (0, 16, 17, 32):
            other = given["x"].clone()
            other[:, channel] += 1
            assert change(network, x=other) > 1e-3
        assert change(network, context=given["context"].flip(1)) < 1e-5  # text has no positions
        turned = network(**{**given, "x": given["x"].flip(2)}).flip(2)
        assert (turned - network(**given)).abs().max() > 1e-3  # frames have

    @pytest.mark.parametrize(
        ("shape", "words"),
        [
            ((1, 33, 2, 4, 5), r"are 5 x 4, .*multiples of 2: make height and .* multiples of 16"),
            ((1, 33, 2, 3, 4), r"needs multiples of 2"),
            ((1, 16, 2, 4, 4), r"have 16 channels, but .* takes 33"),
        ],
    )
    def test_latents_that_do_not_fit(self, network, shape, words):
        with pytest.raises(UserError, match=words):
            network(**{**inputs(), "x": torch.zeros(shape)})


class TestHosts:
    @torch.inference_mode()
    def test_weights_may_be_cast_at_use(self, network):
        stored = DropletVideoTransformer(TINY, operations=CastingOperations, dtype=torch.bfloat16)
        stored.load_state_dict(network.state_dict())
        out, expected = stored(**inputs()), network(**inputs())
        assert out.dtype == torch.float32
        assert 0 < (out - expected).abs().max() < 0.05 * expected.abs().max()

    @torch.inference_mode()
    def test_half_precision(self, network):
        half = DropletVideoTransformer(TINY, dtype=torch.bfloat16)
        half.load_state_dict(network.state_dict())
        given = {k: v.bfloat16() if k in ("x", "context") else v for k, v in inputs().items()}
        out, expected = half(**given), network(**inputs())
        assert out.dtype == torch.bfloat16
        assert (out - expected).abs().max() < 0.1 * expected.abs().max()

    def test_attention_is_the_hosts(self):
        calls = []

        def attend(query, key, value, heads):
            calls.append((query.shape, key.shape, value.shape, heads))
            return value

        DropletVideoTransformer(TINY, attend=attend)(**inputs())
        tokens = (1, 5 + 2 * 2 * 3, 32)  # text, then two frames of 2 x 3 patches
        assert calls == [(tokens, tokens, tokens, 2)] * TINY.layers


@torch.inference_mode()
def test_holds_few_tensors_at_a_time(network):
    """The widest layer is four times as wide as the hidden state."""
    given = inputs(frames=4, size=(16, 16))
    rotary_table(4, (8, 8), TINY.head_channels)  # kept from step to step
    hidden = (5 + 4 * 8 * 8) * TINY.channels * 4  # bytes
    with PeakBytes() as memory:
        network(**given)
    assert memory.peak < 9 * hidden
