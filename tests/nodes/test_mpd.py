"""MPD Sampler: frames between two keyframes by SVD alone."""

import logging
import re

import pytest
import torch
from guiding import FRAMES, Rig, conditioning, counted_passes, patches_of, random

from fcvg_core.sampling import sample_mpd

pytestmark = pytest.mark.seam

SIGMAS = torch.tensor([700.0, 3.0, 0.01, 0.0])
STEPS = 3  # of which the first is early: it has three rounds more


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture
def sampler(node_classes):
    return node_classes["FCVG_MPDSampler"].execute().args[0]


class TestRun:
    @pytest.mark.parametrize("window", [25, 4])
    def test_passes_of_the_model(self, rig, sampler, window):
        with counted_passes(rig.model) as calls:
            out = rig.sample(
                rig.inbetween(rig.model, window=window), sampler=sampler, sigmas=SIGMAS
            )
        windows, length = (1, FRAMES) if window == 25 else (2, window)
        assert sum(count for _, count in calls) == 2 * (2 * STEPS + 3) * windows * length
        assert out.isfinite().all()

    def test_is_the_method_of_the_core(self, rig, sampler):
        """With predictions of the host's own guider, one for each direction."""
        import comfy.samplers

        guiders = {}
        for backward, seed in ((False, 1), (True, 3)):
            guiders[backward] = comfy.samplers.CFGGuider(rig.model)
            guiders[backward].set_conds(conditioning(seed), conditioning(None))

        def estimate(x, sigma, conds):
            """One prediction, by a run of one evaluation."""
            kept = {}

            def look(model, x_, sigmas, extra_args=None, callback=None, disable=None):
                kept["out"] = model(x, sigma.expand(len(x)), **extra_args)
                return x_

            guider = comfy.samplers.CFGGuider(rig.model)
            guider.set_conds(conds, conds)
            rig.sample(guider, sampler=comfy.samplers.KSAMPLER(look), sigmas=SIGMAS)
            return kept["out"]

        def predict(x, sigma, backward):
            cond = estimate(x, sigma, conditioning(3 if backward else 1))
            return cond, estimate(x, sigma, conditioning(None))

        first, last = (0.18215 * conditioning(seed)[0][1]["concat_latent_image"] for seed in (1, 3))
        generator = torch.Generator().manual_seed(1)  # the run's seed + 1
        sigmas = SIGMAS[:3]
        with torch.inference_mode():
            wanted = sample_mpd(
                random(0, FRAMES, 4, 8, 8) * (1 + sigmas[0] ** 2).sqrt(),
                sigmas,
                first=first,
                last=last,
                predict=predict,
                draw=lambda: torch.randn(FRAMES, 4, 8, 8, generator=generator),
            )
        out = rig.sample(rig.inbetween(rig.model), sampler=sampler, sigmas=sigmas)
        assert (0.18215 * out - wanted).abs().max() <= 1e-4 * wanted.std()

    def test_the_callback_is_called_once_a_step_with_the_video(self, rig, sampler):
        seen = []
        out = rig.sample(
            rig.inbetween(rig.model),
            sampler=sampler,
            sigmas=SIGMAS,
            callback=lambda step, x0, x, total: seen.append((step, total, x0.clone())),
        )
        assert [(step, total) for step, total, _ in seen] == [(i, STEPS) for i in range(STEPS)]
        # The last prediction is of the backward direction; it is shown forward in time.
        shown = seen[-1][2] / 0.18215
        assert (shown - out).abs().mean() < 0.2 * (shown.flip(0) - out).abs().mean()

    def test_another_seed_gives_another_video(self, rig, sampler):
        out = []
        noise = random(0, FRAMES, 4, 8, 8)
        for seed in (0, 0, 1):
            guider = rig.inbetween(rig.model)
            with torch.inference_mode():
                out.append(
                    guider.sample(
                        noise, torch.zeros_like(noise), sampler, SIGMAS[1::2], disable_pbar=True,
                        seed=seed,
                    )
                )  # fmt: skip
        assert torch.equal(out[0], out[1]) and not torch.allclose(out[0], out[2])

    def test_an_interrupt_ends_it(self, rig, sampler):
        import comfy.model_management as mm

        def stop(step, x0, x, total):
            assert step == 0
            mm.interrupt_current_processing()

        with pytest.raises(mm.InterruptProcessingException):
            rig.sample(rig.inbetween(rig.model), sampler=sampler, sigmas=SIGMAS, callback=stop)

    def test_no_steps_give_the_latent_back(self, rig, sampler):
        """As the host's samplers do with the noise levels of denoise 0."""
        latent = random(5, FRAMES, 4, 8, 8)
        guider = rig.inbetween(rig.model)
        out = rig.sample(guider, sampler=sampler, latent_image=latent, sigmas=torch.tensor([]))
        assert torch.equal(out, latent)

    def test_control_steers_it_and_the_log_says_so(self, rig, sampler, caplog):
        caplog.set_level(logging.INFO)
        steered = rig.steer()
        out = rig.sample(rig.inbetween(steered), sampler=sampler, sigmas=SIGMAS)
        said = [x.getMessage() for x in caplog.records if "made for SVD without control" in x.msg]
        assert len(said) == 1 and patches_of(steered)
        caplog.clear()
        plain = rig.sample(rig.inbetween(rig.model), sampler=sampler, sigmas=SIGMAS)
        assert (out - plain).abs().max() > 1e-3 * plain.std()
        assert not any("without control" in x.msg for x in caplog.records)


