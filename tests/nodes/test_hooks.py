"""The host's own guidance nodes and model patches through the guiders.

What the host's guider makes of a hook, the Animation Guider makes of it too; in both directions a
hook treats both keyframes alike.
"""

import importlib
import random

import pytest
import torch
from guiding import FRAMES, Rig, apply_hook, conditioning, counted_passes
from guiding import random as random_tensor
from hosts import version as release

pytestmark = pytest.mark.sampling

CLIP = FRAMES - 1  # a length that Self-Attention Guidance can take, with SIZE
LORA_KEY = "diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_v.weight"
SIZE = 8  # of latents: the middle of the UNet has 4 x 4 places, so attention does something
# Node of the host -> its module and its values after the model.
NODES = {
    "FreSca": ("nodes_fresca", 0.8, 1.5, 3),
    "TCFG": ("nodes_tcfg",),
    "APG": ("nodes_apg", 0.5, 5.0, -0.5),  # its momentum remembers the step before
    "RescaleCFG": ("nodes_model_advanced", 0.7),
    "CFGZeroStar": ("nodes_cfg",),
    "Mahiro": ("nodes_mahiro",),
    "PerturbedAttentionGuidance": ("nodes_pag", 3.0),
    "SelfAttentionGuidance": ("nodes_sag", 0.5, 2.0),
    "FreeU": ("nodes_freelunch", 1.1, 1.2, 0.9, 0.2),
    "FreeU_V2": ("nodes_freelunch", 1.3, 1.4, 0.9, 0.2),
    "VideoLinearCFGGuidance": ("nodes_video_model", 1.0),
    "VideoTriangleCFGGuidance": ("nodes_video_model", 1.0),
    "EpsilonScaling": ("nodes_eps", 1.01),
}
# These choose at random where they act, anew in every call of the model.
RANDOM = {"HyperTile": ("nodes_hypertile", 8, 2, 0, False), "TomePatchModel": ("nodes_tomesd", 0.3)}


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models, SIZE)


@pytest.fixture(params=[*NODES, "lora", "operation", "compiled"])
def hook(request, rig):
    """A function that puts one hook on a model; skipped where the host has no such node."""
    if request.param not in NODES:
        return OTHERS[request.param]
    module, *arguments = NODES[request.param]
    try:
        found = hasattr(importlib.import_module(f"comfy_extras.{module}"), request.param)
    except ImportError:
        found = False
    if not found:
        pytest.skip(f"this host has no {request.param}")
    return lambda model: apply_hook(module, request.param, model, *arguments)


def lora_change(model) -> torch.Tensor:
    """What is added to a weight, large enough to be seen."""
    return random_tensor(9, *model.model.state_dict()[LORA_KEY].shape)


def add_lora(model):
    model = model.clone()
    model.add_patches({LORA_KEY: ("diff", (lora_change(model),))}, 1.0)
    return model


def add_operation(model):
    """Latent Operation CFG, with a tone mapping."""
    importlib.import_module("comfy_extras.nodes_post_processing")  # the two import each other
    latent = importlib.import_module("comfy_extras.nodes_latent")
    make = latent.LatentOperationTonemapReinhard
    made = make.execute(0.5).args[0] if hasattr(make, "execute") else make().op(0.5)[0]
    return apply_hook("nodes_latent", "LatentApplyOperationCFG", model, made)


