"""The reference's numbers, from the host's own SVD."""

import pytest
import torch
from golden_cases import controlnext_weights, each_case, unet_weights
from safetensors.torch import save_file


@pytest.fixture
def models(load, load_controlnext, tmp_path):
    """MODEL and ControlNeXt of a case, through files and the pack's own loaders."""
    loading = load("nodes.host.svd.loading")

    def build(meta: dict):
        save_file(unet_weights(meta), tmp_path / "unet.safetensors")
        save_file(controlnext_weights(meta), tmp_path / "controlnext.safetensors")
        return (
            loading.load_unet(str(tmp_path / "unet.safetensors"), None, "default"),
            load_controlnext(str(tmp_path / "controlnext.safetensors")),
        )

    return build


@each_case("fcvg", "unet")
@torch.inference_mode()
def test_unet(load, models, meta, tensors):
    model, controlnext = models(meta)
    patches = load("nodes.host.controlnext.patch")
    time = torch.tensor(meta["timestep"])
    sample = tensors["sample"]
    batch, num_frames = sample.shape[:2]
    embedder = model.model.embedder
    ids = torch.cat([embedder(x) for x in tensors["time_ids"][0].split(1)]).flatten()[None]
    for name, strength in (("plain", 0.0), ("control_1", 1.0), ("control_05", 0.5)):
        patch = patches.ControlPatch(
            controlnext,
            tensors["control_frames"][0],
            strength=strength,
            sigma_start=float("inf"),
            sigma_end=0.0,
        )
        out = model.model.diffusion_model(
            sample.flatten(0, 1),
            time.repeat(batch * num_frames),
            context=tensors["context"].repeat_interleave(num_frames, 0),
            y=ids.repeat(batch * num_frames, 1),
            num_video_frames=num_frames,
            transformer_options={
                "sigmas": torch.exp(4 * time)[None],
                "cond_or_uncond": [1, 0],  # the golden batch begins with the unconditional half
                "patches": {"input_block_patch_after_skip": [patch]},
            },
        )
        assert (out - tensors[f"out_{name}"].flatten(0, 1)).abs().max() <= 1e-4, name


@each_case("fcvg", "fcvg_pipeline")
@torch.inference_mode()
def test_pipeline(load, models, meta, tensors, monkeypatch):
    import comfy.samplers

    model, controlnext = models(meta)
    steered = load("nodes.host.controlnext.patch").steer(
        model,
        controlnext,
        tensors["control_frames"].float() / 255,
        strength=meta["control_weight"],
        start_percent=0.0,
        end_percent=1.0,
    )
    guider = load("nodes.host.guider").InbetweenGuider(
        steered,
        window=meta["frames_per_batch"],
        overlap=meta["overlap"],
        guidance_start=meta["min_guidance"],
        guidance_end=meta["max_guidance"],
    )
    first, last = (conditioning(meta, tensors, which) for which in ("first", "last"))
    zeros = {key: torch.zeros_like(value) for key, value in tensors.items()}
    guider.set_conds(first, last, conditioning(meta, zeros, "first"))
    sampler = comfy.samplers.sampler_object("euler")
    if meta["noise_injection_steps"]:
        injection = load("nodes.host.injection")
        given = iter(tensors["injected_noise"])
        monkeypatch.setattr(injection, "_noise_like", lambda *args: lambda: next(given)[0])
        sampler = injection.inject_into(
            sampler, times=meta["noise_injection_steps"], ratio=meta["noise_injection_ratio"]
        )
    sampling = steered.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, "karras", meta["num_inference_steps"])
    noise = tensors["noise"][0]
    out = guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=0)
    scaled = model.model.process_latent_in(out)
    assert (scaled - tensors["out"][0]).abs().max() <= 5e-4


def conditioning(meta: dict, tensors: dict, which: str) -> list:
    """A keyframe's conditioning, as FCVG Conditioning gives it."""
    values = {
        "concat_latent_image": tensors[f"image_latent_{which}"],
        "fps": meta["fps"],
        "motion_bucket_id": meta["motion_bucket_id"],
        "augmentation_level": meta["noise_aug_strength"],
    }
    return [[tensors[f"embed_{which}"], values]]
