"""What the UNet makes of its inputs, at small sizes."""

import pytest
import torch
from network_checks import CastingOperations, unused_tensors
from unet3d_cases import TINY, TINY_LEARNED, TINY_SMCD, tiny_inputs, tiny_unet

from fcvg_core.errors import UserError
from fcvg_core.models.unet3d import UNet3D

CONFIGS = {"dynamicrafter": TINY, "learned": TINY_LEARNED, "smcd": TINY_SMCD}


@pytest.fixture(scope="module")
def networks() -> dict[str, UNet3D]:
    return {name: tiny_unet(config) for name, config in CONFIGS.items()}


@pytest.fixture(params=CONFIGS)
def network(request, networks) -> UNet3D:
    return networks[request.param]


def changes(network: UNet3D, **changed) -> bool:
    """Whether other inputs change the output by more than rounding."""
    inputs = tiny_inputs(network.config)
    before, after = network(**inputs), network(**{**inputs, **changed})
    return bool((before - after).abs().max() > 1e-4 * before.abs().max())


class TestForward:
    @pytest.mark.parametrize(("videos", "frames"), [(1, 1), (1, 3), (2, 2)])
    @torch.inference_mode()
    def test_shape(self, network, videos, frames):
        out = network(**tiny_inputs(network.config, videos, frames))
        assert out.shape == (videos * frames, 4, 4, 4)

    @torch.inference_mode()
    def test_videos_of_a_batch_do_not_see_each_other(self, network):
        inputs = tiny_inputs(network.config, num_videos=2)
        together = network(**inputs)
        for part in (slice(0, 3), slice(3, 6)):
            own = {k: v[part] if isinstance(v, torch.Tensor) else v for k, v in inputs.items()}
            torch.testing.assert_close(network(**own), together[part], atol=1e-5, rtol=1e-4)

    @torch.inference_mode()
    def test_frames_of_a_video_see_each_other(self, network):
        inputs = tiny_inputs(network.config)
        other = inputs["latents"].clone()
        other[2] += 1
        before, after = network(**inputs), network(**{**inputs, "latents": other})
        assert ((before - after).abs().amax((1, 2, 3)) > 1e-4).all()

    def test_every_tensor_matters(self, network):
        assert not unused_tensors(network, network(**tiny_inputs(network.config)))

    @torch.inference_mode()
    def test_every_input_matters(self, network):
        inputs = tiny_inputs(network.config)
        for name in inputs.keys() - {"num_frames", "latents"}:
            other = inputs[name] + 50 if name in ("timesteps", "rate") else inputs[name].flip(1)
            if name in ("image_tokens", "text", "objects"):  # their order does not matter
                assert not changes(network, **{name: other})
                other = other.roll(1, 0)  # the tokens of another frame
            assert changes(network, **{name: other}), name

    @torch.inference_mode()
    def test_without_image_tokens(self, networks):
        assert changes(networks["dynamicrafter"], image_tokens=None)

    @torch.inference_mode()
    def test_rate_of_a_call_that_names_none(self, networks):
        network = networks["dynamicrafter"]
        inputs = tiny_inputs(TINY)
        inputs["rate"] = torch.full((3,), TINY.default_rate)
        named = network(**inputs)
        assert torch.equal(network(**{**inputs, "rate": None}), named)
        assert changes(network, rate=None)

    @torch.inference_mode()
    def test_without_objects_the_gate_is_skipped_with_its_image_tokens(self, networks):
        network, inputs = networks["smcd"], tiny_inputs(TINY_SMCD)
        inputs["objects"] = None
        without = network(**inputs)
        assert torch.equal(network(**{**inputs, "image_tokens": None}), without)
        assert changes(network, objects=None)

    def test_frames_that_are_no_whole_videos(self, networks):
        with pytest.raises(ValueError, match="got 3 frames, expected a multiple of 2"):
            networks["dynamicrafter"](**{**tiny_inputs(TINY), "num_frames": 2})

    def test_size_that_cannot_be_halved(self, networks):
        inputs = tiny_inputs(TINY)
        inputs["latents"] = torch.zeros(3, 8, 4, 5)
        with pytest.raises(UserError, match="5 x 4, but .* multiples of 2: .* multiples of 16"):
            networks["dynamicrafter"](**inputs)


