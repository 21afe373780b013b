"""SMCD among the host's models: its inputs, its guider, context windows, samplers."""

import pytest
import torch
from dynamicrafter_runs import FRAMES, SIZE, random
from guiding import skip_without_windows, with_windows
from unet3d_cases import TINY_SMCD

from fcvg_core.models.unet3d import UNet3D
from fcvg_core.standalone.networks.branches import Scales
from fcvg_core.standalone.networks.smcd.denoising import Conditions, Scene, denoise_video

pytestmark = pytest.mark.seam


class TestInputs:
    @pytest.mark.parametrize("name", ["IMAGE_LATENTS", "OBJECTS", "IMAGE_TOKENS"])
    def test_every_input_matters_and_is_needed(self, rig, name):
        key = getattr(rig.keys, name)
        value = rig.conditioning(1)[0][1][key]
        changed = rig.conditioning(1, **{key: value + 1})
        found = rig.sample(rig.guider(positive=changed), steps=1)
        assert (found - rig.sample(rig.guider(), steps=1)).abs().max() > 1e-3
        lacking = "boxes" if name == "OBJECTS" else "picture"
        with pytest.raises(ValueError, match=f"holds no {lacking} for SMCD.*SMCD Conditioning"):
            rig.inputs(**{key: None})
        with pytest.raises(ValueError, match=f"for {FRAMES - 1} frames, .* latent has {FRAMES}"):
            rig.inputs(**{key: value[1:]})

    @pytest.mark.parametrize("frames", [1, FRAMES])
    def test_conditionings_of_other_families(self, rig, frames):
        """SVD's picture has one frame, DynamiCrafter's as many as the video."""
        values = {rig.keys.IMAGE_LATENTS: random(3, frames, 4, SIZE, SIZE)}
        other = [[rig.conditioning(1)[0][0], values]]
        with pytest.raises(ValueError, match="holds no picture for SMCD.*SMCD Conditioning"):
            rig.sample(rig.guider(positive=other), steps=1)

    def test_a_latent_of_another_family(self, rig):
        noise = random(0, FRAMES, 16, SIZE, SIZE)
        with pytest.raises(ValueError, match="latent has 16 channels, but SMCD's have 4: connect"):
            rig.sample(rig.guider(), steps=1, noise=noise, latent_image=torch.ones_like(noise))

    def test_patched_layers_are_refused(self, rig):
        model = rig.model.clone()
        model.set_model_attn1_replace(lambda q, k, v, options: v, "middle", 0)
        with pytest.raises(ValueError, match="layers of the model .attn1., which SMCD does not"):
            rig.sample(rig.guider(model), steps=1)

    def test_what_it_is_meant_for(self, rig, caplog):
        caplog.set_level("INFO")
        rig.sampling.ddim_levels_of(rig.model, 2, "uniform")
        rig.sampling.ddim_levels_of(rig.model, 2, "uniform_trailing")
        assert caplog.messages == ["SMCD is meant for the spacing uniform."]


class TestGuidance:
    def nothing(self, rig) -> list:
        """Neither picture nor boxes."""
        text, values = rig.conditioning(11)[0]
        zeros = {key: torch.zeros_like(x) for key, x in values.items()}
        return [[text, zeros]]

    def test_three_branches(self, rig):
        """nothing + s * (negative - nothing) + w * (positive - negative), of one step."""
        conds = {"image_only": rig.conditioning(11), "negative": self.nothing(rig)}
        found = rig.sample(rig.three_branches(cfg=5.0, cfg_image=3.0, **conds), steps=1)
        alone = (rig.conditioning(1), conds["image_only"], conds["negative"])
        cond, uncond, none = (
            rig.sample(rig.guider(cfg=1.0, positive=entry), steps=1) for entry in alone
        )
        expected = none + 3 * (uncond - none) + 5 * (cond - uncond)
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-3 * float(expected.abs().max()))

    def test_scene_guidance_of_1_is_the_official_guidance(self, rig):
        conds = {"image_only": rig.conditioning(11), "negative": self.nothing(rig)}
        found = rig.sample(rig.three_branches(cfg=5.0, cfg_image=1.0, **conds))
        torch.testing.assert_close(found, rig.sample(rig.guider(cfg=5.0)), rtol=0, atol=2e-3)


