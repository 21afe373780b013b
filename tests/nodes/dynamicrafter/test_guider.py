"""The guider with three branches, and the host's hooks around it."""

import pytest
import torch
from dynamicrafter_runs import FRAMES
from guiding import apply_hook

pytestmark = pytest.mark.seam


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)


@pytest.fixture
def evaluated(monkeypatch) -> list[list[bool]]:
    """Which of the three branches each step evaluates."""
    import comfy.samplers

    evaluate, noted = comfy.samplers.calc_cond_batch, []

    def note(model, conds, *args):
        noted.append([cond is not None for cond in conds])
        return evaluate(model, conds, *args)

    monkeypatch.setattr(comfy.samplers, "calc_cond_batch", note)
    return noted


class TestBranches:
    def test_equal_scales_are_plain_guidance(self, rig, evaluated):
        found = rig.sample(rig.three_branches(cfg=3.0, cfg_image=3.0))
        assert evaluated == [[True, True, False]] * 2
        close(found, rig.sample(rig.guider(cfg=3.0)))

    def test_image_scale_of_1_leaves_out_the_unconditional_branch(self, rig, evaluated):
        found = rig.sample(rig.three_branches(cfg=3.0, cfg_image=1.0))
        assert evaluated == [[True, False, True]] * 2
        close(found, rig.sample(rig.guider(cfg=3.0, negative=rig.conditioning(21))))

    def test_scales_of_1_leave_the_conditional_branch(self, rig, evaluated):
        found = rig.sample(rig.three_branches(cfg=1.0, cfg_image=1.0))
        assert evaluated == [[True, False, False]] * 2
        close(found, rig.sample(rig.guider(cfg=1.0)))

    def test_text_scale_of_0_is_guidance_by_the_picture(self, rig):
        found = rig.sample(rig.three_branches(cfg=0.0, cfg_image=2.0))
        close(found, rig.sample(rig.guider(cfg=2.0, positive=rig.conditioning(21))))

    def test_rescale_is_that_of_the_patch(self, rig):
        found = rig.sample(rig.three_branches(cfg=3.0, cfg_image=3.0, rescale=0.7))
        model = rig.sampling.rescale_clip_guidance(rig.model, 0.7)
        close(found, rig.sample(rig.guider(model, cfg=3.0)))
        branches = rig.sample(rig.three_branches(model, cfg=3.0, cfg_image=2.0))
        close(branches, rig.sample(rig.three_branches(cfg=3.0, cfg_image=2.0, rescale=0.7)))

    def test_another_model(self, rig, tiny_models):
        with pytest.raises(ValueError, match="Load DynamiCrafter"):
            rig.three_branches(tiny_models[0], rescale=0.7)


class TestHooks:
    def test_a_function_in_place_of_cfg(self, rig):
        """It takes two predictions; one that does what CFG does changes nothing."""
        model = rig.model.clone()
        calls = []

        def plain(call: dict) -> torch.Tensor:
            calls.append(call["cond_scale"])
            return call["uncond"] + call["cond_scale"] * (call["cond"] - call["uncond"])

        model.set_model_sampler_cfg_function(plain)
        levels = rig.sampling.ddim_levels_of(rig.model, 4, "uniform")[1:]
        found = rig.sample(rig.three_branches(model), sigmas=levels)
        close(found, rig.sample(rig.three_branches(), sigmas=levels))
        assert calls == [3.0] * 3

    def test_before_and_after_cfg(self, rig):
        model, before, after = rig.model.clone(), [], []
        model.set_model_sampler_pre_cfg_function(
            lambda call: before.append(call) or call["conds_out"]
        )
        model.set_model_sampler_post_cfg_function(
            lambda call: after.append(call) or call["denoised"]
        )
        close(rig.sample(rig.three_branches(model)), rig.sample(rig.three_branches()))
        assert [len(call["conds_out"]) for call in before] == [2, 2]
        assert [call["denoised"].shape[0] for call in after] == [FRAMES] * 2
        assert all(call["cond_scale"] == 3.0 for call in after)

    def test_unconditional_branch_where_a_hook_asks_for_it(self, rig, evaluated):
        model = rig.model.clone()
        model.set_model_sampler_post_cfg_function(
            lambda call: call["denoised"], disable_cfg1_optimization=True
        )
        rig.sample(rig.three_branches(model, cfg=1.0, cfg_image=1.0))
        assert evaluated == [[True, True, False]] * 2

    def test_cfg_override_replaces_the_scale_of_the_prompt(self, rig):
        try:
            model = apply_hook("nodes_custom_sampler", "CFGOverride", rig.model, 5.0, 0.0, 1.0)
        except AttributeError:
            pytest.skip("this ComfyUI has no CFG Override")
        found = rig.sample(rig.three_branches(model, cfg=3.0, cfg_image=2.0))
        close(found, rig.sample(rig.three_branches(cfg=5.0, cfg_image=2.0)))

    def test_conditionings_for_a_part_of_the_steps(self, rig):
        """As ConditioningSetTimestepRange makes them."""
        early = rig.conditioning(1, start_percent=0.0, end_percent=0.5)
        late = rig.conditioning(31, start_percent=0.5, end_percent=1.0)
        found = rig.sample(rig.three_branches(positive=early + late), steps=4)
        alone = rig.sample(rig.three_branches(), steps=4)
        assert found.isfinite().all() and (found - alone).abs().max() > 1e-3