def compile_eagerly(model):
    """torch.compile, which here only traces."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    model = model.clone()
    set_torch_compile_wrapper(model, backend="eager")
    return model


OTHERS = {"lora": add_lora, "operation": add_operation, "compiled": compile_eagerly}


@pytest.fixture
def scheduled(rig) -> dict:
    """What a conditioning says of a LoRA that acts in the first half of the steps."""
    import comfy.hooks

    hook = comfy.hooks.WeightHook(strength_model=1.0)
    hook.weights = {LORA_KEY: ("diff", (lora_change(rig.model),))}
    hook.need_weight_init = False
    for strength, start in ((1.0, 0.0), (0.0, 0.5)):
        hook.hook_keyframe.add(comfy.hooks.HookKeyframe(strength, start_percent=start))
    hooks = comfy.hooks.HookGroup()
    hooks.add(hook)
    return {"hooks": hooks}


class TestOneDirection:
    def test_the_same_as_the_hosts_guider(self, rig, hook):
        model = hook(rig.steer(frames=CLIP))
        wanted, out = (rig.sample(guide(model), frames=CLIP) for guide in (rig.host, rig.animation))
        assert (out - wanted).abs().max() <= 1e-5 * wanted.std()

    @pytest.mark.parametrize("name", RANDOM)
    def test_hooks_that_draw_lots(self, rig, name):
        module, *arguments = RANDOM[name]
        model = apply_hook(module, name, rig.steer(), *arguments)
        out = []
        for guide in (rig.host, rig.animation):
            torch.manual_seed(0)
            random.seed(0)
            out.append(rig.sample(guide(model)))
        assert (out[0] - out[1]).abs().max() <= 1e-5 * out[0].std()

    def test_a_lora_for_a_part_of_the_steps(self, rig, scheduled):
        """Hooks on a conditioning: the host changes the weights while it samples."""
        out = []
        for guide, hooks in (
            (rig.host, scheduled),
            (rig.animation, scheduled),
            (rig.animation, {}),
        ):
            guider = guide(rig.steer())
            guider.set_conds(conditioning(1, SIZE, **hooks), conditioning(None, SIZE))
            out.append(rig.sample(guider, steps=3))
        assert (out[0] - out[1]).abs().max() <= 1e-5 * out[0].std()
        assert (out[1] - out[2]).abs().max() > 1e-3 * out[0].std()


class TestBothDirections:
    @pytest.mark.parametrize("frames", [CLIP, FRAMES])  # in one window and in several
    def test_keyframes_are_treated_alike(self, rig, hook, frames):
        def make(flipped):
            model = hook(rig.steer(frames=frames, flipped=flipped))
            return rig.inbetween(model, flipped=flipped, window=CLIP)

        assert rig.asymmetry(make, frames=frames) <= 1e-5

    def test_a_lora_for_a_part_of_the_steps_of_one_keyframe(self, rig, scheduled):
        keyframes = conditioning(1, SIZE, **scheduled), conditioning(3, SIZE)
        videos = []
        for flipped in (False, True):
            guider = rig.inbetween(rig.steer(frames=CLIP, flipped=flipped))
            guider.set_conds(*keyframes[:: -1 if flipped else 1], conditioning(None, SIZE))
            videos.append(rig.sample(guider, flipped=flipped, frames=CLIP))
        assert (videos[0] - videos[1]).abs().max() <= 1e-5 * videos[0].std()
        plain = rig.sample(rig.inbetween(rig.steer(frames=CLIP)), frames=CLIP)
        assert (videos[0] - plain).abs().max() > 1e-3 * plain.std()

    @pytest.mark.parametrize("name", ["PerturbedAttentionGuidance", "APG"])
    def test_they_act(self, rig, name):
        module, *arguments = NODES[name]
        plain = rig.sample(rig.inbetween(rig.steer()))
        out = rig.sample(rig.inbetween(apply_hook(module, name, rig.steer(), *arguments)))
        assert (out - plain).abs().max() > 1e-3 * plain.std()


class TestForwardOnly:
    def test_self_attention_guidance_sees_the_attention_of_its_own_pass(self, rig):
        """It evaluates the model once more for each pass that is evaluated, and no other."""
        model = apply_hook(
            "nodes_sag",
            "SelfAttentionGuidance",
            rig.steer(frames=CLIP),
            *NODES["SelfAttentionGuidance"][1:],
        )
        sigmas = torch.tensor([3.0, 1.0, 0.0])
        guider = rig.inbetween(model, forward_share=0.5)
        with counted_passes(rig.model) as calls:
            out = rig.sample(guider, frames=CLIP, sigmas=sigmas)
        found = {sigma: sum(n for x, n in calls if x == sigma) // CLIP for sigma in (3.0, 1.0)}
        assert found == {3.0: 3, 1.0: 6} and out.isfinite().all()


class TestCalls:
    """How often, and with what, a hook is called."""

    @pytest.fixture(params=[25, CLIP])
    def calls(self, request, rig):
        """What a kind of hook is called with in three steps, in one window or in two."""

        def run(kind: str, key: str) -> list[dict]:
            seen = []
            model = rig.steer()
            getattr(model, f"set_model_sampler_{kind}_function")(
                lambda args: seen.append(args) or args[key]
            )
            rig.sample(rig.inbetween(model, window=request.param), steps=3)
            assert len(seen) == 3
            return seen

        return run

    def test_after_cfg_once_a_step_with_the_whole_video(self, calls):
        for args in calls("post_cfg", "denoised"):
            assert args["cond_scale"] == 3.0
            for key in ("denoised", "cond_denoised", "uncond_denoised", "input"):
                assert args[key].shape == (FRAMES, 4, SIZE, SIZE)

    def test_before_cfg_once_a_step(self, calls):
        for args in calls("pre_cfg", "conds_out"):
            assert args["cond_scale"] == 3.0
            assert args["conds_out"][0].shape == args["input"].shape
            assert len(args["sigma"]) == len(args["input"])

    def test_in_place_of_the_evaluation(self, rig):
        import comfy.samplers

        seen = []

        def evaluate(args):
            seen.append(args["input"].shape)
            return comfy.samplers.calc_cond_batch(
                args["model"], args["conds"], args["input"], args["sigma"], args["model_options"]
            )

        plain = rig.sample(rig.inbetween(rig.steer(), window=4))
        model = rig.steer()
        model.set_model_sampler_calc_cond_batch_function(evaluate)
        assert torch.equal(rig.sample(rig.inbetween(model, window=4)), plain)
        assert len(seen) == 2

    def test_unconditional_half_where_a_hook_asks_for_it(self, rig):
        seen = []
        model = rig.steer()
        model.set_model_sampler_post_cfg_function(
            lambda args: seen.append(args["uncond_denoised"]) or args["denoised"],
            disable_cfg1_optimization=True,
        )
        rig.sample(rig.inbetween(model, guidance=(1.0, 1.0)), steps=1)
        assert seen[0].abs().max() > 0


class TestRamps:
    """A function in place of CFG multiplies with the guider's own ramp, pass by pass.

    The noise is low: the host subtracts what such a function returns from the latents, and at a
    sigma of 700 that costs the last digits.
    """

    LOW = {"sigmas": torch.tensor([3.0, 1.0, 0.0])}

    @pytest.mark.parametrize("window", [25, 4])
    def test_the_hosts_ramp_is_ours(self, rig, window):
        ours = rig.inbetween(rig.steer(), window=window, guidance=(1.0, 3.0))
        model = apply_hook("nodes_video_model", "VideoLinearCFGGuidance", rig.steer(), 1.0)
        theirs = rig.inbetween(model, window=window)
        out, wanted = (rig.sample(guider, **self.LOW) for guider in (ours, theirs))
        assert (out - wanted).abs().max() <= 1e-5 * wanted.std()

    def test_both(self, rig):
        model = apply_hook("nodes_video_model", "VideoLinearCFGGuidance", rig.steer(), 1.0)
        product = torch.linspace(1.0, 3.0, FRAMES) * torch.linspace(0.5, 1.0, FRAMES)
        scales = product.reshape(-1, 1, 1, 1)
        single = rig.host(rig.steer())
        single.model_patcher.set_model_sampler_cfg_function(
            lambda args: args["uncond"] + scales * (args["cond"] - args["uncond"])
        )
        wanted = rig.sample(single, **self.LOW)
        out = rig.sample(rig.animation(model, guidance=(1.5, 3.0)), **self.LOW)
        assert (out - wanted).abs().max() <= 1e-5 * wanted.std()


class TestOverride:
    """CFG Override of newer hosts changes a guider's scale while it samples."""

    @pytest.mark.parametrize("guidance", [(3.0, 3.0), (1.0, 3.0)])
    @pytest.mark.parametrize("rescaled", [False, True])
    def test_one_scale_for_all_frames(self, rig, guidance, rescaled):
        nodes = importlib.import_module("comfy_extras.nodes_custom_sampler")
        if not hasattr(nodes, "CFGOverride"):
            pytest.skip("this host has no CFG Override")

        def hooked():
            model = apply_hook("nodes_custom_sampler", "CFGOverride", rig.steer(), 1.5, 0.0, 1.0)
            if rescaled:
                model = apply_hook("nodes_model_advanced", "RescaleCFG", model, 0.7)
            return model

        wanted = rig.sample(rig.host(hooked()))
        out = rig.sample(rig.animation(hooked(), guidance=guidance))
        assert (out - wanted).abs().max() <= 1e-5 * wanted.std()


