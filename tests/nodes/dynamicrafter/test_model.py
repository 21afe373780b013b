"""DynamiCrafter among the host's models: noise levels, inputs, LoRA, ControlNet, previews."""

import logging

import pytest
import torch
from dynamicrafter_runs import FRAMES, SIZE, random
from guiding import note_memory
from unet3d_cases import TINY


class TestNoiseLevels:
    @pytest.fixture(params=["v", "eps"])
    def sampling(self, request, build_model, tiny_network):
        is_v = request.param == "v"
        model = build_model(
            tiny_network,
            prediction=request.param,
            zero_snr=is_v,
            base_scale=0.7 if is_v else None,
        )
        return model.model.model_sampling

    @pytest.mark.parametrize("timestep", [0, 200, 500, 998])
    def test_clean_latents_come_from_the_official_state(self, sampling, timestep):
        """x = sqrt(alpha) * scale * clean + sqrt(1 - alpha) * noise."""
        clean, noise = random(1, 2, 4, 3, 3), random(2, 2, 4, 3, 3)
        alpha, scale = sampling.table.alphas[timestep], sampling.table.scales[timestep]
        signal, rest = float(alpha.sqrt()), float((1 - alpha).sqrt())
        sigma = sampling.sigmas[timestep].repeat(2)
        state = clean + sigma.reshape(2, 1, 1, 1) * noise
        seen = sampling.calculate_input(sigma, state)
        torch.testing.assert_close(seen, signal * scale.float() * clean + rest * noise)
        output = noise if sampling.prediction == "eps" else signal * noise - rest * scale * clean
        denoised = sampling.calculate_denoised(sigma, output.float(), state)
        torch.testing.assert_close(denoised, clean, rtol=0, atol=1e-3 * float(sigma[0]))
        found = sampling.network_output(sigma, denoised, state)
        torch.testing.assert_close(found, output.float(), rtol=1e-3, atol=1e-3)
        assert sampling.timestep(sigma).tolist() == [timestep] * 2

    def test_a_run_without_a_video_begins_with_unit_noise(self, sampling):
        noise, empty = random(1, 2, 4, 3, 3), torch.zeros(2, 4, 3, 3)
        for timestep in (999, 981, 751):
            sigma = sampling.sigmas[timestep]
            state = sampling.noise_scaling(sigma, noise, empty)
            torch.testing.assert_close(sampling.calculate_input(sigma, state), noise)

    def test_a_video_to_start_from_gets_noise(self, sampling):
        noise, video, sigma = random(1, 2, 4, 3, 3), random(2, 2, 4, 3, 3), sampling.sigmas[500]
        state = sampling.noise_scaling(sigma, noise, video)
        torch.testing.assert_close(state, video + sigma * noise)

    def test_only_the_end_of_ddim_is_turned_into_the_official_state(self, sampling):
        latent, table = random(1, 2, 4, 3, 3), sampling.table
        end = (table.sigmas[0] / table.scales[19]).float()
        factor = table.alphas[0].sqrt() * table.scales[19]
        found = sampling.inverse_noise_scaling(end, latent)
        torch.testing.assert_close(found, latent * float(factor))
        for left in (torch.zeros(()), sampling.sigmas[100], sampling.sigmas[999]):
            assert torch.equal(sampling.inverse_noise_scaling(left, latent), latent)


