"""Passes that the guiders do not evaluate: outside the guidance interval, and backward at first."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from guiding import FRAMES, Rig, apply_hook, conditioning, counted_passes, random
from hosts import version as release
from stand_ins import fill

from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.sampling import fuse_forward_only

pytestmark = pytest.mark.seam

# Guidance acts from the level 15.2 to the level 0.09.
SIGMAS = torch.tensor([100.0, 3.0, 0.01, 0.0])
INTERVAL = {"guidance_from": 0.3, "guidance_until": 0.7}
INSIDE = {3.0}
ROUNDING = 2e-4  # in deviations: batches of another size differ in their last digits
HOOKS = {
    "RescaleCFG": ("nodes_model_advanced", 0.7),
    "APG": ("nodes_apg", 0.5, 5.0, -0.5),
}


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture(scope="module")
def rig_v1(load, stand_ins, load_controlnext, tmp_path_factory):
    """With a ControlNeXt that steers the unconditional half too, in the UNet's fourth level."""
    path = tmp_path_factory.mktemp("controlnext") / "v1.bin"
    network = ControlNeXt(replace(V1, out_channels=64))
    torch.save({**fill(network), "scale": torch.tensor(1.0)}, path)
    unet = str(stand_ins / "unet.safetensors")
    model = load("nodes.host.svd.loading").load_unet(unet, None, "default")
    return Rig(load, model, load_controlnext(str(path)))


