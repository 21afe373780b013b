import math

import pytest
import torch

from fcvg_core.models.layers import sinusoids


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
