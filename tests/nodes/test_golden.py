"""The reference's numbers, of FCVG and of ControlNeXt-SVD, from the host's own SVD."""

import pytest
import torch
from golden_cases import controlnext_weights, each_case, unet_weights
from safetensors.torch import save_file

ROOMS = ("fcvg", "controlnext")
STRENGTHS = {"out_plain": 0.0, "out_control_05": 0.5, "out_control_1": 1.0, "out": 1.0}


@pytest.fixture
def build_controlnext(load_controlnext, tmp_path):
    """ControlNeXt of a case, from the kind of file that its version comes in."""

    def build(meta: dict):
        weights = controlnext_weights(meta)
        if "v1" in meta["kind"]:
            path = tmp_path / "controlnet.bin"
            torch.save(weights, path)
        else:
            path = tmp_path / "controlnext.safetensors"
            save_file(weights, path)
        return load_controlnext(str(path))

    return build


@pytest.fixture
def build_unet(load, tmp_path):
    """MODEL of a case, through a file and the pack's own loader."""

    def build(meta: dict):
        path = tmp_path / "unet.safetensors"
        save_file(unet_weights(meta), path)
        return load("nodes.host.svd.loading").load_unet(str(path), None, "default")

    return build


@each_case("controlnext", "controlnext_v1")
@torch.inference_mode()
def test_controlnext_v1(build_controlnext, meta, tensors):
    network = build_controlnext(meta).model
    out = network(tensors["frames"][0], torch.tensor(meta["t1"]))
    assert (out - tensors["out"]).abs().max() <= 1e-4
    assert torch.equal(network.scale.reshape(1), tensors["scale"])


@each_case(ROOMS, "unet", "unet_v1")
@torch.inference_mode()
def test_unet(load, build_unet, build_controlnext, meta, tensors):
    model, controlnext = build_unet(meta), build_controlnext(meta)
    time, sample = torch.tensor(meta["timestep"]), tensors["sample"]
    batch, num_frames = sample.shape[:2]
    ids = [
        torch.cat([model.model.embedder(x) for x in row.split(1)]).flatten()
        for row in tensors["time_ids"].expand(batch, -1)
    ]
    names = tensors.keys() & STRENGTHS
    assert names
    for name in names:
        patch = load("nodes.host.controlnext.patch").ControlPatch(
            controlnext,
            tensors["control_frames"][0],
            strength=STRENGTHS[name],
            sigma_start=float("inf"),
            sigma_end=0.0,
        )
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
        assert (out - tensors[name].flatten(0, 1)).abs().max() <= 1e-4, name


@each_case(ROOMS, "fcvg_pipeline", "controlnext_pipeline", "controlnext_v1_pipeline")
@torch.inference_mode()
def test_pipeline(load, build_unet, build_controlnext, meta, tensors, monkeypatch):
    import comfy.samplers

    model = build_unet(meta)
    steered = load("nodes.host.controlnext.patch").steer(
        model,
        build_controlnext(meta),
        tensors["control_frames"].float() / 255,
        strength=meta.get("control_weight", 1.0),
        start_percent=0.0,
        end_percent=1.0,
    )
    guider = make_guider(load("nodes.host.guider"), steered, meta, tensors)
    sampler = comfy.samplers.sampler_object("euler")
    if "injected_noise" in tensors:
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


def make_guider(guiders, model, meta: dict, tensors: dict):
    """Between the two keyframes of a case, or away from its one reference image."""
    kind, pictures = guiders.AnimationGuider, [""]
    if "image_latent_first" in tensors:
        kind, pictures = guiders.InbetweenGuider, ["_first", "_last"]
    guider = kind(
        model,
        window=meta["frames_per_batch"],
        overlap=meta["overlap"],
        guidance_start=meta["min_guidance"],
        guidance_end=meta["max_guidance"],
    )
    zeros = {key: torch.zeros_like(value) for key, value in tensors.items()}
    guider.set_conds(
        *(conditioning(meta, tensors, picture) for picture in pictures),
        conditioning(meta, zeros, pictures[0]),
    )
    return guider


def conditioning(meta: dict, tensors: dict, picture: str) -> list:
    """A picture's conditioning, as the pack's nodes give it."""
    values = {
        "concat_latent_image": tensors[f"image_latent{picture}"],
        "fps": meta["fps"],
        "motion_bucket_id": meta["motion_bucket_id"],
        "augmentation_level": meta["noise_aug_strength"],
    }
    return [[tensors[f"embed{picture}"], values]]
