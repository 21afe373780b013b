"""The reference's numbers, from networks of the official layout filled by fill.py.

FCVG's, and of ControlNeXt-SVD version 1's networks and both versions' pipelines in one direction.
"""

import numpy as np
import pytest
import torch
from golden_cases import controlnext, each_case, unet

from fcvg_core.clip import clip_pixels, normalize_for_clip
from fcvg_core.models.controlnext import prepare_control
from fcvg_core.sampling import karras_sigmas
from fcvg_core.sampling.schedule import timestep
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.demo.stand_ins import SCHEDULER
from fcvg_core.standalone.networks.denoising import Keyframe, denoise, steered
from fcvg_core.standalone.networks.loading import Models


def scheduler():
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler.from_config(SCHEDULER)


@each_case("fcvg", "controlnext")
@torch.no_grad()
def test_controlnext(meta, tensors):
    network = controlnext(meta)
    times = [key for key in meta if key.startswith("t") and f"out_{key}" in tensors]
    assert times
    for key in times:
        out = network(tensors["frames"][0], torch.tensor(meta[key]))
        assert (out - tensors[f"out_{key}"]).abs().max() <= 1e-4


@each_case("fcvg", "unet")
@torch.no_grad()
def test_unet(meta, tensors):
    network = unet(meta)
    frames = tensors["control_frames"][0]
    time = torch.tensor(meta["timestep"])
    size = [(length + 1) // 2 for length in tensors["sample"].shape[-2:]]
    control = prepare_control(controlnext(meta)(frames, time), size)
    for name, strength in (("plain", 0.0), ("control_1", 1.0), ("control_05", 0.5)):
        with steered(network, control, strength):
            out = network(
                tensors["sample"],
                time,
                encoder_hidden_states=tensors["context"],
                added_time_ids=tensors["time_ids"],
            ).sample
        assert (out - tensors[f"out_{name}"]).abs().max() <= 1e-4, name


@each_case("fcvg", "schedule")
def test_schedule(meta, tensors):
    for key in (key for key in tensors if key.startswith("sigmas_")):
        steps = int(key.removeprefix("sigmas_"))
        sigmas = karras_sigmas(steps)
        torch.testing.assert_close(sigmas, tensors[key], rtol=1e-6, atol=0)
        torch.testing.assert_close(timestep(sigmas[:-1]), tensors[f"timesteps_{steps}"])
        theirs = scheduler()
        theirs.set_timesteps(steps)
        torch.testing.assert_close(theirs.sigmas, tensors[key], rtol=1e-6, atol=0)
        torch.testing.assert_close(theirs.timesteps, tensors[f"timesteps_{steps}"])
        start = torch.as_tensor(theirs.init_noise_sigma).float()
        torch.testing.assert_close(start.reshape(1), tensors[f"init_{steps}"].reshape(1))


@each_case("fcvg", "clip_preprocess")
def test_clip_preprocess(meta, tensors):
    for key, expected in tensors.items():
        height, width = map(int, key.removeprefix("out_").split("x"))
        y, x = np.mgrid[:height, :width]
        blue = np.where((x // 16 + y // 16) % 2 == 0, 40, 210)
        image = np.stack([(3 * x + 5 * y) // 4 % 256, (x * x // 97 + 2 * y) % 256, blue])
        frame = torch.from_numpy(image.astype(np.uint8))[None].float() / 255
        out = normalize_for_clip(clip_pixels(frame))[:, :, ::4, ::4]
        assert (out - expected).abs().max() <= 1e-4


@each_case("controlnext", "controlnext_v1")
@torch.no_grad()
def test_controlnext_v1(meta, tensors):
    network = controlnext(meta)
    out = network(tensors["frames"][0], torch.tensor(meta["t1"]))
    assert (out - tensors["out"]).abs().max() <= 1e-4
    assert torch.equal(network.scale.reshape(1), tensors["scale"])


@each_case("controlnext", "unet_v1")
@torch.no_grad()
def test_unet_v1(meta, tensors):
    network, steering = unet(meta), controlnext(meta)
    time = torch.tensor(meta["timestep"])
    size = [-(-length // 8) for length in tensors["sample"].shape[-2:]]
    control = prepare_control(steering(tensors["control_frames"][0], time), size)
    with steered(network, control, 1.0, block=steering.config.down_block, levels=steering.levels()):
        out = network(
            tensors["sample"],
            time,
            encoder_hidden_states=tensors["context"],
            added_time_ids=tensors["time_ids"],
        ).sample
    for half, expected in zip(out, tensors["out"], strict=True):
        assert (half - expected).abs().max() <= 1e-4


@pytest.mark.slow
@each_case("fcvg", "fcvg_pipeline")
@torch.no_grad()
def test_pipeline(meta, tensors):
    injected = iter(tensors.get("injected_noise", torch.empty(0)))
    out = denoise(
        Models(unet(meta), None, None, controlnext(meta), scheduler()),
        tuple(
            Keyframe(tensors[f"embed_{which}"], tensors[f"image_latent_{which}"])
            for which in ("first", "last")
        ),
        tensors["control_frames"].float().movedim(-1, 1) / 255,
        tensors["noise"][0],
        settings(meta),
        draw=lambda: next(injected)[0],
    )
    assert (out - tensors["out"][0]).abs().max() <= 5e-4


@pytest.mark.slow
@each_case("controlnext", "controlnext_pipeline", "controlnext_v1_pipeline")
@torch.no_grad()
def test_pipeline_in_one_direction(meta, tensors):
    out = denoise(
        Models(unet(meta), None, None, controlnext(meta), scheduler()),
        (Keyframe(tensors["embed"], tensors["image_latent"]),),
        tensors["control_frames"].movedim(-1, 1),
        tensors["noise"][0],
        settings(meta),
    )
    assert (out - tensors["out"][0]).abs().max() <= 5e-4


def settings(meta: dict) -> SamplingSettings:
    """Those of a case; ControlNeXt-SVD has no weight of its control and injects no noise."""
    return SamplingSettings(
        num_frames=meta["num_frames"],
        window=meta["frames_per_batch"],
        overlap=meta["overlap"],
        steps=meta["num_inference_steps"],
        guidance_start=meta["min_guidance"],
        guidance_end=meta["max_guidance"],
        control_weight=meta.get("control_weight", 1.0),
        fps=meta["fps"],
        motion_bucket_id=meta["motion_bucket_id"],
        augmentation=meta["noise_aug_strength"],
        noise_injection_steps=meta.get("noise_injection_steps", 0),
        noise_injection_ratio=meta.get("noise_injection_ratio", 0.0),
    )
