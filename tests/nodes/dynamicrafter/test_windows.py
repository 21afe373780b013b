"""Longer videos by the host's context windows: each window sees its own frames' inputs."""

from dataclasses import replace

import pytest
import torch
from dynamicrafter_runs import SIZE, Rig, random
from guiding import note_memory, skip_without_windows, with_windows
from unet3d_cases import TINY, tiny_unet

pytestmark = pytest.mark.seam


@pytest.fixture(autouse=True)
def host_with_windows(host):
    skip_without_windows()


@pytest.fixture
def calls(rig, monkeypatch) -> list[dict]:
    """What the network is called with, call by call."""
    noted, network = [], rig.model.model.diffusion_model
    predict = type(network).predict

    def note(self, x, *args, num_video_frames, image_tokens, **inputs):
        videos = len(x) // num_video_frames
        noted.append(
            {
                "frames": num_video_frames,
                "pictures": x[:, 4:].unflatten(0, (videos, -1)),
                "tokens": image_tokens.unflatten(0, (videos, -1)),
            }
        )
        inputs = {"num_video_frames": num_video_frames, "image_tokens": image_tokens, **inputs}
        return predict(self, x, *args, **inputs)

    monkeypatch.setattr(type(network), "predict", note)
    return noted


def starts(calls: list[dict], pictures: torch.Tensor) -> list[int]:
    """The first frame of each call's window, by the pictures that the network saw."""
    found = []
    for call in calls:
        seen = call["pictures"][-1]  # the positive; the host puts the unconditional first
        for start in range(len(pictures) - len(seen) + 1):
            if torch.allclose(pictures[start : start + len(seen)], seen, atol=1e-5):
                found.append(start)
    return found


class TestWindows:
    def sample(self, rig, frames: int, *, anchored=False, **conds) -> torch.Tensor:
        made = {
            name: conds.get(name) or rig.conditioning(seed, frames=frames)
            for name, seed in (("positive", 1), ("negative", 11))
        }
        guider = rig.guider(with_windows(rig.model, 4, 1, anchored=anchored), frames=frames, **made)
        return rig.sample(guider, frames=frames, steps=1)

    def test_each_window_sees_its_own_pictures_and_tokens(self, rig, calls):
        frames = 10
        positive = rig.conditioning(1, frames=frames)
        out = self.sample(rig, frames, positive=positive)
        assert out.shape == (frames, 4, SIZE, SIZE) and out.isfinite().all()
        assert {call["frames"] for call in calls} == {4}
        values = positive[0][1]
        pictures = rig.model.model.process_latent_in(values[rig.keys.IMAGE_LATENTS])
        tokens = values[rig.keys.IMAGE_TOKENS]
        found = starts(calls, pictures)
        assert found == [0, 3, 6]
        for start, call in zip(found, calls, strict=True):
            assert torch.equal(call["tokens"][-1], tokens[start : start + 4])

    def test_windows_with_one_more_frame(self, rig, calls):
        """The frame before a window is the first that the network sees, with its own inputs."""
        positive = rig.conditioning(1, frames=10)
        assert self.sample(rig, 10, anchored=True, positive=positive).isfinite().all()
        assert [call["frames"] for call in calls] == [4, 5, 5]
        values = positive[0][1]
        pictures = rig.model.model.process_latent_in(values[rig.keys.IMAGE_LATENTS])
        assert starts(calls, pictures) == [0, 2, 5]
        tokens = values[rig.keys.IMAGE_TOKENS]
        assert torch.equal(calls[1]["tokens"][-1], tokens[2:7])

    def test_zeros_between_two_pictures_stay_zeros(self, rig, calls):
        frames = 10
        latents = torch.zeros(frames, 4, SIZE, SIZE)
        latents[0], latents[-1] = 1, 2
        pair = {rig.keys.IMAGE_LATENTS: latents}
        conds = {
            name: rig.conditioning(seed, frames=frames, **pair)
            for name, seed in (("positive", 1), ("negative", 11))
        }
        self.sample(rig, frames, **conds)
        lit = [call["pictures"][-1].amax((1, 2, 3)).bool().tolist() for call in calls]
        assert lit == [
            [True, False, False, False],
            [False, False, False, False],
            [False, False, False, True],
        ]

    def test_shared_tokens_are_those_of_every_window(self, rig, calls):
        positive = rig.conditioning(1, frames=10, shared=True)
        self.sample(rig, 10, positive=positive)
        tokens = positive[0][1][rig.keys.IMAGE_TOKENS]
        for call in calls:
            assert torch.equal(call["tokens"][-1], tokens.expand(4, -1, -1))

    def test_memory_is_reserved_for_a_window(self, rig, monkeypatch):
        shapes = note_memory(monkeypatch)
        self.sample(rig, 10)
        assert [4, 4, SIZE, SIZE] in shapes and [10, 4, SIZE, SIZE] not in shapes

    def test_three_branches(self, rig, calls):
        conds = {
            name: rig.conditioning(seed, frames=10)
            for name, seed in (("positive", 1), ("image_only", 21), ("negative", 11))
        }
        guider = rig.three_branches(with_windows(rig.model, 4, 1), rescale=0.7, **conds)
        out = rig.sample(guider, frames=10, steps=1)
        assert out.isfinite().all() and {call["frames"] for call in calls} == {4}

    @pytest.mark.slow
    def test_64_frames_of_256_pixels(self, load, build_model, calls):
        frames = 64
        network = tiny_unet(
            replace(TINY, model_channels=32, channel_mult=(1, 1), attention_levels=(1,))
        )
        rig = Rig(load, build_model(network))
        values = {rig.keys.IMAGE_LATENTS: random(2, frames, 4, 32, 32)}
        positive = rig.conditioning(1, frames=frames, **values)
        noise = random(0, frames, 4, 32, 32)
        out = rig.guider(
            with_windows(rig.model, 16, 4), cfg=1.0, positive=positive, negative=positive
        ).sample(
            noise,
            torch.zeros_like(noise),
            rig.sampling.ddim_sampler(1.0),
            rig.sampling.ddim_levels_of(rig.model, 1, "uniform_trailing"),
            seed=0,
            disable_pbar=True,
        )
        assert out.shape == noise.shape and out.isfinite().all()
        pictures = rig.model.model.process_latent_in(values[rig.keys.IMAGE_LATENTS])
        assert starts(calls, pictures) == [0, 12, 24, 36, 48]


