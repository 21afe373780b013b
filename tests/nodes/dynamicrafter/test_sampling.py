"""DDIM among the host's samplers, its noise levels, and guidance rescale over a clip."""

import pytest
import torch
from dynamicrafter_runs import FRAMES, SIZE, random


class TestSampler:
    def test_noise_is_that_of_the_seed(self, rig):
        sampler = rig.sampling.ddim_sampler(1.0)
        first, again, other = (
            rig.sample(rig.guider(), sampler=sampler, seed=seed) for seed in (0, 0, 1)
        )
        assert torch.equal(first, again)
        assert (first - other).abs().max() > 1e-3

    def test_the_largest_seed(self, rig):
        out = rig.sample(rig.guider(), sampler=rig.sampling.ddim_sampler(1.0), seed=2**64 - 1)
        assert out.isfinite().all()

    def test_without_noise_no_seed_counts(self, rig):
        sampler = rig.sampling.ddim_sampler(0.0)
        first, other = (rig.sample(rig.guider(), sampler=sampler, seed=seed) for seed in (0, 1))
        assert torch.equal(first, other)

    @pytest.mark.seam
    def test_callback_and_model_count_the_steps(self, rig):
        seen = []
        rig.sample(
            rig.guider(),
            sampler=rig.sampling.ddim_sampler(0.5),
            steps=3,
            callback=lambda step, denoised, x, total: seen.append((step, denoised.shape, total)),
        )
        shape = (FRAMES, 4, SIZE, SIZE)
        assert seen == [(step, shape, 3) for step in range(3)]

    @pytest.mark.parametrize("scheduler", ["simple", "karras", "ddim_uniform"])
    def test_other_levels_take_eulers_steps(self, rig, scheduler):
        """Levels that lie between timesteps, and an end without noise."""
        import comfy.samplers

        model_sampling = rig.model.get_model_object("model_sampling")
        sigmas = comfy.samplers.calculate_sigmas(model_sampling, scheduler, 4)
        ddim = rig.sample(rig.guider(), sampler=rig.sampling.ddim_sampler(0.0), sigmas=sigmas)
        euler = rig.sample(rig.guider(), sigmas=sigmas)
        torch.testing.assert_close(ddim, euler, rtol=0, atol=2e-2)

    def test_a_part_of_the_levels(self, rig):
        """A run that is split in two, as by Split Sigmas."""
        sampler = rig.sampling.ddim_sampler(0.0)
        levels = rig.sampling.ddim_levels_of(rig.model, 4, "uniform_trailing")
        whole = rig.sample(rig.guider(), sampler=sampler, sigmas=levels)
        first = rig.sample(rig.guider(), sampler=sampler, sigmas=levels[:3])
        noise = torch.zeros_like(first)
        second = rig.guider().sample(noise, first, sampler, levels[2:], seed=0, disable_pbar=True)
        torch.testing.assert_close(second, whole, rtol=0, atol=2e-3)

    @pytest.mark.parametrize("level", [0.0, 1.0])
    def test_a_part_without_a_step(self, rig, level):
        """As Split Sigmas gives it behind the last step."""
        video, sampler = random(5, FRAMES, 4, SIZE, SIZE), rig.sampling.ddim_sampler(1.0)
        out = rig.guider().sample(
            torch.zeros_like(video), video, sampler, torch.tensor([level]), disable_pbar=True
        )
        torch.testing.assert_close(out, video)

    @pytest.mark.seam
    @pytest.mark.parametrize("filled", [True, False])
    def test_a_mask_keeps_the_rest_of_a_video(self, rig, filled):
        video = random(5, FRAMES, 4, SIZE, SIZE) * filled
        mask = torch.zeros(FRAMES, 1, SIZE, SIZE)
        mask[..., : SIZE // 2] = 1
        out = rig.sample(
            rig.guider(),
            sampler=rig.sampling.ddim_sampler(1.0),
            latent_image=video,
            denoise_mask=mask,
        )
        kept = (slice(None), slice(None), slice(None), slice(SIZE // 2, None))
        # The end of DDIM has a little noise left, and the scale of the last step.
        near = (out[kept] - video[kept]).abs().mean()
        assert near < 0.5 * (out[..., : SIZE // 2] - video[..., : SIZE // 2]).abs().mean()


class TestLevels:
    @pytest.mark.parametrize("spacing", ["uniform_trailing", "uniform", "quad"])
    def test_a_part_of_a_schedule_of_more_steps(self, rig, spacing):
        half = rig.sampling.ddim_levels_of(rig.model, 5, spacing, denoise=0.5)
        whole = rig.sampling.ddim_levels_of(rig.model, 10, spacing)
        assert len(half) == 6 and torch.equal(half, whole[-6:])

    def test_no_steps(self, rig):
        assert len(rig.sampling.ddim_levels_of(rig.model, 5, "uniform", denoise=0.0)) == 0

    def test_more_steps_than_timesteps(self, rig):
        with pytest.raises(ValueError, match="50 steps at a denoise of 0.01 .* 5000 steps"):
            rig.sampling.ddim_levels_of(rig.model, 50, "uniform", denoise=0.01)

    @pytest.mark.seam
    def test_a_model_of_stable_diffusion(self, rig, host):
        """It has alphas, but no scales: the levels are those of the host's own schedule."""
        from comfy.model_sampling import ModelSamplingDiscrete

        table = rig.sampling.noise_table_of(ModelSamplingDiscrete())
        torch.testing.assert_close(table.sigmas.float(), ModelSamplingDiscrete().sigmas)

    @pytest.mark.seam
    def test_svd_has_no_table(self, rig, tiny_models):
        with pytest.raises(ValueError, match="Load DynamiCrafter"):
            rig.sampling.ddim_levels_of(tiny_models[0], 5, "uniform")


class TestMeantFor:
    def test_what_another_model_is_meant_for_is_said(self, rig, load, monkeypatch, caplog):
        variants = load("fcvg_core.models.dynamicrafter.variants").VARIANTS
        caplog.set_level("INFO")
        for word, said in (
            ("512", []),
            ("256", ["is meant for the spacing uniform.", "is meant for rescale 0."]),
        ):
            monkeypatch.setattr(rig.model.model, "variant", variants[word])
            rig.sampling.ddim_levels_of(rig.model, 2, "uniform_trailing")
            rig.sampling.rescale_clip_guidance(rig.model, 0.7)
            assert caplog.messages == [f"{variants[word].name} {text}" for text in said]


class TestRescale:
    def test_contrast_is_that_of_the_whole_clip(self, rig):
        """One step from pure noise: the clean latents are those of the rescaled output."""
        model_sampling = rig.model.model.model_sampling
        sigma = model_sampling.sigmas[500].repeat(FRAMES)
        state, guided, cond = (random(seed, FRAMES, 4, 3, 3) for seed in (1, 2, 3))
        guided[1] *= 5  # a frame with more contrast than the others
        found = rig.sampling.rescale_denoised(model_sampling, guided, cond, state, sigma, 1.0)
        outputs = [model_sampling.network_output(sigma, x, state) for x in (found, cond, guided)]
        torch.testing.assert_close(outputs[0].std(), outputs[1].std())
        ratios = [out.std((1, 2, 3)) for out in (outputs[0], outputs[2])]
        assert (ratios[0] / ratios[1]).std() < 1e-4  # all frames are scaled alike

    def test_share_of_0_changes_nothing(self, rig):
        model = rig.sampling.rescale_clip_guidance(rig.model, 0.0)
        assert torch.equal(rig.sample(rig.guider(model)), rig.sample(rig.guider()))

    @pytest.mark.seam
    def test_share_acts_and_the_model_is_not_changed(self, rig):
        before = rig.sample(rig.guider())
        rescaled = rig.sample(rig.guider(rig.sampling.rescale_clip_guidance(rig.model, 0.7)))
        assert (rescaled - before).abs().max() > 1e-3
        assert torch.equal(rig.sample(rig.guider()), before)

    @pytest.mark.seam
    def test_with_another_patch_of_guidance(self, rig):
        """A function in place of CFG that does what CFG does."""
        model = rig.model.clone()

        def plain(call: dict) -> torch.Tensor:
            return call["uncond"] + call["cond_scale"] * (call["cond"] - call["uncond"])

        model.set_model_sampler_cfg_function(plain)
        levels = rig.sampling.ddim_levels_of(rig.model, 4, "uniform")[1:]
        found, expected = (
            rig.sample(rig.guider(rig.sampling.rescale_clip_guidance(x, 0.7)), sigmas=levels)
            for x in (model, rig.model)
        )
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)

    @pytest.mark.seam
    def test_another_model(self, rig, tiny_models):
        with pytest.raises(ValueError, match="Load DynamiCrafter"):
            rig.sampling.rescale_clip_guidance(tiny_models[0], 0.7)
