"""Models that are steered: twice, under two guiders, in half precision."""

import pytest
import torch
from guiding import Rig, compute_in_half, note_memory, patches_of, random


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture(scope="module")
def half_rig(load, load_controlnext, stand_ins, shallow_unet):
    """The same models in the number formats of a card."""
    with pytest.MonkeyPatch.context() as patch:
        compute_in_half(patch)
        loading = load("nodes.host.svd.loading")
        return Rig(
            load,
            loading.load_unet(str(shallow_unet), None, "default"),
            load_controlnext(str(stand_ins / "controlnext.safetensors")),
        )


def video(rig, **more) -> torch.Tensor:
    """A video in windows, under the control that `Rig.steer` gives."""
    return rig.sample(rig.inbetween(rig.steer(**more), window=4))


@pytest.fixture(scope="module")
def plain(rig) -> torch.Tensor:
    """The video under control everywhere."""
    return video(rig)


@pytest.fixture(scope="module")
def without(rig) -> torch.Tensor:
    """The video without control."""
    return video(rig, strength=0)


class TestSteeredTwice:
    """Apply ControlNeXt behind Apply ControlNeXt."""

    def twice(self, rig, flipped=False, **more):
        """The second control frames are those of the first in another order."""
        once = rig.steer(flipped=flipped)
        return rig.steer(once, flipped=not flipped, **more)

    @pytest.mark.seam
    def test_both_act_alike_on_both_keyframes(self, rig):
        videos = [
            rig.sample(
                rig.inbetween(self.twice(rig, flipped), flipped=flipped, window=4), flipped=flipped
            )
            for flipped in (False, True)
        ]
        assert (videos[0] - videos[1]).abs().max() <= 1e-5 * videos[0].std()
        for flipped in (False, True):
            once = rig.sample(rig.inbetween(rig.steer(flipped=flipped), window=4))
            assert (videos[0] - once).abs().max() > 1e-3 * once.std()

    def test_of_no_strength(self, rig):
        once, twice = (
            rig.sample(rig.animation(model)) for model in (rig.steer(), self.twice(rig, strength=0))
        )
        assert torch.equal(once, twice)

    def test_one_after_the_other(self, rig):
        """The first up to the middle of the steps, the second from there on: as one over all."""
        first = rig.steer(end=0.5)
        wanted, out, alone = (
            rig.sample(rig.animation(model), steps=4)
            for model in (rig.steer(), rig.steer(first, start=0.5), first)
        )
        assert torch.equal(out, wanted)
        assert (alone - wanted).abs().max() > 1e-4 * wanted.std()

    def test_each_computes_once_a_step_and_keeps_nothing(self, rig):
        calls, model = [], self.twice(rig)
        handle = rig.controlnext.model.register_forward_hook(lambda *args: calls.append(1))
        rig.sample(rig.animation(model, window=4))
        handle.remove()
        assert len(calls) == 2 * 2
        assert [patch._control for patch in patches_of(model)] == [None, None]


class TestMask:
    """Control inside a mask alone."""

    @staticmethod
    def half(count: int = 1, size: int = 64) -> torch.Tensor:
        mask = torch.zeros(count, size, size)
        mask[:, :, size // 2 :] = 1
        return mask

    @pytest.mark.seam
    def test_a_full_mask_is_no_mask_bit_for_bit(self, rig, plain):
        for mask in (torch.ones(1, 64, 64), torch.ones(5, 10, 30)):
            assert torch.equal(video(rig, mask=mask, feather=9), plain)

    def test_masks_of_almost_everything_go_the_way_of_masks(self, rig):
        """Of several masks one is not full, so that the others are used as masks."""
        masks = torch.ones(5, 64, 64)
        masks[4] = 0
        model = rig.steer(mask=masks)
        (patch,) = patches_of(model)
        assert patch.mask is not None
        first, plain = (
            patch.mask.shrink((64, 64), (64, 64), (4, 4))[:4],
            torch.ones(4, 1, 4, 4),
        )
        assert torch.equal(first, plain)

    def test_an_empty_mask_is_no_control(self, rig, without, caplog):
        assert torch.equal(video(rig, mask=torch.zeros(1, 64, 64)), without)
        assert "Control never acts, because mask is empty" in caplog.text

    def test_half_a_mask_is_neither(self, rig, plain, without):
        half = video(rig, mask=self.half())
        for other in (plain, without):
            assert (half - other).abs().max() > 1e-4 * plain.std()

    def test_one_mask_is_the_same_as_equal_masks(self, rig):
        videos = [video(rig, mask=self.half(count), feather=16) for count in (1, 5)]
        assert torch.equal(*videos)

    def test_masks_run_with_the_frames(self, rig):
        """The mirrored video under mirrored masks is the same video."""
        masks = self.half(5)
        masks[:2] = masks[:2].flip(2)
        videos = [
            rig.sample(
                rig.inbetween(
                    rig.steer(flipped=flipped, mask=masks.flip(0) if flipped else masks),
                    flipped=flipped,
                    window=4,
                ),
                flipped=flipped,
            )
            for flipped in (False, True)
        ]
        assert (videos[0] - videos[1]).abs().max() <= 1e-5 * videos[0].std()

    def test_a_mask_of_another_shape_is_stretched(self, rig, caplog):
        wide = torch.zeros(1, 32, 128)
        wide[..., 64:] = 1
        square = video(rig, mask=self.half())
        assert (video(rig, mask=wide) - square).abs().max() < 0.1 * square.std()
        assert "the mask is stretched to the picture's proportions" in caplog.text

    def test_another_number_of_masks(self, rig):
        with pytest.raises(ValueError, match="There are 3 masks, but 5 control frames"):
            rig.steer(mask=torch.zeros(3, 64, 64))

    def test_a_feather_of_a_link(self, node_classes):
        node, frames = node_classes["FCVG_ApplyControlNeXt"], torch.zeros(1, 64, 64, 3)
        with pytest.raises(ValueError, match="feather is -5, but it must be from 0 to 1024"):
            node.execute(None, None, frames, 1.0, 0.0, 1.0, mask=self.half(), feather=-5)


class TestTwoGuiders:
    """One steered model in two branches of a graph."""

    @pytest.mark.seam
    def test_they_do_not_know_of_each_other(self, rig):
        model = rig.steer()
        first, second = rig.inbetween(model), rig.animation(model, window=4, guidance=(1.0, 2.0))
        apart = rig.sample(rig.animation(rig.steer(), window=4, guidance=(1.0, 2.0)))
        before = rig.sample(first)
        assert torch.equal(rig.sample(second), apart)
        assert torch.equal(rig.sample(first), before)

    def test_memory_is_asked_for_each_guiders_window(self, rig, monkeypatch):
        shapes, model = note_memory(monkeypatch), rig.steer()
        guiders = rig.inbetween(model, window=3), rig.animation(model, window=4)
        for guider in guiders:
            rig.sample(guider, steps=1)
        assert [shape[0] for shape in shapes] == [3, 4]


class TestHalfPrecision:
    """Guider and patch over networks in float16."""

    @pytest.mark.seam
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