class TestBatches:
    def test_halves_are_what_they_are_alone(self, rig, monkeypatch):
        """Cond and uncond are two videos in one batch if memory allows."""
        import comfy.model_base

        together = rig.sample(rig.guider(), steps=1)
        monkeypatch.setattr(comfy.model_base.BaseModel, "memory_required", lambda *a, **k: 1e18)
        alone = rig.sample(rig.guider(), steps=1)
        torch.testing.assert_close(together, alone, rtol=0, atol=1e-4 * float(alone.abs().max()))

    def test_branches_with_other_numbers_of_objects(self, rig):
        """As from two conditioning nodes; they can't share a batch."""
        fewer = rig.conditioning(11)[0][1][rig.keys.OBJECTS][:, :1]
        negative = rig.conditioning(11, **{rig.keys.OBJECTS: fewer})
        found = rig.sample(rig.guider(negative=negative), steps=1)
        plain = rig.sample(rig.guider(), steps=1)
        assert found.isfinite().all() and (found - plain).abs().max() > 1e-3


@pytest.mark.parametrize("steps", [3, 4])
def test_the_same_latents_as_without_a_host(rig, steps):
    """3 steps reach timestep 1000, where the official code takes 999 and goes on otherwise."""
    network = UNet3D(TINY_SMCD).eval()
    network.load_state_dict(rig.model.model.diffusion_model.state_dict())
    (text, values), (negative, _) = (rig.conditioning(seed)[0] for seed in (1, 11))
    latents = rig.model.model.process_latent_in(values[rig.keys.IMAGE_LATENTS])
    scene = Scene(latents[:1], values[rig.keys.OBJECTS], values[rig.keys.IMAGE_TOKENS])
    conditions = Conditions(text, negative, scene, None)
    noise = random(0, FRAMES, 4, SIZE, SIZE)
    theirs = denoise_video(network, conditions, noise, steps=steps, scales=Scales(3.0, 1.0))
    levels = rig.sampling.ddim_levels_of(rig.model, steps, "uniform")
    ours = rig.sample(rig.guider(), sampler=rig.sampling.ddim_sampler(0.0), sigmas=levels)
    ours = rig.model.model.process_latent_in(ours)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", ["euler", "dpmpp_2m"])
def test_samplers_of_the_host(rig, name):
    import comfy.sample

    noise = random(0, FRAMES, 4, SIZE, SIZE)
    prompts = rig.conditioning(1), rig.conditioning(11)
    run = (rig.model, noise, 2, 4.0, name, "simple", *prompts, torch.zeros_like(noise))
    out = comfy.sample.sample(*run, seed=0, disable_pbar=True)
    assert out.shape == noise.shape and out.isfinite().all()


class TestWindows:
    @pytest.fixture(autouse=True)
    def host_with_windows(self, host):
        skip_without_windows()

    def test_each_window_sees_its_own_boxes(self, rig, monkeypatch):
        noted, frames = [], 10
        kind = type(rig.model.model.diffusion_model)
        predict = kind.predict

        def note(self, x, *args, num_video_frames, objects, **inputs):
            noted.append(objects[-num_video_frames:])
            given = {"num_video_frames": num_video_frames, "objects": objects}
            return predict(self, x, *args, **given, **inputs)

        monkeypatch.setattr(kind, "predict", note)
        conds = {
            name: rig.conditioning(seed, frames=frames)
            for name, seed in (("positive", 1), ("negative", 11))
        }
        guider = rig.guider(with_windows(rig.model, 4, 1), frames=frames, **conds)
        out = rig.sample(guider, frames=frames, steps=1)
        assert out.shape == (frames, 4, SIZE, SIZE) and out.isfinite().all()
        tokens = conds["positive"][0][1][rig.keys.OBJECTS]
        assert len(noted) == 3
        for start, seen in zip((0, 3, 6), noted, strict=True):
            assert torch.equal(seen, tokens[start : start + 4])
