import math

import pytest
import torch

from fcvg_core.models.layers import attend, sinusoids


def test_cosines_come_before_sines():
    out = sinusoids(torch.tensor([0, 2]), 4)
    frequency = math.exp(-math.log(10000) / 2)  # the second of two; the first is 1
    expected = [
        [1, 1, 0, 0],
        [math.cos(2), math.cos(2 * frequency), math.sin(2), math.sin(2 * frequency)],
    ]
    torch.testing.assert_close(out, torch.tensor(expected))


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.float64])
def test_every_format_gives_float32(dtype):
    values = torch.tensor([3, 500], dtype=dtype)
    assert torch.equal(sinusoids(values, 320), sinusoids(values.float(), 320))
    assert sinusoids(values, 320).shape == (2, 320)


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
