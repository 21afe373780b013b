"""SVD Cache: which passes use kept features, that these are their own, and what it refuses."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from guiding import (
    FRAMES,
    Rig,
    apply_hook,
    conditioning,
    random,
    skip_without_windows,
    with_windows,
)
from hosts import version as release

pytestmark = pytest.mark.seam

WHOLE, SHALLOW = "whole", "shallow"
# How far a video moves if the host groups the conds of a step in another way, in deviations: the
# order of sums changes. Features of another cond move it by 0.1 and more.
REGROUPED = 1e-3
SIGMAS = torch.tensor([3.0, 2.0, 1.0, 0.5, 0.0])  # of 4 steps


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture(scope="module")
def cache_features(load):
    return load("nodes.host.svd.cache").cache_features


@pytest.fixture
def calls(rig):
    """For each call of the UNet whether it was whole."""
    unet, seen = rig.model.model.diffusion_model, []

    def change(*args):
        seen[-1] = WHOLE

    handles = [
        unet.register_forward_pre_hook(lambda *args: seen.append(SHALLOW)),
        unet.middle_block[0].register_forward_hook(change),
    ]
    yield seen
    for handle in handles:
        handle.remove()


def repeat(rig, guider, frames: int = FRAMES) -> list[torch.Tensor]:
    """Predictions of a guider that is asked three times for the same latents."""
    import comfy.samplers

    found = []

    def ask(model, x, sigmas, extra_args, **more):
        level = sigmas[0] * x.new_ones(len(x))
        found.extend(model(x, level, **extra_args) for _ in range(3))
        return x

    rig.sample(guider, sampler=comfy.samplers.KSAMPLER(ask), frames=frames, sigmas=SIGMAS)
    return found


def split_batches(monkeypatch) -> None:
    """Let the host evaluate each cond in a call of its own, as when memory is short."""
    import comfy.samplers

    monkeypatch.setattr(comfy.samplers, "can_concat_cond", lambda a, b: a is b)


class TestSameInputs:
    """With the same latents again, a shallow call gives what the whole call gave."""

    @pytest.mark.parametrize("window", [25, 4])
    def test_in_both_directions(self, rig, cache_features, calls, window):
        model = cache_features(rig.steer(), interval=3)
        whole, *again = repeat(rig, rig.inbetween(model, window=window))
        assert all((x - whole).abs().max() <= 1e-6 for x in again)
        passes = 2 if window == 25 else 4
        assert calls == passes * [WHOLE] + 2 * passes * [SHALLOW]

    def test_with_patches_of_all_shallow_blocks(self, rig, cache_features):
        """A patch sees the same block, and acts as often, in both kinds of call."""
        model, seen = rig.model.clone(), []

        def note(name):
            def patch(hidden, *args):
                options = args[-1]
                seen.append((name, options["block"], options["transformer_index"]))
                scaled = hidden.mul_(1.01)  # some patches write into what they get
                return (scaled, args[0]) if len(args) == 2 else scaled

            return patch

        model.set_model_input_block_patch(note("input"))
        model.set_model_input_block_patch_after_skip(note("after skip"))
        model.set_model_output_block_patch(note("output"))
        model.set_model_emb_patch(lambda emb, channels, options: emb * 1.01)
        whole, *again = repeat(rig, rig.host(cache_features(model, interval=3)))
        assert all((x - whole).abs().max() <= 1e-6 for x in again)
        counted = Counter(seen)
        shallow = {key: number for key, number in counted.items() if number == 3}
        assert {key[:2] for key in shallow} == {
            (name, block)
            for name, block in [
                *((name, ("input", n)) for name in ("input", "after skip") for n in (0, 1)),
                *(("output", ("output", n)) for n in (4, 5)),
            ]
        }
        assert set(counted.values()) == {1, 3}

    def test_in_split_batches(self, rig, cache_features, calls, monkeypatch):
        guider = rig.inbetween(cache_features(rig.steer(), interval=2))
        wanted = rig.sample(guider, sigmas=SIGMAS)
        before = len(calls)
        split_batches(monkeypatch)
        out = rig.sample(guider, sigmas=SIGMAS)
        assert (out - wanted).abs().max() <= REGROUPED * wanted.std()
        assert calls[before:] == 2 * (4 * [WHOLE] + 4 * [SHALLOW])

    def test_in_batches_that_are_split_in_some_steps(self, rig, cache_features, monkeypatch):
        """Memory may grow short in the middle of a run."""
        import comfy.samplers

        guider = rig.host(cache_features(rig.model, interval=2))
        wanted = rig.sample(guider, sigmas=SIGMAS)
        together, evaluations = comfy.samplers.can_concat_cond, []
        monkeypatch.setattr(
            comfy.samplers,
            "can_concat_cond",
            lambda a, b: a is b or (len(evaluations) % 3 == 1 and together(a, b)),
        )
        out = rig.sample(guider, sigmas=SIGMAS, callback=lambda *args: evaluations.append(args))
        assert (out - wanted).abs().max() <= REGROUPED * wanted.std()

    def test_in_windows_of_the_host(self, rig, cache_features, calls):
        skip_without_windows()
        model = with_windows(cache_features(rig.model, interval=3), 3, 1)
        whole, *again = repeat(rig, rig.host(model))
        assert all((x - whole).abs().max() <= 1e-6 for x in again)
        assert calls == 2 * [WHOLE] + 4 * [SHALLOW]


class TestWhichPasses:
    @pytest.mark.parametrize(("interval", "whole"), [(2, [0, 2]), (3, [0, 3]), (4, [0])], ids=str)
    def test_interval(self, rig, cache_features, calls, interval, whole):
        rig.sample(rig.host(cache_features(rig.model, interval=interval)), sigmas=SIGMAS)
        assert [n for n, kind in enumerate(calls) if kind == WHOLE] == whole

    def test_each_run_begins_anew(self, rig, cache_features):
        guider = rig.host(cache_features(rig.model, interval=4))
        first = rig.sample(guider, sigmas=SIGMAS)
        guider.set_conds(conditioning(3), conditioning(None))
        rig.sample(guider, sigmas=SIGMAS)
        guider.set_conds(conditioning(1), conditioning(None))
        assert torch.equal(rig.sample(guider, sigmas=SIGMAS), first)

    def test_nothing_is_kept_after_a_run_that_fails(self, rig, cache_features, load):
        model = cache_features(rig.model, interval=2)
        reuse = model.get_wrappers("diffusion_model", load("nodes.host.svd.cache").KEY)[0]

        def stop(*args):
            assert reuse._cache is not None
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rig.sample(rig.host(model), sigmas=SIGMAS, callback=stop)
        assert reuse._cache is None

    def test_range_of_percent(self, rig, cache_features, calls):
        sampling = rig.model.get_model_object("model_sampling")
        percents = 0.4, 0.7
        start, end = map(sampling.percent_to_sigma, percents)
        sigmas = torch.tensor([700.0, start * 2, start / 1.1, start / 2, end * 2, end / 2, 0.0])
        model = cache_features(
            rig.model, interval=2, start_percent=percents[0], end_percent=percents[1]
        )
        rig.sample(rig.host(model), sigmas=sigmas)
        assert calls == [WHOLE, WHOLE, WHOLE, SHALLOW, WHOLE, WHOLE]

    def test_perturbed_attention_has_features_of_its_own(self, rig, cache_features):
        """Its pass has the cond and the noise level of another pass."""
        wanted, *again = repeat(
            rig,
            rig.host(
                apply_hook(
                    "nodes_pag",
                    "PerturbedAttentionGuidance",
                    cache_features(rig.model, interval=3),
                    3.0,
                )
            ),
        )
        assert all((x - wanted).abs().max() <= 1e-6 for x in again)

    def test_residuals_of_a_controlnet_need_whole_calls(self, rig, cache_features, calls):
        from comfy.controlnet import ControlBase

        class Residuals(ControlBase):
            def get_control(self, x, *args):
                return {"middle": [torch.ones(len(x), 1, 1, 1)]}

        guider = rig.host(cache_features(rig.model, interval=2))
        for conds in guider.original_conds.values():
            for cond in conds:
                cond["control"] = Residuals()
        rig.sample(guider, sigmas=SIGMAS)
        assert set(calls) == {WHOLE}

    def test_the_last_cache_of_a_model_counts(self, rig, cache_features, calls):
        model = cache_features(cache_features(rig.model, interval=2), interval=4)
        rig.sample(rig.host(model), sigmas=SIGMAS)
        assert calls == [WHOLE] + 3 * [SHALLOW]

    def test_interval_of_one_wraps_nothing(self, rig, cache_features):
        wanted = rig.sample(rig.inbetween(rig.steer()), sigmas=SIGMAS[-3:])
        model = cache_features(cache_features(rig.steer(), interval=2), interval=1)
        assert torch.equal(rig.sample(rig.inbetween(model), sigmas=SIGMAS[-3:]), wanted)
        assert not model.get_wrappers("diffusion_model", "fcvg_cache")


class TestThreads:
    """With several GPUs the host calls the wrapper from one thread for each GPU."""

    def test_each_device_has_features_of_its_own(self, load):
        module = load("nodes.host.svd.cache")
        options = {"uuids": ["cond", "cond", "other"]}
        here, there = (module._keys(options, torch.device(name)) for name in ("cpu", "meta"))
        assert len({*here, *there}) == 6

    def test_several_threads_at_once(self, rig, cache_features, load):
        module = load("nodes.host.svd.cache")
        unet = rig.model.model.diffusion_model
        reuse = cache_features(rig.model, interval=2).get_wrappers("diffusion_model", module.KEY)

        def call(uuid: int, level: float) -> torch.Tensor:
            options = {
                "uuids": [uuid],
                "sigmas": torch.tensor([level]),
                "wrappers": {"diffusion_model": {module.KEY: reuse}},
            }
            x, context = random(uuid, FRAMES, 8, 8, 8), random(uuid, FRAMES, 1, 64)
            inputs = {"context": context, "y": random(0, FRAMES, 768), "num_video_frames": FRAMES}
            with torch.inference_mode():
                return unet(x * level, torch.ones(FRAMES), **inputs, transformer_options=options)

        def run(each) -> list[torch.Tensor]:
            reuse[0]._cache = module.FeatureCache(2)
            return [out for level in (2.0, 1.0) for out in each(call, range(8), 8 * [level])]

        try:
            wanted = run(map)
            with ThreadPoolExecutor(4) as pool:
                found = run(pool.map)
            assert reuse[0]._cache.reused == reuse[0]._cache.whole == 8
        finally:
            reuse[0]._cache = None
        assert all(map(torch.equal, wanted, found))


class TestMemory:
    @pytest.mark.parametrize(("window", "outside"), [(25, {False}), (4, {True})])
    def test_features_of_a_long_video_stay_outside_the_device(
        self, rig, cache_features, load, monkeypatch, window, outside
    ):
        module, seen = load("nodes.host.svd.cache"), set()
        is_part = module._is_part

        def note(options):
            seen.add(is_part(options))
            return is_part(options)

        monkeypatch.setattr(module, "_is_part", note)
        model = cache_features(rig.model, interval=2)
        rig.sample(rig.inbetween(model, window=window), sigmas=SIGMAS)
        assert seen == outside

    def test_a_window_of_the_host_is_a_part_of_a_video(self, load):
        module = load("nodes.host.svd.cache")
        assert module._is_part({"context_window": object()}) and not module._is_part({})


def test_node(rig, node_classes, calls):
    made = node_classes["FCVG_SVDCache"].execute(rig.model, 2, 0.0, 1.0)
    rig.sample(rig.host(made.args[0]), sigmas=SIGMAS)
    assert calls == 2 * [WHOLE, SHALLOW]


class TestTogether:
    """With other nodes that spare calls of the model, or need all of them."""

    @pytest.fixture(autouse=True)
    def log(self, caplog):
        caplog.set_level("INFO")
        return caplog

    @pytest.mark.parametrize("name", ["EasyCacheNode", "LazyCacheNode"])
    @pytest.mark.parametrize("first", [True, False])
    def test_steps_aside_for_another_cache(self, rig, cache_features, log, name, first, host):
        if release(host).startswith("0.3."):
            pytest.skip("EasyCache of this host can't take SVD's batches")

        def other(model):
            return apply_hook("nodes_easycache", name, model, 0.5, 0.0, 1.0, False)

        wanted = rig.sample(rig.inbetween(other(rig.model)), sigmas=SIGMAS)
        order = [lambda m: cache_features(m, interval=2), other]
        model = rig.model
        for put in order if first else order[::-1]:
            model = put(model)
        assert torch.equal(rig.sample(rig.inbetween(model), sigmas=SIGMAS), wanted)
        said = [text for text in log.messages if text.startswith("SVD Cache")]
        kind = name.removesuffix("Node")
        assert len(said) == 1 and f"the model has {kind}" in said[0]

    def test_steps_aside_for_self_attention_guidance(self, rig, cache_features, log):
        def guided(model):
            return apply_hook("nodes_sag", "SelfAttentionGuidance", model, 0.5, 2.0)

        big = Rig(rig.load, rig.model, rig.controlnext, 16)
        wanted, out = (
            big.sample(big.host(guided(model)), frames=4, sigmas=SIGMAS[-3:])
            for model in (rig.model, cache_features(rig.model, interval=2))
        )
        assert torch.equal(out, wanted)
        assert "Self-Attention Guidance" in log.text

    def test_says_how_many_passes_were_spared(self, rig, cache_features, log):
        rig.sample(rig.inbetween(cache_features(rig.model, interval=3)), sigmas=SIGMAS)
        said = [text for text in log.messages if text.startswith("SVD Cache")]
        assert said == ["SVD Cache: 8 of 16 passes used kept features."]


class TestBadInput:
    @pytest.mark.parametrize("interval", [0, -1, 101])
    def test_interval_out_of_bounds(self, rig, cache_features, interval):
        with pytest.raises(ValueError, match=f"is {interval}, but it can be 1 to 100"):
            cache_features(rig.model, interval=interval)

    def test_interval_larger_than_the_steps(self, rig, cache_features, monkeypatch):
        import comfy.sampler_helpers

        monkeypatch.setattr(comfy.sampler_helpers, "prepare_sampling", None)  # loads models
        with pytest.raises(ValueError, match="cache is 5, but there are 4 steps"):
            rig.sample(rig.host(cache_features(rig.model, interval=5)), sigmas=SIGMAS)

    @pytest.mark.parametrize("percents", [(0.6, 0.4), (0.5, 0.5)])
    def test_range_that_is_empty(self, rig, cache_features, percents):
        start, end = percents
        with pytest.raises(ValueError, match="is not below end_percent"):
            cache_features(rig.model, interval=2, start_percent=start, end_percent=end)

    def test_model_that_is_no_svd(self, cache_features):
        other = type("Patcher", (), {"model": object()})()
        with pytest.raises(ValueError, match="SVD Cache works with Stable Video Diffusion"):
            cache_features(other, interval=2)
