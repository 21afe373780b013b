from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from fcvg_core.models.controlnext import V2, ControlNeXt, add_control, prepare_control


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ControlNeXt(replace(V2, out_channels=8, stem=(4, 4, 8), down=(8, 16))).eval()


class TestControlNeXt:
    def test_shape(self, network):
        assert network(torch.rand(2, 3, 64, 96), torch.tensor(1.0)).shape == (2, 8, 7, 11)

    @torch.no_grad()
    def test_works_frame_by_frame(self, network):
        frames = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        together = network(frames, torch.tensor(0.3))
        alone = torch.cat([network(frame[None], torch.tensor(0.3)) for frame in frames])
        torch.testing.assert_close(together, alone)

    @torch.no_grad()
    def test_depends_on_the_timestep(self, network):
        frames = torch.rand(1, 3, 32, 32)
        one, other = (network(frames, torch.tensor(t)) for t in (1.6, -1.0))
        assert not torch.allclose(one, other, atol=1e-3)


class TestAddControl:
    def test_normalises_before_it_pools(self):
        hidden, features = random(2, 4, 6, 10), 5 + 3 * random(2, 4, 7, 11, seed=1)
        over = {"dim": (1, 2, 3), "keepdim": True}
        like_hidden = (features - features.mean(**over)) * (
            hidden.std(**over) / (features.std(**over) + 1e-5)
        ) + hidden.mean(**over)
        expected = hidden + F.adaptive_avg_pool2d(like_hidden, (6, 10)) * 0.2 * 0.7
        out = add_control(hidden, prepare_control(features, (6, 10)), 0.7)
        torch.testing.assert_close(out, expected)

    def test_no_strength_changes_nothing(self):
        hidden = random(2, 4, 3, 3)
        assert torch.equal(add_control(hidden, random(2, 4, 3, 3, seed=1), 0.0), hidden)

    def test_input_is_left_alone(self):
        hidden = random(2, 4, 3, 3)
        before = hidden.clone()
        add_control(hidden, random(2, 4, 3, 3, seed=1), 1.0)
        assert torch.equal(hidden, before)

    @pytest.mark.parametrize("shape", [(3, 4, 3, 3), (2, 8, 3, 3)])
    def test_features_of_another_model_or_video(self, shape):
        with pytest.raises(ValueError, match="do not belong together"):
            add_control(random(2, 4, 3, 3), random(*shape), 1.0)
