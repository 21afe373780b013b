"""Several keyframes in one sampling run: every span between its own two keyframes."""

import pytest
import torch
from guiding import Rig, apply_hook, conditioning, counted_passes, note_memory, random
from hosts import version as release

AT = (0, 4, 9)  # spans of 5 and 6 frames
FRAMES = AT[-1] + 1
SEEDS = (1, 3, 5)
SPANS = [(SEEDS[i : i + 2], slice(AT[i], AT[i + 1] + 1)) for i in (0, 1)]
ONE_STEP = torch.tensor([10.0, 0.0])


@pytest.fixture(scope="module")
def rig(load, tiny_models):
    return Rig(load, *tiny_models)


@pytest.fixture
def steer(rig):
    """The model under the control frames of a part of the video."""
    pictures = torch.rand(FRAMES, 64, 64, 3, generator=torch.Generator().manual_seed(0))

    def make(frames: slice = slice(None)):
        return rig.load("nodes.host.controlnext.patch").steer(
            rig.model,
            rig.controlnext,
            pictures[frames],
            strength=1.0,
            start_percent=0.0,
            end_percent=1.0,
        )

    return make


def run(guider, frames: slice = slice(None), sigmas=ONE_STEP) -> torch.Tensor:
    import comfy.samplers

    noise = random(0, FRAMES, 4, 8, 8)[frames]
    sampler = comfy.samplers.sampler_object("euler")
    with torch.inference_mode():
        return guider.sample(
            noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=0
        )


@pytest.mark.parametrize("settings", [{"guidance": (1.0, 3.0)}, {"window": 4}])
def test_turned_round_keyframes_and_flipped_noise_flip_the_video(rig, settings):
    def make(flipped):
        steered = rig.steer(frames=FRAMES, flipped=flipped)
        return rig.inbetween(steered, flipped=flipped, seeds=SEEDS, at=AT, **settings)

    assert rig.asymmetry(make, frames=FRAMES) <= 1e-5


@pytest.mark.seam
@pytest.mark.parametrize("node", ["EasyCacheNode", "LazyCacheNode"])
def test_caches_of_the_host_keep_the_passes_apart(rig, host, node):
    """Passes of different spans have different shapes, and each gets its own change back."""
    if release(host).startswith("0.3."):
        pytest.skip("EasyCache of this host can't take SVD's batches")

    def make(flipped):
        steered = rig.steer(frames=FRAMES, flipped=flipped)
        model = apply_hook("nodes_easycache", node, steered, 1e9, 0.0, 1.0, False)
        return rig.inbetween(model, flipped=flipped, seeds=SEEDS, at=AT)

    whole = []
    first_layer = rig.model.model.diffusion_model.input_blocks[0][0]
    handle = first_layer.register_forward_hook(lambda *args: whole.append(1))
    asymmetry = rig.asymmetry(make, frames=FRAMES, steps=6)
    handle.remove()
    assert 0 < len(whole) < 2 * 6 * 4  # in two videos of 6 steps some were skipped
    assert asymmetry <= 1e-5


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, marks=pytest.mark.seam),
        {"window": 5, "overlap": 2},
        {"guidance": (1.0, 3.0)},
        {"forward_share": 1.0},
        {"guidance_until": 0.0},
    ],
    ids=["plain", "windows", "ramp", "forward only", "no guidance"],
)
def test_each_span_is_sampled_as_if_it_were_alone(rig, steer, settings):
    """But for the frame of the keyframe that two spans share: it is the mean of both."""
    whole = run(rig.inbetween(steer(), seeds=SEEDS, at=AT, **settings))
    first, last = (
        run(rig.inbetween(steer(frames), seeds=seeds, **settings), frames)
        for seeds, frames in SPANS
    )
    wanted = torch.cat([first[:-1], (first[-1:] + last[:1]) / 2, last[1:]])
    assert (whole - wanted).abs().max() <= 1e-5 * wanted.std()


