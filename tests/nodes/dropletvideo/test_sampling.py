"""DropletVideo among the host's models: its samplers, nodes that change a model, wrong inputs."""

from inspect import getsource

import pytest
import torch
from dropletvideo_runs import LATENTS, SIZE, random
from guiding import with_windows
from memory import PeakBytes

from fcvg_core.models.dropletvideo.config import TransformerConfig
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer


@pytest.fixture
def calls(rig, monkeypatch) -> list[torch.Tensor]:
    """What the network sees, call by call: [B, 33, T, h, w]."""
    noted, kind = [], type(rig.model.model.diffusion_model)
    predict = kind.predict

    def note(self, x, *args, **inputs):
        noted.append(x)
        return predict(self, x, *args, **inputs)

    monkeypatch.setattr(kind, "predict", note)
    return noted


class TestWindows:
    """The host's context windows: each sees its own frames' pictures and mask."""

    LATENTS, LENGTH = 7, 4

    def test_windows(self, rig, calls):
        from comfy.context_windows import IndexListContextHandler

        positive = rig.conditioning(1, latents=self.LATENTS)
        guider = rig.guider(
            with_windows(rig.model, self.LENGTH, 1, dim=2),
            positive=positive,
            negative=rig.conditioning(11, latents=self.LATENTS),
        )
        if "self.dim < cond_value.cond.ndim" not in getsource(
            IndexListContextHandler.get_resized_cond
        ):
            with pytest.raises(ValueError, match="the context windows of this ComfyUI can't cut"):
                rig.sample(guider, steps=1, latents=self.LATENTS)
            return
        out = rig.sample(guider, steps=1, latents=self.LATENTS)
        assert out.shape == (1, 16, self.LATENTS, *SIZE) and out.isfinite().all()
        pictures = 0.7 * positive[0][1][rig.keys.PICTURE_LATENTS]
        for start, x in zip((0, 3), calls, strict=True):
            assert x.shape[2] == self.LENGTH
            window = pictures[:, :, start : start + self.LENGTH]
            assert any(torch.allclose(row[None, 17:], window, atol=1e-5) for row in x)
            assert x[:, 16].amax((0, 2, 3)).tolist() == pytest.approx([0.7 * (start == 0), 0, 0, 0])

    def test_windows_with_one_more_frame(self, rig, calls):
        model = with_windows(rig.model, self.LENGTH, 1, dim=2, anchored=True)
        guider = rig.guider(model, latents=self.LATENTS)
        assert rig.sample(guider, steps=1, latents=self.LATENTS).isfinite().all()
        assert [x.shape[2] for x in calls] == [self.LENGTH, self.LENGTH + 1]


@pytest.mark.parametrize("node", ["EasyCacheNode", "LazyCacheNode"])
def test_easycache(rig, calls, node):
    """A threshold that nothing reaches: only the first steps compute."""
    import comfy_extras.nodes_easycache as nodes

    model = getattr(nodes, node).execute(rig.model, 1e9, 0.0, 1.0, False).args[0]
    out = rig.sample(rig.guider(model), steps=6)
    assert out.isfinite().all()
    cached = len(calls)
    rig.sample(rig.guider(), steps=6)
    assert 0 < cached < len(calls) - cached


def test_both_prompts_in_one_call(rig, calls):
    """Two videos of a batch as well; a prompt of another length is computed by itself."""
    assert rig.sample(rig.guider(), steps=1, rows=2).shape[0] == 2
    assert [len(x) for x in calls] == [4]
    guider = rig.guider(positive=rig.conditioning(1, length=5))
    rig.sample(guider, steps=1)
    assert [len(x) for x in calls[1:]] == [1, 1]


def test_latents_of_another_size(rig, calls):
    """Pictures are resized, as the host does it for its own models."""
    rig.sample(rig.guider(positive=rig.conditioning(1, size=(4, 6))), steps=1)
    assert all(x.shape[-2:] == SIZE for x in calls)


class TestBadInput:
    def sample(self, rig, positive, **more):
        rig.sample(rig.guider(positive=positive, **more), steps=1)

    def test_no_picture(self, rig):
        positive = [[random(1, 1, 6, rig.width), {}]]
        with pytest.raises(ValueError, match="holds no picture for DropletVideo: connect"):
            self.sample(rig, positive)

    def test_another_length(self, rig):
        with pytest.raises(ValueError, match="made for 4 latent frames, but the latent has 3"):
            self.sample(rig, rig.conditioning(1, latents=4))

    def test_the_text_of_another_encoder(self, rig):
        ((_, values),) = rig.conditioning(1)
        for text, found in ((random(1, 1, 77, 768), 768), (None, 0)):
            said = f"has {found} numbers for each token, but .* reads 12"
            with pytest.raises(ValueError, match=said):
                self.sample(rig, [[text, values]])

    def test_patched_layers(self, rig):
        model = rig.model.clone()
        model.set_model_attn1_patch(lambda q, k, v, extra: (q, k, v))
        with pytest.raises(ValueError, match="attn1_patch.*which DropletVideo does not support"):
            rig.sample(rig.guider(model), steps=1)


class TestLevels:
    def test_denoise(self, rig, load):
        trailing_levels = load("nodes.host.dropletvideo.sampling").trailing_levels
        whole = trailing_levels(rig.model, 8)
        assert len(whole) == 9
        assert torch.equal(trailing_levels(rig.model, 4, 0.5), whole[4:])
        assert len(trailing_levels(rig.model, 4, 0.0)) == 0
        with pytest.raises(ValueError, match="600 steps at a denoise of 0.5"):
            trailing_levels(rig.model, 600, 0.5)

    def test_a_model_of_another_family(self, rig, load):
        import comfy.model_sampling

        model = rig.model.clone()
        model.add_object_patch("model_sampling", comfy.model_sampling.ModelSamplingContinuousEDM())
        with pytest.raises(ValueError, match="no noise levels of 1000 timesteps"):
            load("nodes.host.dropletvideo.sampling").trailing_levels(model, 4)


def test_memory_that_a_step_is_given(rig, monkeypatch):
    """More than it holds, but not by much; both are in proportion to the width of the network."""
    import comfy.model_management as mm

    monkeypatch.setattr(mm, "xformers_enabled", lambda: True)
    given = rig.model.model.memory_required([1, 16, LATENTS, *SIZE]) / TransformerConfig().channels
    sizes = TransformerConfig(layers=1, heads=8, time_channels=8, text_channels=12)
    network = DropletVideoTransformer(sizes)
    inputs = random(0, 1, 33, LATENTS, *SIZE), torch.ones(1)
    with PeakBytes() as memory:
        network(*inputs, context=random(1, 1, 1, 12), fps=torch.tensor([8]))
    assert 0.6 * given < memory.peak / sizes.channels < given