class TestCaches:
    """EasyCache keeps what the model predicted by the uuids of conds, LazyCache whole videos."""

    @pytest.mark.parametrize("kind", ["inbetween", "animation"])
    @pytest.mark.parametrize("name", ["EasyCacheNode", "LazyCacheNode"])
    def test_a_threshold_of_0_changes_nothing(self, rig, host, name, kind):
        if release(host).startswith("0.3."):
            pytest.skip("EasyCache of this host can't take SVD's batches")
        seen = []
        handle = rig.model.model.diffusion_model.input_blocks[0][0].register_forward_hook(
            lambda module, args, out: seen.append(1)
        )
        plain = rig.steer()
        cached = apply_hook("nodes_easycache", name, rig.steer(), 0.0, 0.0, 1.0, False)
        videos = []
        for model in (plain, cached):
            videos.append(rig.sample(getattr(rig, kind)(model, window=CLIP), steps=3))
        handle.remove()
        assert torch.equal(*videos)
        passes = {"inbetween": 4, "animation": 2}[kind]  # in two windows
        assert len(seen) == 2 * 3 * passes

    @pytest.mark.parametrize("window", [25, CLIP])
    @pytest.mark.parametrize("name", ["EasyCacheNode", "LazyCacheNode"])
    def test_skipped_calls_add_a_difference_of_their_own(self, rig, host, name, window):
        if release(host).startswith("0.3."):
            pytest.skip("EasyCache of this host can't take SVD's batches")
        seen = []
        handle = rig.model.model.diffusion_model.input_blocks[0][0].register_forward_hook(
            lambda module, args, out: seen.append(1)
        )

        def make(flipped):
            model = apply_hook(
                "nodes_easycache", name, rig.steer(flipped=flipped), 1e9, 0.0, 1.0, False
            )
            return rig.inbetween(model, flipped=flipped, window=window)

        asymmetry = rig.asymmetry(make, steps=6)
        handle.remove()
        passes = 2 if window == 25 else 4
        assert 0 < len(seen) < 2 * 6 * passes  # in two videos of 6 steps some were skipped
        assert asymmetry <= 1e-5


class TestRefused:
    def test_context_windows(self, rig):
        model = rig.steer()
        model.model_options["context_handler"] = object()
        with pytest.raises(ValueError, match="take Context Windows out"):
            rig.inbetween(model)

    @pytest.mark.parametrize("area", [{"area": (4, 4, 0, 0)}, {"set_area_to_bounds": True}])
    def test_areas(self, rig, area):
        guider = rig.inbetween(rig.steer())
        guider.set_conds(
            conditioning(1, SIZE, **area), conditioning(3, SIZE), conditioning(None, SIZE)
        )
        with pytest.raises(ValueError, match="'first' is limited to an area"):
            rig.sample(guider)
        plain = rig.host(rig.steer())
        plain.set_conds(conditioning(1, SIZE, area=(4, 4, 0, 0)), conditioning(None, SIZE))
        with pytest.raises(ValueError, match="'positive' is limited to an area"):
            rig.sample(plain)
