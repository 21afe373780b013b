"""The reference's numbers, from networks of the official layout filled by fill.py.

FCVG's networks and pipeline, and ControlNeXt-SVD's: version 1's networks and both versions'
pipelines in one direction.
"""

import numpy as np
import pytest
import torch
from golden_cases import controlnext, each_case, unet

from fcvg_core.clip import clip_pixels, normalize_for_clip
from fcvg_core.models.controlnext import prepare_control
from fcvg_core.models.svd import SIGMA_MAX, SIGMA_MIN, noisy_deviation, timestep
from fcvg_core.sampling import karras_sigmas
from fcvg_core.settings import SamplingSettings
from fcvg_core.standalone.networks.denoising import denoise
from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.one_token import use_one_token
from fcvg_core.standalone.networks.passes import EncodedImage
from fcvg_core.standalone.networks.steering import steered


@each_case(("fcvg", "controlnext"), "controlnext", "controlnext_v1")
@torch.no_grad()
def test_controlnext(meta, tensors):
    network = controlnext(meta)
    times = [key for key in meta if key.startswith("t") and f"out_{key}" in tensors]
    expected = {key: tensors[f"out_{key}"] for key in times} or {"t1": tensors["out"]}
    for key, out in expected.items():
        features = network(tensors["frames"][0], torch.tensor(meta[key]))
        assert (features - out).abs().max() <= 1e-4
    if network.config.learned_scale:
        assert torch.equal(network.scale.reshape(1), tensors["scale"])


@each_case(("fcvg", "controlnext"), "unet", "unet_v1")
@torch.no_grad()
def test_unet(meta, tensors):
    network, steering = saving_unet(meta), controlnext(meta)
    time = torch.tensor(meta["timestep"])
    size = steering.config.hidden_size(tuple(tensors["sample"].shape[-2:]))
    control = prepare_control(steering(tensors["control_frames"][0], time), size)
    strengths = {"out_plain": 0.0, "out_control_1": 1.0, "out_control_05": 0.5, "out": 1.0}
    expected = {name: tensors[name] for name in strengths if name in tensors}
    assert len(expected) == (3 if steering.config.version == 2 else 1)
    for name, out in expected.items():
        with steered(network, steering, control, strengths[name]):
            sample = network(
                tensors["sample"],
                time,
                encoder_hidden_states=tensors["context"],
                added_time_ids=tensors["time_ids"],
            ).sample
        assert (sample - out).abs().max() <= 1e-4, name


@each_case("fcvg", "schedule")
def test_schedule(meta, tensors):
    for key in (key for key in tensors if key.startswith("sigmas_")):
        steps = int(key.removeprefix("sigmas_"))
        sigmas = karras_sigmas(steps, lowest=SIGMA_MIN, highest=SIGMA_MAX)
        torch.testing.assert_close(sigmas, tensors[key], rtol=1e-6, atol=0)
        torch.testing.assert_close(timestep(sigmas[:-1]), tensors[f"timesteps_{steps}"])
        start = noisy_deviation(sigmas[0])
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


@pytest.mark.slow
@each_case(
    ("fcvg", "controlnext"), "fcvg_pipeline", "controlnext_pipeline", "controlnext_v1_pipeline"
)
@torch.no_grad()
def test_pipeline(meta, tensors):
    injected = iter(tensors.get("injected_noise", torch.empty(0)))
    out = denoise(
        Models(saving_unet(meta), None, None, controlnext(meta)),
        encoded_images(tensors),
        tensors["control_frames"].movedim(-1, 1),
        tensors["noise"][0],
        settings(meta),
        draw=lambda: next(injected)[0],
    )
    assert (out - tensors["out"][0]).abs().max() <= 5e-4


def saving_unet(meta: dict):
    """The UNet of a case as the loader would make it."""
    network = unet(meta)
    use_one_token(network)
    return network


def encoded_images(tensors: dict) -> tuple[EncodedImage, ...]:
    """Both keyframes of a case, or its reference image."""
    ends = ("_first", "_last") if "embed_first" in tensors else ("",)
    return tuple(
        EncodedImage(tensors[f"embed{end}"], tensors[f"image_latent{end}"]) for end in ends
    )


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
        denoise=1.0,
        schedule="karras",
        guidance_from=0.0,
        guidance_until=1.0,
        forward_share=0.0,
        cache_interval=1,
    )
