"""The official training step: noise, prediction, loss, and which gradients there are."""

import json

import torch
from dynamicrafter_cases import assert_close
from smcd_cases import each_train_case
from torch import nn

from fcvg_core.models.smcd import PositionNet, PositionNetConfig, VisualEncoder, VisualEncoderConfig
from fcvg_core.models.unet3d import Config, UNet3D
from fcvg_core.training.smcd.network import SmcdNetwork
from fcvg_core.training.smcd.steps import Passes, add_noise, noise_loss, predict_noise
from fcvg_core.training.trained_sets import SMCD, find_trained_set, open_for_training

FULL_SIZE = Config(
    initial_inside=True,
    conv_projections=True,
    bare_downsamplers=True,
    takes_rate=False,
    image_attention=None,
    gate="objects and image",
)


@each_train_case()
def test_train_step(case):
    passes = Passes(
        case.latents,
        case.noise,
        case.timesteps,
        case.concat,
        case.text,
        case.objects,
        case.image_tokens,
    )
    found = add_noise(passes.latents, passes.noise, passes.timesteps)
    torch.testing.assert_close(found, case.noisy, rtol=0, atol=1e-6)
    unet = case.unet()
    network = SmcdNetwork(unet, nn.Identity(), nn.Linear(1, 1))
    open_for_training(network, find_trained_set(SMCD, "picture"))
    with torch.no_grad():
        assert_close(predict_noise(unet, passes), case.prediction, 2e-4)
    losses = noise_loss(unet, passes)
    losses.mean().backward()
    case.check_loss(losses.mean().item())
    grads = {name: value.grad for name, value in unet.named_parameters()}
    case.check_gradients({name: value for name, value in grads.items() if value is not None})


def test_trained_parameters_at_full_size(own_golden):
    official = json.loads((own_golden / "smcd/keys_stage2_trainable.json").read_text())
    network = SmcdNetwork(
        UNet3D(FULL_SIZE, device="meta"),
        PositionNet(PositionNetConfig(), device="meta"),
        VisualEncoder(VisualEncoderConfig(), device="meta"),
    )
    for name, with_boxes in (("picture", False), ("picture+boxes", True)):
        trained = find_trained_set(SMCD, name)
        found = {key for key, _ in network.named_parameters() if trained.holds(key)}
        expected = {f"unet.{key}" for key in official["parameters"]}
        wholes = ("visual_encoder", "position_net") if with_boxes else ("visual_encoder",)
        for whole in wholes:
            names = (key for key, _ in getattr(network, whole).named_parameters())
            expected |= {f"{whole}.{key}" for key in names}
        assert found == expected
