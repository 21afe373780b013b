"""The official training step, on networks filled by fill.py: prediction, loss and gradients."""

from dataclasses import replace

import pytest
import torch
from golden_cases import controlnext, each_case, unet

from fcvg_core.models.controlnext import ControlNeXt
from fcvg_core.standalone.networks.one_token import CROSS_ATTENTION, use_one_token
from fcvg_core.standalone.networks.passes import EncodedImage
from fcvg_core.training.clips import Clip
from fcvg_core.training.steps import Pass, SteeredUnet, training_loss

# The softmax over one token is 1 whatever query and key are, so nothing before it can learn. The
# reference computes these gradients, which are rounding errors; the UNet of inference doesn't.
UNUSED = (f".{CROSS_ATTENTION}.to_q.", f".{CROSS_ATTENTION}.to_k.", "transformer_blocks.0.norm2.")
ROUNDING = 1e-7


@pytest.mark.slow  # both ways through a UNet of 25 million values
@each_case("fcvg", "train_step")
def test_train_step(meta, tensors):
    network = SteeredUnet(saving_unet(meta), padded_controlnext(meta)).requires_grad_(True)
    kept = []
    network.register_forward_hook(lambda module, args, out: kept.append(out.detach()))
    losses = training_loss(network, passes_of(tensors))
    losses.mean().backward()
    tolerance = meta["tolerance"]
    torch.testing.assert_close(kept[0], tensors["out_prediction"], **at_most(tolerance))
    close = {"rtol": tolerance["loss_relative"], "atol": 0}
    torch.testing.assert_close(losses.detach(), tensors["out_loss_per_sample"], **close)
    torch.testing.assert_close(losses.mean().item(), meta["loss"], **close)
    check_gradients(network, meta, tensors)


def check_gradients(network: SteeredUnet, meta: dict, tensors: dict) -> None:
    """The norm of every gradient; a few gradients in full."""
    tolerance, expected = meta["tolerance"], meta["gradient_norms"]
    found = {name: value.grad for name, value in network.named_parameters()}
    assert found.keys() == expected.keys()
    unused = {name for name in found if any(part in name for part in UNUSED)}
    assert {name for name, gradient in found.items() if gradient is None} <= unused
    assert all(expected[name] < ROUNDING for name in unused)
    off = {
        name: (float(gradient.norm()), expected[name])
        for name, gradient in found.items()
        if name not in unused
        and abs(gradient.norm() / expected[name] - 1) > tolerance["gradient_norm_relative"]
    }
    assert not off
    whole = {x.removeprefix("grad/"): x for x in tensors if x.startswith("grad/")}
    assert whole
    for name, key in whole.items():
        error = (found[name] - tensors[key]).abs().max() / tensors[key].abs().max()
        assert error <= tolerance["gradient_relative_to_max"], name


def saving_unet(meta: dict):
    """The UNet of a case as the loader would make it."""
    network = unet(meta)
    use_one_token(network)
    return network


def padded_controlnext(meta: dict) -> ControlNeXt:
    """The ControlNeXt of a case as the official training code has it."""
    plain = controlnext(meta)
    network = ControlNeXt(replace(plain.config, stem_padding=1))
    network.load_state_dict(plain.state_dict())
    return network.eval()


def at_most(tolerance: dict) -> dict:
    return {"rtol": 0, "atol": tolerance["prediction"]}


def passes_of(tensors: dict) -> list[Pass]:
    """Every sample of a case; nothing is dropped."""
    return [
        Pass(
            Clip(
                tensors["latents"][i],
                (EncodedImage(tensors["context"][i : i + 1], tensors["image_latents"][i : i + 1]),),
                tensors["control_frames"][i],
                tuple(tensors["time_ids"][i].tolist()),
            ),
            sigma,
            tensors["noise"][i],
        )
        for i, sigma in enumerate(tensors["sigmas"])
    ]
