"""Predictions and loss of passes, on the stand-in networks."""

from dataclasses import replace

import pytest
import torch
from stand_ins import UNET
from torch import nn
from training_cases import FRAMES, IDS, LATENT, SIZE, make_clip, make_network, random

from fcvg_core.errors import UserError
from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.sampling import Window
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.networks.passes import UnetPasses
from fcvg_core.standalone.networks.steering import make_control
from fcvg_core.training.clips import reverse_clip
from fcvg_core.training.dropout import Kept
from fcvg_core.training.loss import add_noise, v_target
from fcvg_core.training.steps import Pass, SteeredUnet, training_loss
from fcvg_core.training.trained_sets import SVD, find_trained_set, open_for_training

LEVELS = [0.002, 0.7085, 10.0, 700.0]
NOTHING = Kept(embedding=False, image=False, control=False)
SETTINGS = SamplingSettings(
    num_frames=FRAMES, window=25, overlap=6, steps=1, guidance_start=3.0, guidance_end=3.0,
    control_weight=1.0, fps=7, motion_bucket_id=127, augmentation=0.02,
    noise_injection_steps=0, noise_injection_ratio=0.0, denoise=1.0, schedule="karras",
    guidance_from=0.0, guidance_until=1.0, forward_share=0.0, cache_interval=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def network() -> SteeredUnet:
    return make_network()


def make_pass(clip=None, level: float = 2.0, seed: int = 20, **more) -> Pass:
    clip = clip or make_clip()
    return Pass(clip, torch.tensor(level), random(seed, *clip.latents.shape), **more)


def noisy(each: Pass) -> torch.Tensor:
    return add_noise(each.clip.latents, each.noise, each.sigma)


def infer(network: SteeredUnet, each: Pass, *, both: bool) -> torch.Tensor:
    """Predictions [halves, T, 4, h, w] by the code of inference, for a forward or backward clip."""
    clip = each.clip
    images = clip.images[::-1] if clip.backward else clip.images
    control = make_control(
        network.controlnext, network.unet, clip.control, clip.latents, window=25, strength=1.0
    )
    passes = UnetPasses(network.unet, images, control, SETTINGS, features_on=torch.device("cpu"))
    window = Window(0, FRAMES)
    return passes.predict(noisy(each), each.sigma, window, backward=clip.backward, both=both)


class Sizes:
    """Notes the batch sizes that a network is called with."""

    def __init__(self, network: nn.Module):
        self._network = network

    def __enter__(self) -> list[int]:
        seen = []
        self._handle = self._network.register_forward_pre_hook(
            lambda module, args: seen.append(len(args[0]))
        )
        return seen

    def __exit__(self, *exception) -> None:
        self._handle.remove()


class TestSameAsInference:
    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
    def test_one_pass(self, network, level, backward):
        clip = reverse_clip(make_clip()) if backward else make_clip()
        each = make_pass(clip, level)
        close(network([each]), infer(network, each, both=False))

    def test_the_unconditional_half(self, network):
        """It has neither embedding nor image nor control: what `drop_control_with_both` trains."""
        each = make_pass()
        halves = network([replace(each, kept=NOTHING), each])
        close(halves, infer(network, each, both=True))

    def test_passes_of_a_batch_know_nothing_of_each_other(self, network):
        clip = make_clip()
        passes = [
            make_pass(clip, 0.5, 21),
            make_pass(reverse_clip(clip), 0.5, 22),
            make_pass(make_clip(10, ids=(7.0, 100.0, 0.1)), 30.0, 23),
            make_pass(make_clip(20, control=None), 3.0, 24),
        ]
        alone = torch.cat([network([each]) for each in passes])
        close(network(passes), alone, 1e-5)  # matrices of other sizes are rounded otherwise


def close(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-6) -> None:
    """Equal to a share of the largest value."""
    assert found.shape == expected.shape and found.dtype == torch.float32
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


class TestConditions:
    @pytest.mark.parametrize("name", ["embedding", "image", "control"])
    def test_what_is_dropped_has_no_influence(self, network, name):
        kept, clip = Kept(**{name: False}), make_clip()
        first = clip.images[0]
        changed = {
            "embedding": {"images": (replace(first, embedding=first.embedding + 1),)},
            "image": {"images": (replace(first, latent=first.latent + 1),)},
            "control": {"control": 1 - clip.control},
        }[name]
        passes = [make_pass(each) for each in (clip, replace(clip, **changed))]
        before, after = (network([each]) for each in passes)
        assert (before - after).abs().max() > 1e-4
        before, after = (network([replace(each, kept=kept)]) for each in passes)
        assert torch.equal(before, after)

    def test_dropped_conditions_are_zeros(self, network):
        clip, kept = make_clip(), Kept(embedding=False, image=False)
        empty = replace(clip.images[0], embedding=torch.zeros(1, 1, 64))
        empty = replace(empty, latent=torch.zeros(1, *LATENT))
        expected = network([make_pass(replace(clip, images=(empty,)))])
        assert torch.equal(network([make_pass(clip, kept=kept)]), expected)

    def test_no_strength_is_no_control(self, network):
        without = network([make_pass(make_clip(control=None))])
        weak = SteeredUnet(network.unet, network.controlnext, strength=0.0)
        assert torch.equal(weak([make_pass()]), without)
        alone = SteeredUnet(network.unet, None)
        assert torch.equal(alone([make_pass()]), without)

    def test_whole_pixel_values(self, network):
        pixels = (make_clip().control * 255).round().to(torch.uint8)
        found = network([make_pass(make_clip(control=pixels))])
        close(found, network([make_pass(make_clip(control=pixels.float() / 255))]))


class TestCalls:
    def test_both_directions_share_a_pass_of_controlnext(self, network):
        clip = make_clip()
        passes = [make_pass(clip), make_pass(reverse_clip(clip))]
        with Sizes(network.controlnext) as seen, Sizes(network.unet) as batches:
            network(passes)
        assert (seen, batches) == ([FRAMES], [2])

    def test_another_noise_level_does_not(self, network):
        clip = make_clip()
        with Sizes(network.controlnext) as seen:
            network([make_pass(clip), make_pass(reverse_clip(clip), 3.0)])
        assert seen == [2 * FRAMES]

    def test_no_control_needs_none(self, network):
        with Sizes(network.controlnext) as seen:
            network([make_pass(kept=NOTHING), make_pass(make_clip(control=None))])
        assert not seen

    def test_no_hook_is_left(self, network):
        network([make_pass()])
        assert not any(block._forward_hooks for block in network.unet.down_blocks)


class TestTrainingLoss:
    def test_is_the_mean_of_each_pass(self, network):
        passes = [make_pass(make_clip(0), 0.5), make_pass(make_clip(10), 30.0)]
        loss, prediction = training_loss(network, passes), network(passes)
        expected = [
            float(((out - v_target(x.clip.latents, x.noise, x.sigma)) ** 2).mean())
            for out, x in zip(prediction, passes, strict=True)
        ]
        torch.testing.assert_close(loss.tolist(), expected, rtol=1e-5, atol=0)

    def test_weights(self, network):
        """A clip without weights counts 1 everywhere."""
        half = torch.zeros(FRAMES, 1, *LATENT[1:])
        weighted = make_pass(make_clip(weights=half + 0.5))
        passes = [make_pass(), weighted]
        plain, lighter = training_loss(network, passes)
        torch.testing.assert_close(lighter, plain / 2)

    def test_an_ideal_network_has_none(self):
        each = make_pass()
        target = v_target(each.clip.latents, each.noise, each.sigma)
        assert float(training_loss(lambda passes: target[None], [each])) == 0

    def test_memory_is_saved_without_another_gradient(self):
        gradients = []
        for saves in (False, True):
            network = make_network().requires_grad_(True)
            if saves:
                network.save_memory()
            training_loss(network, [make_pass(level=0.5)]).mean().backward()
            gradients.append({name: value.grad for name, value in network.named_parameters()})
        plain, saved = gradients
        for name, gradient in plain.items():
            assert (gradient is None) == (saved[name] is None), name
            if gradient is not None:
                torch.testing.assert_close(saved[name], gradient, rtol=1e-4, atol=1e-7)

    def test_half_precision_by_autocast(self, network):
        """Frozen weights are in half precision; what is trained, and the loss, are float32."""
        half = make_network().to(torch.bfloat16)
        opened = open_for_training(half, find_trained_set(SVD, "control+vo"))
        with torch.autocast("cpu", torch.bfloat16):
            loss = training_loss(half, [make_pass()])
        loss.mean().backward()
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, training_loss(network, [make_pass()]), rtol=0.05, atol=0)
        assert {value.grad.dtype for value in opened.values()} == {torch.float32}


