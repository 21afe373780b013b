"""Models that are steered: twice, under two guiders, in half precision."""

import gc

import pytest
import torch
from guiding import Rig, compute_in_half, patches_of, random

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture(scope="module")
def half_rig(load, load_controlnext, stand_ins):
    """The same models in the number formats of a card."""
    with pytest.MonkeyPatch.context() as patch:
        compute_in_half(patch)
        loading = load("nodes.host.svd.loading")
        return Rig(
            load,
            loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default"),
            load_controlnext(str(stand_ins / "controlnext.safetensors")),
        )


class TestSteeredTwice:
    """Apply ControlNeXt behind Apply ControlNeXt."""

    def twice(self, rig, flipped=False, **more):
        """The second control frames are those of the first in another order."""
        once = rig.steer(flipped=flipped)
        return rig.steer(once, flipped=not flipped, **more)

    @pytest.mark.parametrize("window", [25, 4])
    def test_both_act_alike_on_both_keyframes(self, rig, window):
        def make(flipped):
            return rig.inbetween(self.twice(rig, flipped), flipped=flipped, window=window)

        assert rig.asymmetry(make) <= 1e-5
        twice, *each = (
            rig.sample(rig.inbetween(model, window=window))
            for model in (self.twice(rig), rig.steer(), rig.steer(flipped=True))
        )
        for once in each:
            assert (twice - once).abs().max() > 1e-3 * once.std()

    def test_of_no_strength(self, rig):
        once, twice = (
            rig.sample(rig.inbetween(model)) for model in (rig.steer(), self.twice(rig, strength=0))
        )
        assert torch.equal(once, twice)

    def test_one_after_the_other(self, rig):
        """The first up to the middle of the steps, the second from there on: as one over all."""
        halves = rig.steer(rig.steer(end=0.5), start=0.5)
        wanted, out = (rig.sample(rig.inbetween(model), steps=6) for model in (rig.steer(), halves))
        assert torch.equal(out, wanted)
        first = rig.sample(rig.inbetween(rig.steer(end=0.5)), steps=6)
        assert (first - wanted).abs().max() > 1e-3 * wanted.std()

    def test_each_computes_once_a_step_and_keeps_nothing(self, rig):
        calls, model = [], self.twice(rig)
        handle = rig.controlnext.model.register_forward_hook(lambda *args: calls.append(1))
        rig.sample(rig.inbetween(model, window=4), steps=3)
        handle.remove()
        gc.collect()
        assert len(calls) == 2 * 3
        assert [patch._control for patch in patches_of(model)] == [None, None]


class TestTwoGuiders:
    """One steered model in two branches of a graph."""

    def test_they_do_not_know_of_each_other(self, rig):
        model = rig.steer()
        first, second = rig.inbetween(model), rig.animation(model, window=4, guidance=(1.0, 2.0))
        apart = [
            rig.sample(rig.inbetween(rig.steer())),
            rig.sample(rig.animation(rig.steer(), window=4, guidance=(1.0, 2.0))),
        ]
        for guider, wanted in ((first, 0), (second, 1), (first, 0)):
            assert torch.equal(rig.sample(guider), apart[wanted])

    def test_memory_is_asked_for_each_guiders_window(self, rig, monkeypatch):
        from comfy import sampler_helpers

        estimate, lengths = sampler_helpers.estimate_memory, []

        def noted(model, shape, *args, **kwargs):
            lengths.append(shape[0])
            return estimate(model, shape, *args, **kwargs)

        monkeypatch.setattr(sampler_helpers, "estimate_memory", noted)
        model = rig.steer()
        guiders = rig.inbetween(model, window=3), rig.animation(model, window=4)
        for guider in guiders:
            rig.sample(guider, steps=1)
        assert lengths == [3, 4]


class TestHalfPrecision:
    """Guider and patch over networks in float16."""

    def test_close_to_float32(self, rig, half_rig):
        assert half_rig.model.model.get_dtype() == torch.float16
        assert half_rig.controlnext.model.compute_dtype == torch.float16
        wanted, out = (
            each.sample(each.inbetween(each.steer(), window=4)) for each in (rig, half_rig)
        )
        assert (out - wanted).abs().max() <= 0.05 * wanted.std()

    def test_large_values_do_not_overflow(self, half_rig):
        """A hidden state near the largest number of float16 comes back with finite features."""
        patch = patches_of(half_rig.steer())[0]
        hidden = (random(0, 5, 64, 4, 4) * 1e4).half()
        options = {
            "block": ("input", 3),
            "cond_or_uncond": [0],
            "sigmas": torch.tensor([3.0]),
        }
        with torch.inference_mode():
            out, wanted = (patch(value, options) for value in (hidden, hidden.float()))
        assert out.dtype == torch.float16
        torch.testing.assert_close(out.float(), wanted, rtol=1e-2, atol=100.0)
