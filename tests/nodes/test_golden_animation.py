"""ControlNeXt-SVD's numbers, from the host's own SVD."""

import pytest
import torch
from golden_cases import controlnext_weights, each_case, unet_weights
from safetensors.torch import save_file


@pytest.fixture
def load_controlnext(load, tmp_path):
    """ControlNeXt of a case, as a pickle: the kind of file that version 1 comes in."""

    def build(meta: dict):
        torch.save(controlnext_weights(meta), tmp_path / "controlnet.bin")
        return load("nodes.host.controlnext.loading").load_controlnext(
            str(tmp_path / "controlnet.bin")
        )

    return build


@pytest.fixture
def load_unet(load, tmp_path):
    """MODEL of a case."""

    def build(meta: dict):
        save_file(unet_weights(meta), tmp_path / "unet.safetensors")
        return load("nodes.host.svd.loading").load_unet(
            str(tmp_path / "unet.safetensors"), None, "default"
        )

    return build


@each_case("controlnext", "controlnext_v1")
@torch.inference_mode()
def test_controlnext_v1(load_controlnext, meta, tensors):
    network = load_controlnext(meta).model
    out = network(tensors["frames"][0], torch.tensor(meta["t1"]))
    assert (out - tensors["out"]).abs().max() <= 1e-4
    assert torch.equal(network.scale.reshape(1), tensors["scale"])


@each_case("controlnext", "unet_v1")
@torch.inference_mode()
def test_unet_v1(load, load_unet, load_controlnext, meta, tensors):
    model = load_unet(meta)
    patch = load("nodes.host.controlnext.patch").ControlPatch(
        load_controlnext(meta),
        tensors["control_frames"][0],
        strength=1.0,
        sigma_start=float("inf"),
        sigma_end=0.0,
    )
    time = torch.tensor(meta["timestep"])
    sample = tensors["sample"]
    batch, num_frames = sample.shape[:2]
    ids = [
        torch.cat([model.model.embedder(x) for x in row.split(1)]).flatten()
        for row in tensors["time_ids"]
    ]
    out = model.model.diffusion_model(
        sample.flatten(0, 1),
        time.repeat(batch * num_frames),
        context=tensors["context"].repeat_interleave(num_frames, 0),
        y=torch.stack(ids).repeat_interleave(num_frames, 0),
        num_video_frames=num_frames,
        transformer_options={
            "sigmas": torch.exp(4 * time)[None],
            "cond_or_uncond": [1, 0],  # the golden batch begins with the unconditional half
            "patches": {"input_block_patch_after_skip": [patch]},
        },
    )
    assert (out - tensors["out"].flatten(0, 1)).abs().max() <= 1e-4


@each_case("controlnext", "controlnext_pipeline", "controlnext_v1_pipeline")
@torch.inference_mode()
def test_pipeline(load, load_unet, load_controlnext, node_classes, meta, tensors):
    import comfy.samplers

    model = load_unet(meta)
    steered = load("nodes.host.controlnext.patch").steer(
        model,
        load_controlnext(meta),
        tensors["control_frames"].float() / 255,
        strength=1.0,
        start_percent=0.0,
        end_percent=1.0,
    )
    zeros = {key: torch.zeros_like(value) for key, value in tensors.items()}
    guider = (
        node_classes["FCVG_GuideAnimation"]
        .execute(
            steered,
            conditioning(meta, tensors),
            conditioning(meta, zeros),
            meta["min_guidance"],
            meta["max_guidance"],
            meta["frames_per_batch"],
            meta["overlap"],
        )
        .args[0]
    )
    sampling = steered.get_model_object("model_sampling")
    sigmas = comfy.samplers.calculate_sigmas(sampling, "karras", meta["num_inference_steps"])
    sampler = comfy.samplers.sampler_object("euler")
    noise = tensors["noise"][0]
    out = guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=0)
    scaled = model.model.process_latent_in(out)
    assert (scaled - tensors["out"][0]).abs().max() <= 5e-4


def conditioning(meta: dict, tensors: dict) -> list:
    """The reference image's conditioning, as ControlNeXt-SVD Conditioning gives it."""
    values = {
        "concat_latent_image": tensors["image_latent"],
        "fps": meta["fps"],
        "motion_bucket_id": meta["motion_bucket_id"],
        "augmentation_level": meta["noise_aug_strength"],
    }
    return [[tensors["embed"], values]]