class TestInputs:
    def test_picture_latents_are_scaled_and_zeros_stay_zeros(self, rig):
        latents = random(1, FRAMES, 4, SIZE, SIZE)
        latents[1:-1] = 0
        found = rig.inputs(**{rig.keys.IMAGE_LATENTS: latents})["c_concat"].cond
        torch.testing.assert_close(found, latents * 0.18215)
        assert not found[1:-1].any()

    def test_latents_of_another_size_are_resized(self, rig):
        latents = torch.ones(FRAMES, 4, SIZE // 2, SIZE)
        found = rig.inputs(**{rig.keys.IMAGE_LATENTS: latents})["c_concat"].cond
        torch.testing.assert_close(found, torch.full((FRAMES, 4, SIZE, SIZE), 0.18215))

    def test_another_number_of_frames(self, rig):
        latents = torch.ones(FRAMES + 1, 4, SIZE, SIZE)
        with pytest.raises(ValueError, match=f"{FRAMES + 1} frames.*latent has {FRAMES}"):
            rig.inputs(**{rig.keys.IMAGE_LATENTS: latents})

    @pytest.mark.parametrize("frames", [None, 1, FRAMES])
    def test_conditionings_of_other_families(self, rig, frames):
        """A prompt alone, or with the picture of SVD in one frame, or of SMCD in all frames."""
        text = random(1, 1, 77, TINY.context_channels)
        picture = {rig.keys.IMAGE_LATENTS: random(3, frames, 4, SIZE, SIZE)} if frames else {}
        with pytest.raises(ValueError, match="no picture for DynamiCrafter: connect"):
            rig.sample(rig.guider(positive=[[text, picture]]))

    @pytest.mark.parametrize("name", ["IMAGE_LATENTS", "IMAGE_TOKENS", "RATE"])
    def test_every_input_matters(self, rig, name):
        key = getattr(rig.keys, name)
        value = rig.conditioning(1)[0][1][key]
        changed = rig.conditioning(1, **{key: value + 1})
        found = rig.sample(rig.guider(positive=changed))
        assert (found - rig.sample(rig.guider())).abs().max() > 1e-3

    @pytest.mark.parametrize("length", [77, 154, 231])
    def test_long_prompts(self, rig, length):
        positive = rig.conditioning(1, length=length)
        assert rig.sample(rig.guider(positive=positive)).isfinite().all()

    def test_shared_tokens_are_those_of_every_frame(self, rig):
        shared = rig.conditioning(1, shared=True)
        tokens = shared[0][1][rig.keys.IMAGE_TOKENS]
        for_each = rig.conditioning(1, **{rig.keys.IMAGE_TOKENS: tokens.repeat(FRAMES, 1, 1)})
        same = [rig.sample(rig.guider(positive=conds)) for conds in (shared, for_each)]
        torch.testing.assert_close(*same, rtol=0, atol=1e-4)


@pytest.mark.seam
class TestHostsSamplers:
    @pytest.mark.parametrize("name", ["euler", "euler_ancestral", "dpmpp_2m", "lcm", "uni_pc"])
    def test_samplers_and_schedulers(self, rig, name):
        import comfy.sample

        noise = random(0, FRAMES, 4, SIZE, SIZE)
        out = comfy.sample.sample(
            rig.model,
            noise,
            3,
            4.0,
            name,
            "karras" if name == "dpmpp_2m" else "simple",
            rig.conditioning(1),
            rig.conditioning(11),
            torch.zeros_like(noise),
            seed=0,
            disable_pbar=True,
        )
        assert out.shape == noise.shape and out.isfinite().all()

    def test_halves_of_a_batch_are_what_they_are_alone(self, rig, monkeypatch):
        """Cond and uncond are two videos in one batch if memory allows."""
        import comfy.model_base

        together = rig.sample(rig.guider())
        calls = []
        monkeypatch.setattr(
            comfy.model_base.BaseModel,
            "memory_required",
            lambda self, shape, *args, **kwargs: calls.append(shape) or 1e18,
        )
        alone = rig.sample(rig.guider())
        assert calls
        torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)

    def test_half_of_the_steps_then_the_other_half(self, rig):
        """Leftover noise is passed on unchanged."""
        levels = rig.sampling.ddim_levels_of(rig.model, 4, "uniform_trailing")
        whole = rig.sample(rig.guider(), sigmas=levels)
        first = rig.sample(rig.guider(), sigmas=levels[:3])
        guider = rig.guider()
        import comfy.samplers

        second = guider.sample(
            torch.zeros_like(first),
            first,
            comfy.samplers.sampler_object("euler"),
            levels[2:],
            seed=0,
            disable_pbar=True,
        )
        torch.testing.assert_close(second, whole, rtol=0, atol=2e-3)

    def test_memory_is_reserved_for_all_frames(self, rig, monkeypatch):
        shapes = note_memory(monkeypatch)
        rig.sample(rig.guider())
        assert [FRAMES, 4, SIZE, SIZE] in shapes

    def test_preview(self, rig):
        import latent_preview

        previewer = latent_preview.Latent2RGBPreviewer(
            rig.model.model.latent_format.latent_rgb_factors
        )
        size = previewer.decode_latent_to_preview(random(0, FRAMES, 4, SIZE, SIZE)).size
        assert size == (SIZE, SIZE)

    def test_an_interrupt_leaves_nothing_behind(self, rig):
        import comfy.model_management as mm

        before = rig.sample(rig.guider())

        def stop(*args):
            mm.interrupt_current_processing()

        with pytest.raises(mm.InterruptProcessingException):
            rig.sample(rig.guider(), sampler=rig.sampling.ddim_sampler(0.0), callback=stop)
        assert torch.equal(rig.sample(rig.guider()), before)