class TestControlNet:
    @pytest.mark.parametrize("anchored", [False, True])
    def test_each_frame_reacts_to_its_own_picture(self, framewise, control_net, anchored):
        rig, frames, changed = framewise, 10, 8
        pictures = torch.rand(frames, 3, 8 * SIZE, 8 * SIZE)
        other = pictures.clone()
        other[changed] = 1 - other[changed]

        def sample(hint: torch.Tensor) -> torch.Tensor:
            control = {"control": control_net(hint), "control_apply_to_uncond": False}
            conds = {
                name: rig.conditioning(seed, frames=frames, **control)
                for name, seed in (("positive", 1), ("negative", 11))
            }
            model = with_windows(rig.model, 4, 1, anchored=anchored)
            return rig.sample(rig.guider(model, **conds), frames=frames, steps=1)

        difference = (sample(other) - sample(pictures)).abs().amax((1, 2, 3))
        assert difference[changed] > 1e-2
        assert difference[:changed].max() < 1e-5 and difference[changed + 1 :].max() < 1e-5

    def test_windows_are_as_the_whole_video(self, framewise, control_net):
        """Where each frame stands alone, and one after another of two ControlNets acts."""
        rig, frames = framewise, 10
        first, second = (
            control_net(random(seed, frames, 3, 8 * SIZE, 8 * SIZE)) for seed in (3, 4)
        )
        second.set_previous_controlnet(first)
        conds = {
            name: rig.conditioning(
                seed, frames=frames, control=second, control_apply_to_uncond=False
            )
            for name, seed in (("positive", 1), ("negative", 11))
        }
        whole, windows = (
            rig.sample(rig.guider(model, **conds), frames=frames, steps=1)
            for model in (rig.model, with_windows(rig.model, 4, 1))
        )
        torch.testing.assert_close(windows, whole, rtol=0, atol=2e-2)