class TestControl:
    """The places and the order of ComfyUI's openaimodel.UNetModel."""

    # Channels, size, and place of the residuals, in the order in which they are taken: from the
    # end of each list.
    SKIPS = [(64, 4), (64, 4), (64, 2), (128, 2)]  # after each input block

    def residuals(self, place: str, value: float) -> list[torch.Tensor]:
        shapes = {"input": self.SKIPS[::-1], "middle": [(128, 2)], "output": self.SKIPS}
        return [torch.full((3, c, size, size), value) for c, size in shapes[place]]

    @pytest.mark.parametrize("place", ["input", "middle", "output"])
    @torch.inference_mode()
    def test_strength_zero_changes_no_bit(self, networks, place):
        network, inputs = networks["dynamicrafter"], tiny_inputs(TINY)
        plain = network(**inputs)
        for control in ({place: self.residuals(place, 0.0)}, {place: [None]}, {place: []}, {}):
            assert torch.equal(network(**inputs, control=control), plain)

    @pytest.mark.parametrize(
        ("place", "index"),
        [(p, i) for p, n in (("input", 4), ("middle", 1), ("output", 4)) for i in range(n)],
    )
    @torch.inference_mode()
    def test_every_residual_changes_the_output(self, networks, place, index):
        residuals = [x if i == index else None for i, x in enumerate(self.residuals(place, 1.0))]
        given = {place: list(residuals)}
        assert changes(networks["dynamicrafter"], control=given)
        assert len(given[place]) == len(residuals)  # the caller's list is whole after the call

    @pytest.mark.parametrize(
        ("place", "seen_by", "channels"),
        [
            ("input", "input_blocks.1", slice(None)),  # after the initial attention over frames
            ("middle", "output_blocks.0", slice(0, 128)),
            ("output", "output_blocks.0", slice(128, None)),  # the last skip connection
        ],
    )
    @torch.inference_mode()
    def test_the_last_residual_comes_first(self, networks, place, seen_by, channels):
        network, inputs, seen = networks["dynamicrafter"], tiny_inputs(TINY), []
        hook = network.get_submodule(seen_by).register_forward_pre_hook(
            lambda module, args: seen.append(args[0])
        )
        network(**inputs)
        network(**inputs, control={place: [None, self.residuals(place, 2.0)[-1]]})
        hook.remove()
        change = seen[1] - seen[0]
        torch.testing.assert_close(change[:, channels], torch.full_like(change[:, channels], 2.0))
        change[:, channels] = 0
        assert not change.any()

    def test_a_control_net_of_another_model(self, networks):
        with pytest.raises(UserError, match=r"\(3, 32, 2, 2\).*takes \(3, 128, 2, 2\)"):
            networks["dynamicrafter"](
                **tiny_inputs(TINY), control={"middle": [torch.zeros(3, 32, 2, 2)]}
            )


class TestOperations:
    @pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
    @torch.inference_mode()
    def test_weights_may_be_cast_at_use(self, config, networks):
        plain = tiny_unet(config)
        network = UNet3D(config, operations=CastingOperations, dtype=torch.bfloat16).eval()
        network.load_state_dict(plain.state_dict())
        assert {p.dtype for p in network.parameters()} == {torch.bfloat16}
        inputs = tiny_inputs(config)
        out, expected = network(**inputs), plain(**inputs)
        assert out.dtype == torch.float32
        assert 0 < (out - expected).abs().max() < 0.05 * expected.abs().max()

    def test_attention_is_the_hosts(self):
        calls = []

        def attend(query, key, value, heads):
            calls.append((query.shape, key.shape, heads))
            return query

        network = UNet3D(TINY, attend=attend)
        network(**tiny_inputs(TINY))
        # Frames at a pixel, after the first convolution; text and image tokens of the middle block.
        assert calls[0] == ((16, 3, 32), (16, 3, 32), 2)
        assert ((3, 4, 128), (3, 5, 128), 8) in calls
        assert ((3, 4, 128), (3, 4, 128), 8) in calls

    @torch.inference_mode()
    def test_half_precision(self):
        network = tiny_unet().to(torch.bfloat16)
        inputs = {
            k: v.bfloat16() if torch.is_tensor(v) and v.is_floating_point() else v
            for k, v in tiny_inputs().items()
        }
        out, expected = network(**inputs), tiny_unet()(**tiny_inputs())
        assert out.dtype == torch.bfloat16
        assert (out - expected).abs().max() < 0.1 * expected.abs().max()
