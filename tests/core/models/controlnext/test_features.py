"""Features of control frames, and what they do to a hidden state."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from fcvg_core.models.controlnext import (
    V2,
    ControlNeXt,
    add_control,
    compute_features,
    control_features,
    empty_features,
    prepare_control,
    steer_chunks,
)

CPU = torch.device("cpu")


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> ControlNeXt:
    torch.manual_seed(0)
    config = replace(V2, out_channels=8, stem=(4, 4, 8), down=(8, 16))
    return ControlNeXt(config).eval().requires_grad_(False)


class TestEmptyFeatures:
    @pytest.mark.parametrize(("num_frames", "kept"), [(3, "meta"), (4, "meta"), (5, "cpu")])
    def test_a_long_video_is_kept_elsewhere(self, network, num_frames, kept):
        features = empty_features(
            network,
            num_frames,
            (2, 3),
            window=4,
            dtype=torch.float16,
            device=torch.device("meta"),
            offload=CPU,
        )
        assert features.shape == (num_frames, 8, 2, 3)
        assert (features.device.type, features.dtype) == (kept, torch.float16)


class TestComputeFeatures:
    def compute(self, network, frames, **more) -> torch.Tensor:
        out = torch.empty(len(frames), 8, 2, 3)
        sigma = torch.tensor(5.0)
        compute_features(network, frames, sigma, out, device=CPU, dtype=torch.float32, **more)
        return out

    def test_are_the_prepared_features_of_every_frame(self, network):
        frames = random(10, 3, 32, 48).sigmoid()
        features = network(frames, 0.25 * torch.tensor(5.0).log())
        torch.testing.assert_close(self.compute(network, frames), prepare_control(features, (2, 3)))

    def test_a_few_frames_at_a_time(self, network):
        seen, calls = [], []
        handle = network.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
        self.compute(network, torch.rand(10, 3, 32, 48), before_call=lambda: calls.append(1))
        handle.remove()
        assert seen == [8, 2] and len(calls) == 2

    def test_whole_pixel_values_are_the_same_as_shares(self, network):
        generator = torch.Generator().manual_seed(1)
        pixels = torch.randint(0, 256, (2, 3, 32, 48), generator=generator, dtype=torch.uint8)
        shares = self.compute(network, pixels.float() / 255)
        assert torch.equal(self.compute(network, pixels), shares)

    def test_can_be_stopped(self, network):
        def stop():
            raise InterruptedError

        with pytest.raises(InterruptedError):
            self.compute(network, torch.rand(2, 3, 32, 48), before_call=stop)


class TestControlFeatures:
    def compute(self, network, frames, sigma) -> torch.Tensor:
        return control_features(network, frames, sigma, (2, 3), CPU, torch.float32)

    def test_a_level_of_each_frame(self, network):
        frames, levels = random(3, 3, 32, 48).sigmoid(), torch.tensor([0.1, 2.0, 700.0])
        alone = [self.compute(network, frames[i : i + 1], levels[i]) for i in range(3)]
        found = self.compute(network, frames, levels)
        torch.testing.assert_close(found, torch.cat(alone), rtol=1e-4, atol=1e-5)
        assert (found[:1] - self.compute(network, frames[:1], levels[1])).abs().max() > 1e-4

    def test_gradients_pass(self, network):
        frames = random(1, 3, 32, 48).sigmoid().requires_grad_(True)
        self.compute(network, frames, torch.tensor(1.0)).square().sum().backward()
        assert frames.grad.abs().max() > 0


class TestSteerChunks:
    levels = (0.5, 0.1)

    def steer(self, hidden, control, conditional, **more):
        chosen = {"levels": self.levels, "strength": 1.0, "backward": False, **more}
        return steer_chunks(hidden, control, conditional=conditional, **chosen)

    def test_each_chunk_has_its_level(self):
        hidden, control = random(6, 4, 3, 3), random(2, 4, 3, 3, seed=1)
        out = self.steer(hidden, control, [False, True, False]).chunk(3)
        for chunk, part, level in zip(out, hidden.chunk(3), (0.1, 0.5, 0.1), strict=True):
            assert torch.equal(chunk, add_control(part, control, 1.0, level))

    def test_level_of_zero_changes_nothing(self):
        hidden, control = random(4, 4, 3, 3), random(2, 4, 3, 3, seed=1)
        out = self.steer(hidden, control, [False, True], levels=(0.2, 0.0))
        assert torch.equal(out[:2], hidden[:2]) and not torch.equal(out[2:], hidden[2:])

    def test_backward_chunks_see_control_in_reverse_order(self):
        hidden, control = random(3, 4, 3, 3), random(3, 4, 3, 3, seed=1)
        backward = self.steer(hidden.flip(0), control, [True], backward=True)
        forward = self.steer(hidden, control, [True])
        assert torch.allclose(backward.flip(0), forward, atol=1e-6)
        assert not torch.allclose(self.steer(hidden.flip(0), control, [True]).flip(0), forward)

    def test_control_takes_the_hidden_states_type(self):
        out = self.steer(random(2, 4, 3, 3).half(), random(2, 4, 3, 3, seed=1), [True])
        assert out.dtype == torch.float16

    def test_backward_chunks_see_masks_in_reverse_order(self):
        hidden, control = random(3, 4, 3, 3), random(3, 4, 3, 3, seed=1)
        mask = random(3, 1, 3, 3, seed=2).sigmoid()
        backward = self.steer(hidden.flip(0), control, [True], backward=True, mask=mask)
        forward = self.steer(hidden, control, [True], mask=mask)
        assert torch.allclose(backward.flip(0), forward, atol=1e-6)


class TestAddControl:
    def test_a_mask_chooses_where_the_same_control_is_added(self):
        hidden, control = random(2, 4, 3, 4), random(2, 4, 3, 4, seed=1)
        mask = torch.zeros(2, 1, 3, 4)
        mask[..., 2:] = 1
        out, whole = (add_control(hidden, control, 1.0, mask=x) for x in (mask, None))
        assert torch.equal(out[..., :2], hidden[..., :2])
        assert torch.equal(out[..., 2:], whole[..., 2:])

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
    def test_a_mask_of_ones_changes_no_bit_and_a_mask_of_zeros_adds_nothing(self, dtype):
        hidden, control = random(2, 4, 3, 4).to(dtype), random(2, 4, 3, 4, seed=1).to(dtype)
        ones, zeros = torch.ones(2, 1, 3, 4, dtype=dtype), torch.zeros(2, 1, 3, 4, dtype=dtype)
        whole = add_control(hidden, control, 0.7)
        assert torch.equal(add_control(hidden, control, 0.7, mask=ones), whole)
        assert torch.equal(add_control(hidden, control, 0.7, mask=zeros), hidden)

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
