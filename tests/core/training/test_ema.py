"""Averages of parameters."""

import pytest
import torch
from torch import nn

from fcvg_core.training.ema import Ema


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(2, 2)


def put(layer: nn.Linear, value: float) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(value)


def ema_of(layer: nn.Linear, **more) -> Ema:
    return Ema(dict(layer.named_parameters()), **more)


class TestEma:
    def test_by_hand(self, layer):
        """The first decays are 1/10, 2/11 and 3/12, until the decay of the run is lower."""
        put(layer, 0.0)
        ema = ema_of(layer, decay=0.2)
        put(layer, 1.0)
        found = []
        for _ in range(3):
            ema.update()
            found.append(float(ema.averages["weight"][0, 0]))
        left = [0.1, 0.1 * 2 / 11, 0.1 * 2 / 11 * 0.2]
        torch.testing.assert_close(found, [1 - x for x in left], rtol=1e-6, atol=0)

    def test_holds_the_given_parameters_alone(self, layer):
        ema = Ema({"bias": layer.bias})
        assert ema.averages.keys() == {"bias"}
        before = layer.weight.detach().clone()
        with ema.applied():
            assert torch.equal(layer.weight, before)

    def test_is_float32(self, layer):
        ema = ema_of(layer.to(torch.bfloat16))
        ema.update()
        assert {value.dtype for value in ema.averages.values()} == {torch.float32}

    def test_applied_and_taken_back(self, layer):
        ema = ema_of(layer)
        own = layer.weight.detach().clone()
        put(layer, 5.0)
        with pytest.raises(InterruptedError), ema.applied():
            assert torch.equal(layer.weight, own)
            raise InterruptedError
        assert (layer.weight == 5).all()
        assert torch.equal(ema.averages["weight"], own)

    def test_goes_on_from_a_checkpoint(self, layer):
        whole, values = ema_of(layer), (1.0, 2.0, 3.0, 4.0)
        for value in values[:2]:
            put(layer, value)
            whole.update()
        resumed = ema_of(nn.Linear(2, 2))
        resumed.load_state_dict(whole.state_dict())
        resumed._parameters = dict(layer.named_parameters())
        for value in values[2:]:
            put(layer, value)
            whole.update()
            resumed.update()
        assert resumed.updates == whole.updates == 4
        for name, average in whole.averages.items():
            assert torch.equal(average, resumed.averages[name])

    def test_the_state_of_other_parameters(self, layer):
        with pytest.raises(ValueError, match="got others"):
            ema_of(layer).load_state_dict(ema_of(nn.Linear(3, 2)).state_dict())

    @pytest.mark.parametrize("decay", [-0.1, 1.1])
    def test_a_wrong_decay(self, layer, decay):
        with pytest.raises(ValueError, match=r"expected a decay in 0\.\.1"):
            ema_of(layer, decay=decay)