@pytest.mark.seam
def test_passes_of_the_model(rig, steer):
    """Both directions of each span, each with and without the picture, at once."""
    with counted_passes(rig.model) as calls:
        run(rig.inbetween(steer(), seeds=SEEDS, at=AT))
    assert sorted(frames for _, frames in calls) == [2 * 5, 2 * 5, 2 * 6, 2 * 6]


@pytest.mark.seam
def test_every_pass_has_uuids_of_its_own(rig, steer):
    seen, model = [], steer()

    def note(executor, *args, **kwargs):
        options = kwargs.get("transformer_options") or args[-1]
        seen.extend(options["uuids"])
        return executor(*args, **kwargs)

    model.add_wrapper_with_key("diffusion_model", "note", note)
    run(rig.inbetween(model, seeds=SEEDS, at=AT))
    assert len(set(seen)) == len(seen) == 2 * 2 * 2  # spans, directions, halves


def test_kept_features_are_those_of_the_span(rig, steer):
    """At nearly the same noise level a step with kept features gives nearly the same."""
    cache = rig.load("nodes.host.svd.cache").cache_features
    sigmas = torch.tensor([10.0, 9.99, 0.0])
    plain, cached = (
        run(rig.inbetween(model, seeds=SEEDS, at=AT), sigmas=sigmas)
        for model in (steer(), cache(steer(), interval=2))
    )
    assert 0 < (plain - cached).abs().max() <= 0.02 * plain.std()


@pytest.mark.seam
def test_the_host_makes_room_for_the_longest_window(rig, steer, monkeypatch):
    shapes = note_memory(monkeypatch)
    run(rig.inbetween(steer(), seeds=SEEDS, at=AT))
    assert {shape[0] for shape in shapes} <= {6, 12} and shapes


def test_what_the_run_needs_is_said(rig, steer, caplog):
    caplog.set_level("INFO")
    run(rig.inbetween(steer(), seeds=SEEDS, at=AT))
    assert "10 frames of 64 x 64 in 2 windows of up to 6, between 3 keyframes." in caplog.text


class TestBadInput:
    def test_conditionings_of_two_nodes(self, rig, steer):
        guider = rig.inbetween(steer(), seeds=SEEDS, at=AT)
        conds = guider.original_conds
        conds["last"] = rig.inbetween(steer(), seeds=SEEDS, at=(0, 5, 9)).original_conds["last"]
        with pytest.raises(ValueError, match="connect both outputs of one FCVG Conditioning"):
            run(guider)

    def test_a_span_that_another_node_lost(self, rig, steer):
        guider = rig.inbetween(steer(), seeds=SEEDS, at=AT)
        del guider.original_conds["last"][0]
        with pytest.raises(ValueError, match="last lacks some of the keyframes"):
            run(guider)

    def test_a_video_of_another_length(self, rig, steer):
        with pytest.raises(ValueError, match="a video of 9 frames, but .* are those of .* 10"):
            run(rig.inbetween(steer(), seeds=SEEDS, at=AT), slice(9))

    @pytest.mark.seam
    def test_a_guider_of_the_host(self, rig, steer):
        """It would sample the whole video for each entry, and take the mean."""
        guider = rig.host(steer())
        keyframes = [conditioning(seed) for seed in SEEDS]
        guider.set_conds(*rig.load("nodes.host.spans").mark_spans(keyframes, AT))
        with pytest.raises(ValueError, match="only Inbetween Guider samples"):
            run(guider)

    def test_motion_prior_distillation(self, rig, node_classes):
        sampler = node_classes["FCVG_MPDSampler"].execute().args[0]
        guider = rig.inbetween(rig.model, seeds=SEEDS, at=AT)
        with pytest.raises(ValueError, match="between two keyframes, but FCVG Conditioning has mo"):
            rig.sample(guider, sampler=sampler, frames=FRAMES)