class TestRefused:
    @pytest.mark.parametrize("kind", ["animation", "host"])
    def test_other_guiders(self, rig, sampler, kind):
        guider = getattr(rig, kind)(rig.model)
        with pytest.raises(ValueError, match=f"the guider is {type(guider).__name__}: connect"):
            rig.sample(guider, sampler=sampler, sigmas=SIGMAS)

    @pytest.mark.parametrize(
        ("run", "message"),
        [
            ({"denoise_mask": torch.ones(1, 1, 8, 8)}, "The latent has a noise mask"),
            (
                {"latent_image": torch.ones(FRAMES, 4, 8, 8), "sigmas": SIGMAS[1:]},
                "starts from a video at the noise level 3, .* at 700: set denoise to 1",
            ),
        ],
    )
    def test_before_models_are_loaded(self, rig, sampler, monkeypatch, run, message):
        import comfy.sampler_helpers

        monkeypatch.setattr(comfy.sampler_helpers, "prepare_sampling", None)
        with pytest.raises(ValueError, match=message):
            rig.sample(rig.inbetween(rig.model), sampler=sampler, **{"sigmas": SIGMAS, **run})

    def test_a_latent_gives_the_size_where_all_is_painted_anew(self, rig, sampler):
        latent = torch.ones(FRAMES, 4, 8, 8)
        guider = rig.inbetween(rig.model)
        assert rig.sample(guider, sampler=sampler, sigmas=SIGMAS, latent_image=latent).any()

    def test_forward_share(self, rig, sampler):
        guider = rig.inbetween(rig.model, forward_share=0.2)
        with pytest.raises(ValueError, match=re.escape("forward_share of Inbetween Guider is 0.2")):
            rig.sample(guider, sampler=sampler, sigmas=SIGMAS)

    @pytest.mark.parametrize("name", ["first", "last"])
    def test_a_keyframe_without_a_picture(self, rig, sampler, name):
        guider = rig.inbetween(rig.model)
        conds = {"first": conditioning(1), "last": conditioning(3), name: conditioning(None)}
        guider.set_conds(conds["first"], conds["last"], conditioning(None))
        with pytest.raises(ValueError, match=f"`{name}` holds no picture"):
            rig.sample(guider, sampler=sampler, sigmas=SIGMAS)

    def test_noise_injection(self, load, sampler):
        inject = load("nodes.host.injection").inject_into
        with pytest.raises(ValueError, match="Noise can't be injected into the sampler"):
            inject(sampler, times=1, ratio=0.5)
