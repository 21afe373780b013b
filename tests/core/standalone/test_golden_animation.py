"""ControlNeXt-SVD's numbers: version 1's networks, and both pipelines in one direction."""

import os
from pathlib import Path

import pytest
import torch
from golden_cases import controlnext_weights, empty_unet, find_cases, unet_weights

from fcvg_core.models.fcvg import build_controlnext, controlnext_config, prepare_control
from fcvg_core.standalone.denoising import Keyframe, Settings, denoise, steered
from fcvg_core.standalone.loading import Models
from fcvg_core.standalone.stand_ins import SCHEDULER

FOLDER = Path(os.environ.get("FCVG_GOLDEN") or Path(__file__).parents[2] / "golden")


def each_case(*kinds: str):
    """Run a test once for each case of some kinds."""
    cases = [case for kind in kinds for case in find_cases(FOLDER / "controlnext", kind)]
    return pytest.mark.parametrize(("meta", "tensors"), cases, ids=[m["name"] for m, _ in cases])


def controlnext(meta: dict):
    weights = controlnext_weights(meta)
    network = build_controlnext(controlnext_config(weights, name="golden"))
    network.load_state_dict(weights)
    return network.eval()


def unet(meta: dict):
    network = empty_unet(meta)
    network.load_state_dict(unet_weights(meta), assign=True)
    return network.eval()


def scheduler():
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler.from_config(SCHEDULER)


@each_case("controlnext_v1")
@torch.no_grad()
def test_controlnext_v1(meta, tensors):
    network = controlnext(meta)
    out = network(tensors["frames"][0], torch.tensor(meta["t1"]))
    assert (out - tensors["out"]).abs().max() <= 1e-4
    assert torch.equal(network.scale.reshape(1), tensors["scale"])


@each_case("unet_v1")
@torch.no_grad()
def test_unet_v1(meta, tensors):
    network, steering = unet(meta), controlnext(meta)
    time = torch.tensor(meta["timestep"])
    size = [-(-length // 8) for length in tensors["sample"].shape[-2:]]
    control = prepare_control(steering(tensors["control_frames"][0], time), size)
    with steered(network, control, 1.0, block=steering.down_block, levels=steering.levels()):
        out = network(
            tensors["sample"],
            time,
            encoder_hidden_states=tensors["context"],
            added_time_ids=tensors["time_ids"],
        ).sample
    for half, expected in zip(out, tensors["out"], strict=True):
        assert (half - expected).abs().max() <= 1e-4


@each_case("controlnext_pipeline", "controlnext_v1_pipeline")
@torch.no_grad()
@pytest.mark.slow
def test_pipeline(meta, tensors):
    out = denoise(
        Models(unet(meta), None, None, controlnext(meta), scheduler()),
        (Keyframe(tensors["embed"], tensors["image_latent"]),),
        tensors["control_frames"].movedim(-1, 1),
        tensors["noise"][0],
        Settings(
            num_frames=meta["num_frames"],
            window=meta["frames_per_batch"],
            overlap=meta["overlap"],
            steps=meta["num_inference_steps"],
            min_guidance=meta["min_guidance"],
            max_guidance=meta["max_guidance"],
            control_weight=1.0,
            fps=meta["fps"],
            motion_bucket_id=meta["motion_bucket_id"],
            augmentation=meta["noise_aug_strength"],
            noise_injection_steps=0,
            noise_injection_ratio=0.0,
        ),
    )
    assert (out - tensors["out"][0]).abs().max() <= 5e-4
