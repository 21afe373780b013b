"""What a run says on the node that samples, whatever guides the run."""

from contextlib import nullcontext

import pytest
import torch
from dynamicrafter_runs import FRAMES, SIZE

from fcvg_core.estimate import DYNAMICRAFTER, GB, estimate

pytestmark = pytest.mark.seam


@pytest.fixture
def lines() -> list[list[str]]:
    """What the node shows, text by text."""
    return []


@pytest.fixture
def model(rig, load, lines):
    """The tiny model, which tells of its runs."""
    model = rig.model.clone()
    tell = load("nodes.host.dynamicrafter.runs").tell_of_runs
    tell(model, nullcontext, lambda: lines.append)
    return model.clone()  # as a LoRA loader does


class TestRuns:
    @pytest.mark.parametrize("guide", ["guider", "three_branches"])
    def test_needs_then_steps(self, rig, model, lines, guide):
        seen = []
        told, plain = (
            rig.sample(
                getattr(rig, guide)(x),
                callback=lambda step, denoised, x, total: seen.append((step, total)),
            )
            for x in (model, rig.model)
        )
        assert torch.equal(told, plain)
        assert seen == [(0, 2), (1, 2)] * 2
        needs = f"{FRAMES} frames of 64 x 64 in one window."
        assert [text[0] for text in lines] == [needs] * len(lines)
        assert lines[1][1].startswith("Step 1 of 2, ") and lines[-1][1].startswith("2 steps in ")

    def test_nothing_is_left_from_a_run(self, rig, model, lines):
        guider = rig.guider(model)
        for _ in range(2):
            rig.sample(guider)
            assert len(lines) == 3
            lines.clear()

    def test_the_hosts_windows(self, rig, load, model, caplog):
        import comfy.context_windows as windows

        caplog.set_level("INFO")
        model.model_options["context_handler"] = windows.IndexListContextHandler(
            context_schedule=windows.get_matching_context_schedule("standard_static"),
            fuse_method=windows.get_matching_fuse_method("pyramid"),
            context_length=4,
            context_overlap=1,
            dim=0,
        )
        runs = load("nodes.host.unet3d.runs")
        video = runs._video(torch.zeros(10, 4, SIZE, SIZE), model.model_options)
        load("nodes.host.outlook").log_needs(model, video, DYNAMICRAFTER)
        assert caplog.messages == ["10 frames of 64 x 64 in 3 windows of 4."]

    def test_memory_is_that_of_this_network(self, rig, load, model, monkeypatch, caplog):
        """The tiny model computes in fp32."""
        outlook = load("nodes.host.outlook")
        monkeypatch.setattr(outlook, "look_at_card", lambda *given: outlook.Card(80 * GB, 0))
        caplog.set_level("INFO")
        monkeypatch.setattr(type(model), "model_size", lambda self: 3 * GB)
        rig.sample(rig.guider(model), steps=1)
        step = estimate(
            (64, 64), FRAMES, FRAMES, "fp32", overlap=0, networks=DYNAMICRAFTER, decode_chunk=0
        ).step
        assert f"Needs about {(3 * GB + step) / GB:.1f} GB on the card" in caplog.messages[0]

    def test_too_large_without_windows(self, model, load, monkeypatch, caplog):
        """There is no window that could be lowered."""
        outlook, runs = load("nodes.host.outlook"), load("nodes.host.unet3d.runs")
        monkeypatch.setattr(outlook, "look_at_card", lambda *given: outlook.Card(2 * GB, 0))
        video = runs._video(torch.zeros(16, 4, 72, 128), model.model_options)
        outlook.log_needs(model, video, DYNAMICRAFTER)
        (said,) = caplog.messages
        assert "ComfyUI can use 2.0 GB: lower the size to " in said and "window to" not in said

    def test_the_preview_shows_the_middle_frame(self, rig, model, monkeypatch):
        import latent_preview

        shown, clean = [], []
        kind = latent_preview.Latent2RGBPreviewer
        monkeypatch.setattr(kind, "decode_latent_to_preview", lambda self, x0: shown.append(x0))
        previewer = kind(rig.model.model.latent_format.latent_rgb_factors)

        def callback(step, denoised, x, total):  # as the host's own, which has such a closure
            clean.append(denoised)
            previewer.decode_latent_to_preview(denoised)

        rig.sample(rig.guider(model), steps=1, callback=callback)
        assert torch.equal(shown[0][0], clean[0][FRAMES // 2])


class TestVariants:
    @pytest.mark.parametrize(("word", "count"), [("512", 0), ("512_interp", 1)])
    def test_projector_of_another_model(self, rig, model, load, caplog, word, count):
        variants = load("fcvg_core.models.dynamicrafter.variants").VARIANTS
        positive = rig.conditioning(1, **{rig.keys.VARIANT: variants[word]})
        model.model.variant = variants["512"]
        rig.sample(rig.guider(model, positive=positive, negative=positive), steps=1)
        said = [text for text in caplog.messages if "image projector of" in text]
        assert len(said) == count
        assert all("DynamiCrafter 512 Interp" in text and "same loader" in text for text in said)


@pytest.mark.parametrize("kind", ["patches", "patches_replace"])
def test_patched_layers_are_refused(rig, kind):
    """As by FreeU and by Perturbed-Attention Guidance."""
    model = rig.model.clone()
    if kind == "patches":
        model.set_model_output_block_patch(lambda h, skip, options: (h, skip))
        name = "output_block_patch"
    else:
        model.set_model_attn1_replace(lambda q, k, v, options: v, "middle", 0)
        name = "attn1"
    with pytest.raises(ValueError, match=f"layers of the model .{name}., which DynamiCrafter"):
        rig.sample(rig.guider(model), steps=1)


def test_attention_of_a_node(rig):
    """As by the host's Model Attention or by SageAttention's node."""
    model, calls = rig.model.clone(), []

    def attend(host_attention, *inputs, **more):
        calls.append(more["attn_precision"])
        return 2 * host_attention(*inputs, **more)

    model.model_options["transformer_options"]["optimized_attention_override"] = attend
    changed, plain = (rig.sample(rig.guider(x), steps=1) for x in (model, rig.model))
    assert calls and not torch.equal(changed, plain)
