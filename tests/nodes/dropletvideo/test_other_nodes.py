"""DropletVideo with nodes of the host: samplers, parts of runs, changed models, interrupts."""

import pytest
import torch
from dropletvideo_runs import LATENTS, SIZE, random

TO_QUERY = "diffusion_model.transformer_blocks.0.attn1.to_q"


@pytest.mark.parametrize(
    "name", ["ddim", "dpmpp_2m", "dpmpp_2m_sde", "euler_ancestral", "lcm", "uni_pc"]
)
def test_samplers(rig, name):
    out = rig.ksample(sampler=name)
    assert out.shape == (1, 16, LATENTS, *SIZE) and out.isfinite().all()
    assert torch.equal(out, rig.ksample()) == (name == "ddim")  # without noise: Euler's steps


def test_half_of_the_steps_then_the_other_half(rig):
    """As KSampler (Advanced)."""
    whole = rig.ksample(steps=4)
    first = rig.ksample(steps=4, last_step=2)
    rest = {"noise": torch.zeros_like(first), "disable_noise": True, "start_step": 2}
    second = rig.ksample(steps=4, latent_image=first, **rest)
    torch.testing.assert_close(second, whole, rtol=0, atol=2e-3)


def test_a_mask_keeps_the_rest_of_a_video(rig):
    video = random(5, 1, 16, LATENTS, *SIZE)
    mask = torch.zeros(1, 1, LATENTS, *SIZE)
    mask[:, :, 1:] = 1
    for denoise in (0.5, 1.0):
        out = rig.ksample(latent_image=video, noise_mask=mask, denoise=denoise)
        moved = (out - video).abs().amax((0, 1, 3, 4))
        assert moved[0] < 1e-4 and moved[1:].min() > 0.1


@pytest.mark.seam
def test_attention_of_a_node(rig):
    """As by the host's Model Attention or by SageAttention's node."""
    model, shapes = rig.model.clone(), []

    def attend(host_attention, *inputs, **more):
        shapes.append(tuple(inputs[0].shape))
        return 2 * host_attention(*inputs, **more)

    model.model_options["transformer_options"]["optimized_attention_override"] = attend
    tokens = 6 + LATENTS * SIZE[0] * SIZE[1] // 4
    assert not torch.equal(rig.ksample(model, steps=1), rig.ksample(steps=1))
    assert shapes == [(2, tokens, 32)]


def test_merged_models(rig):
    """Twice the same model, as by ModelMergeSimple."""
    merged = rig.model.clone()
    for name, patch in rig.model.get_key_patches("diffusion_model.").items():
        merged.add_patches({name: patch}, 0.5, 0.5)
    torch.testing.assert_close(rig.ksample(merged), rig.ksample(), rtol=0, atol=1e-3)


def test_a_lora(rig):
    import comfy.sd

    width = rig.model.model.state_dict()[f"{TO_QUERY}.weight"].shape
    lora = {
        f"{TO_QUERY}.lora_A.weight": random(1, 2, width[1]),
        f"{TO_QUERY}.lora_B.weight": random(2, width[0], 2),
    }
    changed, _ = comfy.sd.load_lora_for_models(rig.model, None, lora, 1.0, 0)
    assert not torch.equal(rig.ksample(changed), rig.ksample())


def test_model_sampling_of_a_node(rig, load):
    """The noise levels of ModelSamplingDiscrete (v_prediction, zsnr) are the model's own."""
    from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete

    (model,) = ModelSamplingDiscrete().patch(rig.model, "v_prediction", True)
    trailing_levels = load("nodes.host.dropletvideo.sampling").trailing_levels
    torch.testing.assert_close(trailing_levels(model, 7), trailing_levels(rig.model, 7))
    torch.testing.assert_close(rig.ksample(model), rig.ksample(), rtol=0, atol=1e-3)


def test_an_interrupt_leaves_nothing_behind(rig, loaded, load, monkeypatch):
    """In the midst of a run, and between two chunks of the VAE."""
    import comfy.model_management as mm
    import comfy.utils

    def stop(*args, **more):
        mm.interrupt_current_processing()
        mm.throw_exception_if_processing_interrupted()

    before, latents = rig.ksample(), random(3, 1, 16, 6, 2, 2)
    with pytest.raises(mm.InterruptProcessingException):
        rig.ksample(callback=stop)
    assert torch.equal(rig.ksample(), before)
    decoded = loaded.vae.decode(latents)
    with monkeypatch.context() as patched:
        patched.setattr(comfy.utils, "PROGRESS_BAR_HOOK", stop)
        with pytest.raises(mm.InterruptProcessingException):
            loaded.vae.decode(latents)
    assert torch.equal(loaded.vae.decode(latents), decoded)