@pytest.mark.seam
class TestLora:
    """A LoRA of SD 2.1 acts on the spatial layers, which are those of SD 2.1."""

    def lora(self, down: str) -> dict:
        return {
            f"{down}.lora_down.weight": random(1, 2, 64),
            f"{down}.lora_up.weight": random(2, 64, 2),
            f"{down}.alpha": torch.tensor(2.0),
        }

    @pytest.mark.parametrize(
        ("layer", "weight"),
        [
            (
                "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
                "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight",
            ),
            (
                "lora_unet_up_blocks_1_attentions_1_transformer_blocks_0_attn1_to_v",
                "output_blocks.3.1.transformer_blocks.0.attn1.to_v.weight",
            ),
        ],
    )
    def test_layers(self, rig, layer, weight):
        import comfy.sd

        model, _ = comfy.sd.load_lora_for_models(rig.model, None, self.lora(layer), 1.0, 0.0)
        assert list(model.patches) == [f"diffusion_model.{weight}"]
        changed, plain = rig.sample(rig.guider(model)), rig.sample(rig.guider())
        assert (changed - plain).abs().max() > 1e-3
        assert torch.equal(rig.sample(rig.guider()), plain)

    def test_unknown_layers_are_reported(self, rig, caplog):
        import comfy.sd

        with caplog.at_level(logging.WARNING):
            comfy.sd.load_lora_for_models(rig.model, None, self.lora("lora_unet_other"), 1.0, 0.0)
        assert "lora_unet_other" in caplog.text


@pytest.mark.seam
class TestControlNet:
    def sample(self, rig, control) -> torch.Tensor:
        conds = {
            name: rig.conditioning(
                seed, **({"control": control, "control_apply_to_uncond": False} if control else {})
            )
            for name, seed in (("positive", 1), ("negative", 11))
        }
        return rig.sample(rig.guider(**conds), steps=1)

    def test_strength_0_changes_nothing(self, rig, control_net):
        hint = torch.rand(FRAMES, 3, 8 * SIZE, 8 * SIZE)
        found = self.sample(rig, control_net(hint, 0.0))
        assert torch.equal(found, self.sample(rig, None))

    def test_each_frame_reacts_to_its_own_picture(self, framewise, control_net):
        hint = torch.rand(FRAMES, 3, 8 * SIZE, 8 * SIZE)
        changed = hint.clone()
        changed[2] = 1 - changed[2]
        plain, found = (self.sample(framewise, control_net(x)) for x in (hint, changed))
        difference = (found - plain).abs().amax((1, 2, 3))
        assert difference[2] > 1e-2
        assert difference[[0, 1, 3]].max() < 1e-5

    def test_a_control_net_of_another_width(self, rig):
        residuals = {"input": [], "middle": [torch.zeros(FRAMES, 7, 2, 2)], "output": []}
        network = rig.model.model.diffusion_model
        with pytest.raises(ValueError, match="Stable Diffusion 2.1"):
            network(
                random(0, FRAMES, 8, SIZE, SIZE),
                torch.zeros(FRAMES),
                random(1, FRAMES, 77, TINY.context_channels),
                control=residuals,
                image_tokens=random(1, FRAMES, 16, TINY.context_channels),
                rate=3,
                num_video_frames=FRAMES,
            )