def passes(calls: list[tuple[float, int]], frames: int = FRAMES) -> dict[float, int]:
    """Passes of a clip at each noise level."""
    found = Counter()
    for sigma, count in calls:
        found[round(sigma, 3)] += count
    return {sigma: count // frames for sigma, count in found.items()}


def without_guidance_outside(model, levels=INSIDE):
    """As the host's CFG Override of 1.0 at all other levels."""

    def predict(executor, x, timestep, *args):
        guider, scale = executor.class_obj, executor.class_obj.cfg
        if round(float(timestep[0]), 3) not in levels:
            guider.cfg = 1.0
        try:
            return executor(x, timestep, *args)
        finally:
            guider.cfg = scale

    model = model.clone()
    model.add_wrapper_with_key("predict_noise", "outside", predict)
    return model


class TestInterval:
    @pytest.mark.parametrize("window", [25, 4])
    @pytest.mark.parametrize(("kind", "directions"), [("inbetween", 2), ("animation", 1)])
    def test_unconditional_passes_outside_are_not_evaluated(self, rig, kind, directions, window):
        guider = getattr(rig, kind)(rig.steer(), window=window, **INTERVAL)
        with counted_passes(rig.model) as calls:
            rig.sample(guider, sigmas=SIGMAS)
        windows, length = (1, FRAMES) if window == 25 else (2, window)
        for sigma, count in passes(calls, length).items():
            assert count == directions * windows * (2 if sigma in INSIDE else 1)

    def test_no_step_inside_is_said(self, rig, caplog):
        rig.sample(rig.animation(rig.model, guidance_from=0.5, guidance_until=0.501))
        assert [text for text in caplog.messages if "Guidance is off in the whole run" in text]

    def test_levels_are_those_of_the_model(self, rig):
        model = apply_hook(
            "nodes_model_advanced",
            "ModelSamplingContinuousEDM",
            rig.model,
            "v_prediction",
            80.0,
            1.0,
        )
        guidance = rig.animation(model, **INTERVAL).guidance
        scale = model.get_model_object("model_sampling")
        assert float(scale.sigma_max) == pytest.approx(80)
        assert guidance.highest == scale.percent_to_sigma(0.3)
        assert guidance.lowest == scale.percent_to_sigma(0.7)

    @pytest.mark.parametrize(
        ("sampler", "window", "guidance"),
        [("euler", 4, (1.0, 3.0)), ("heun", 25, (3.0, 3.0)), ("dpm_2", 25, (3.0, 3.0))],
    )
    def test_both_directions_stay_alike(self, rig, sampler, window, guidance):
        settings = {"window": window, "guidance": guidance, **INTERVAL}

        def make(flipped):
            return rig.inbetween(rig.steer(flipped=flipped), flipped=flipped, **settings)

        assert rig.asymmetry(make, sampler=sampler, sigmas=SIGMAS) <= 1e-5

    @pytest.mark.parametrize("name", [None, *HOOKS])
    def test_hooks_see_a_guidance_of_one_outside(self, rig, name):
        """The same as the host's guider, whose scale is set to 1 at the levels outside."""

        def hooked():
            return rig.steer() if name is None else apply_hook_of(name, rig.steer())

        with counted_passes(rig.model) as wanted_calls:
            wanted = rig.sample(rig.host(without_guidance_outside(hooked())), sigmas=SIGMAS)
        with counted_passes(rig.model) as calls:
            out = rig.sample(rig.animation(hooked(), **INTERVAL), sigmas=SIGMAS)
        assert (out - wanted).abs().max() <= ROUNDING * wanted.std()
        assert passes(calls) == passes(wanted_calls)

    @pytest.mark.parametrize("kind", ["inbetween", "animation"])
    def test_a_hook_gets_the_unconditional_half_that_it_asks_for(self, rig, kind):
        seen, model = [], rig.steer()
        model.set_model_sampler_post_cfg_function(
            lambda args: seen.append(args) or args["denoised"], disable_cfg1_optimization=True
        )
        out = rig.sample(getattr(rig, kind)(model, **INTERVAL), sigmas=SIGMAS)
        assert all(args["uncond_denoised"].any() for args in seen)
        assert [args["cond_scale"] for args in seen] == [1.0, 3.0, 1.0]
        wanted = rig.sample(getattr(rig, kind)(rig.steer(), **INTERVAL), sigmas=SIGMAS)
        assert (out - wanted).abs().max() <= ROUNDING * wanted.std()

    @pytest.mark.parametrize("kind", ["inbetween", "animation"])
    def test_a_function_in_place_of_cfg_and_one_before_it(self, rig, kind):
        scales, model = [], rig.steer()

        def cfg(args):
            scales.append(args["cond_scale"])
            return args["uncond"] + args["cond_scale"] * (args["cond"] - args["uncond"])

        model.set_model_sampler_cfg_function(cfg)
        model.set_model_sampler_pre_cfg_function(
            lambda args: scales.append(args["cond_scale"]) or args["conds_out"]
        )
        with counted_passes(rig.model) as calls:
            rig.sample(getattr(rig, kind)(model, guidance=(1.0, 3.0), **INTERVAL), sigmas=SIGMAS)
        every = 1 + (2 if kind == "inbetween" else 1)
        assert scales == [1.0] * every + [3.0] * every + [1.0] * every
        found = passes(calls)
        assert all(found[0.01] * 2 == found[sigma] for sigma in INSIDE)

    def test_an_override_of_the_scale_acts_inside(self, rig):
        """As the host's CFG Override over all levels."""

        def overridden():
            model = rig.steer()

            def predict(executor, *args):
                guider, scale = executor.class_obj, executor.class_obj.cfg
                guider.cfg = 1.5
                try:
                    return executor(*args)
                finally:
                    guider.cfg = scale

            model.add_wrapper_with_key("predict_noise", "override", predict)
            return model

        with counted_passes(rig.model) as calls:
            out = rig.sample(rig.inbetween(overridden(), **INTERVAL), sigmas=SIGMAS)
        found = passes(calls)
        assert {sigma for sigma in found if found[sigma] == 4} == INSIDE
        wanted = rig.inbetween(rig.steer(), guidance=(1.5, 1.5), **INTERVAL)
        assert torch.equal(out, rig.sample(wanted, sigmas=SIGMAS))

    def test_version_1_steers_both_halves(self, rig_v1):
        with counted_passes(rig_v1.model) as calls:
            out = rig_v1.sample(rig_v1.animation(rig_v1.steer(), **INTERVAL), sigmas=SIGMAS)
        assert passes(calls) == {100.0: 1, 3.0: 2, 0.01: 1}
        whole = rig_v1.sample(rig_v1.animation(rig_v1.steer()), sigmas=SIGMAS)
        assert (out - whole).abs().max() > 1e-3 * whole.std()
        wanted = rig_v1.sample(rig_v1.host(without_guidance_outside(rig_v1.steer())), sigmas=SIGMAS)
        assert (out - wanted).abs().max() <= ROUNDING * wanted.std()

    @pytest.mark.parametrize("window", [25, 4])
    def test_easycache_keeps_the_passes_apart(self, rig, host, window):
        if release(host).startswith("0.3."):
            pytest.skip("EasyCache of this host can't take SVD's batches")

        def make(flipped):
            model = easycached(rig.steer(flipped=flipped))
            return rig.inbetween(model, flipped=flipped, window=window, **INTERVAL)

        if release(host).startswith("0.8."):
            with pytest.raises(ValueError, match="EasyCache of this ComfyUI needs the same passes"):
                make(False)
            with pytest.raises(ValueError, match="EasyCache of this ComfyUI needs the same passes"):
                rig.inbetween(easycached(rig.model), forward_share=0.1)
            return
        assert rig.asymmetry(make, sigmas=SIGMAS) <= 1e-5


class TestForwardOnly:
    @pytest.mark.parametrize("window", [25, 4])
    def test_early_steps_evaluate_no_backward_pass(self, rig, window):
        guider = rig.inbetween(rig.steer(), window=window, forward_share=0.4)
        with counted_passes(rig.model) as calls:
            rig.sample(guider, sigmas=SIGMAS)
        windows, length = (1, FRAMES) if window == 25 else (2, window)
        found = passes(calls, length)
        # 0.4 of 3 steps: 2.
        assert found == {100.0: 2 * windows, 3.0: 2 * windows, 0.01: 4 * windows}

    def test_one_step_fuses_with_the_built_path(self, rig):
        """At a guidance of 1 the estimate is known: that of the forward direction alone."""
        sigmas, kept = SIGMAS[:2], {}
        for name, guider in (
            ("forward", rig.animation(rig.steer(), guidance=(1.0, 1.0))),
            ("fused", rig.inbetween(rig.steer(), guidance=(1.0, 1.0), forward_share=1.0)),
        ):
            rig.sample(
                guider,
                sigmas=sigmas,
                callback=lambda i, x0, x, total, name=name: kept.update({name: x0}),
            )
        end = 0.18215 * conditioning(3)[0][1]["concat_latent_image"]
        torch.testing.assert_close(
            kept["fused"], fuse_forward_only(kept["forward"], end), atol=1e-5, rtol=1e-5
        )
        torch.testing.assert_close(kept["fused"][-1:], end, atol=1e-5, rtol=1e-5)

    def test_each_window_ends_with_the_picture_of_its_last_frame(self, rig):
        pictures, kept = random(6, FRAMES, 4, 8, 8), []
        guider = rig.inbetween(rig.steer(), window=4, overlap=3, forward_share=1.0)
        last = conditioning(3, concat_latent_image=pictures)
        guider.set_conds(conditioning(1), last, conditioning(None))
        rig.sample(
            guider, sigmas=SIGMAS[:2], callback=lambda i, x0, x, total: kept.append(x0.clone())
        )
        torch.testing.assert_close(kept[0][-1], 0.18215 * pictures[-1], atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("name", ["RescaleCFG", "APG"])
    @pytest.mark.parametrize("window", [25, 4])
    def test_hooks_see_one_step_and_the_whole_video(self, rig, name, window):
        model, seen = apply_hook_of(name, rig.steer()), []
        model.set_model_sampler_post_cfg_function(
            lambda args: seen.append(args) or args["denoised"]
        )
        out = rig.sample(rig.inbetween(model, window=window, forward_share=0.5), sigmas=SIGMAS)
        assert out.isfinite().all() and len(seen) == 3
        for args in seen:
            assert args["denoised"].shape == args["cond_denoised"].shape == (FRAMES, 4, 8, 8)

    def test_perturbed_attention_keeps_the_end(self, rig):
        """A hook that evaluates the model again sees the same built path, so the end stays."""
        model = apply_hook("nodes_pag", "PerturbedAttentionGuidance", rig.steer(), 3.0)
        kept = []
        rig.sample(
            rig.inbetween(model, window=4, forward_share=1.0),
            sigmas=SIGMAS[:2],
            callback=lambda i, x0, x, total: kept.append(x0.clone()),
        )
        end = 0.18215 * conditioning(3)[0][1]["concat_latent_image"]
        torch.testing.assert_close(kept[0][-1:], end, atol=1e-4, rtol=1e-4)

    def test_steps_are_those_of_the_whole_run_under_noise_injection(self, load, rig):
        inject = load("nodes.host.injection").inject_into
        sampler = inject(sampler_object("heun"), times=1, ratio=0.7)
        guider = rig.inbetween(rig.steer(), forward_share=0.3)
        with counted_passes(rig.model) as calls:
            rig.sample(guider, sampler=sampler, sigmas=SIGMAS)
        found = passes(calls)
        # The second estimate of a step of heun is at the next level. Two steps are repeated.
        assert found == {100.0: 2 * 2, 3.0: 2 * (4 + 4), 0.01: 2 * 4 + 4}

    def test_from_a_video(self, rig):
        out = [
            rig.sample(
                rig.inbetween(rig.steer(), forward_share=share),
                latent_image=random(5, FRAMES, 4, 8, 8),
                sigmas=SIGMAS[1:],
            )
            for share in (0.0, 0.5)
        ]
        assert out[1].isfinite().all() and (out[0] - out[1]).abs().max() > 1e-3

    @pytest.mark.parametrize("picture", [None, 0.0])
    def test_no_last_keyframe(self, rig, picture, monkeypatch):
        import comfy.sampler_helpers

        guider = rig.inbetween(rig.steer(), forward_share=0.1)
        last = conditioning(3, concat_latent_image=torch.zeros(1, 4, 8, 8))
        if picture is None:
            del last[0][1]["concat_latent_image"]
        guider.set_conds(conditioning(1), last, conditioning(None))
        monkeypatch.setattr(comfy.sampler_helpers, "prepare_sampling", None)  # loads models
        with pytest.raises(ValueError, match="`last` holds no picture: connect the output `last`"):
            rig.sample(guider)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler", ["dpmpp_2s_ancestral_cfg_pp", "res_multistep_cfg_pp", "dpmpp_3m_sde", "seeds_3"]
)
def test_samplers_of_other_kinds(rig, sampler):
    """Which ask for the unconditional half, keep a history, or evaluate levels of their own."""
    settings = {"guidance_from": 0.3, "guidance_until": 0.7, "forward_share": 0.4}
    guider = rig.inbetween(rig.steer(frames=2), **settings)
    out = rig.sample(guider, sampler=sampler, sigmas=SIGMAS, frames=2)
    assert out.isfinite().all()


class TestBadInput:
    @pytest.mark.parametrize("kind", ["inbetween", "animation"])
    @pytest.mark.parametrize(
        ("widgets", "message"),
        [
            ({"guidance_from": 0.6, "guidance_until": 0.4}, "begins at 0.6 and ends at 0.4"),
            ({"guidance_from": -0.1}, "guidance_from is -0.1: set it to a number from 0 to 1"),
            ({"guidance_until": 1.5}, "guidance_until is 1.5: set it to a number from 0 to 1"),
            ({"guidance_until": float("nan")}, "guidance_until is nan"),
        ],
    )
    def test_interval(self, rig, kind, widgets, message):
        with pytest.raises(ValueError, match=message):
            getattr(rig, kind)(rig.model, **widgets)

    def test_share(self, rig):
        with pytest.raises(ValueError, match="forward_share is 2: set it to a number from 0 to 1"):
            rig.inbetween(rig.model, forward_share=2.0)


def apply_hook_of(name: str, model):
    module, *arguments = HOOKS[name]
    return apply_hook(module, name, model, *arguments)


def easycached(model):
    """A model whose steps are skipped where EasyCache can skip them."""
    return apply_hook("nodes_easycache", "EasyCacheNode", model, 1e9, 0.0, 1.0, False)


def sampler_object(name: str):
    import comfy.samplers

    return comfy.samplers.sampler_object(name)