class TestWrongInput:
    def test_latents_of_two_shapes(self, network):
        long = make_clip(latents=random(0, 5, *LATENT), control=None)
        with pytest.raises(ValueError, match="latents of one shape"):
            network([make_pass(), make_pass(long)])

    def test_control_frames_of_two_types(self, network):
        pixels = torch.zeros(FRAMES, 3, *SIZE, dtype=torch.uint8)
        with pytest.raises(ValueError, match="control frames of one shape and type"):
            network([make_pass(), make_pass(make_clip(control=pixels))])

    def test_no_pass(self, network):
        with pytest.raises(ValueError, match=r"one shape, got \[\]"):
            network([])

    def test_noise_of_another_shape(self):
        with pytest.raises(ValueError, match=r"expected noise \(3, 4, 4, 8\) as the latents"):
            Pass(make_clip(), torch.tensor(1.0), random(0, 2, *LATENT))

    def test_networks_that_do_not_fit(self, network):
        wide = ControlNeXt(replace(network.controlnext.config, out_channels=320))
        with pytest.raises(UserError, match="belong to different models"):
            SteeredUnet(network.unet, wide)

    def test_version_1(self, network):
        first = ControlNeXt(replace(V1, out_channels=UNET["block_out_channels"][-1]))
        with pytest.raises(UserError, match="v1, which can't be trained here"):
            SteeredUnet(network.unet, first)


def test_ids_are_those_of_inference():
    assert (SETTINGS.fps - 1, SETTINGS.motion_bucket_id, SETTINGS.augmentation) == IDS
