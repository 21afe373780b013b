"""The tokens that the gate takes in: which object has which token, and what absent ones have."""

import numpy as np
import pytest
import torch

from fcvg_core.models.smcd import (
    PositionNet,
    PositionNetConfig,
    VisualEncoder,
    VisualEncoderConfig,
)
from fcvg_core.models.smcd.tokens import absent_tokens, image_tokens, object_tokens

BOXES = np.array(
    [[[0.1, 0.1, 0.2, 0.2], [0, 0, 0, 0]], [[0.1, 0.2, 0.2, 0.3], [0.5, 0.5, 1, 1]]], np.float32
)
PRESENT = np.array([[True, False], [True, True]])
LABELS = [torch.ones(12), torch.arange(12.0)]


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def network() -> PositionNet:
    torch.manual_seed(0)
    network = PositionNet(PositionNetConfig(in_channels=12, out_channels=20))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.requires_grad_(False)


def test_each_object_has_its_own_box_and_label(network):
    found = object_tokens(network, BOXES, PRESENT, LABELS)
    assert found.shape == (2, 2, 20)
    for frame, place in ((0, 0), (1, 0), (1, 1)):
        box = torch.from_numpy(BOXES[frame, place])[None, None]
        expected = network(box, torch.ones(1, 1), LABELS[place][None, None])
        close(found[frame, place], expected[0, 0])


def test_absent_objects_have_learned_features(network, one_thread):
    found = object_tokens(network, BOXES, PRESENT, LABELS)
    absent = absent_tokens(network, 2, 3)
    assert absent.shape == (2, 3, 20)
    assert torch.equal(absent, absent[:1, :1].expand(2, 3, -1))
    close(found[0, 1], absent[0, 0])


def test_objects_that_fill_up_need_no_label(network):
    """The token of the given object stays, and no other objects are there."""
    boxes = np.concatenate([BOXES[:, :1], np.zeros((2, 3, 4), np.float32)], axis=1)
    present = np.concatenate([PRESENT[:, :1], np.zeros((2, 3), bool)], axis=1)
    found = object_tokens(network, boxes, present, LABELS[:1])
    close(found[:, :1], object_tokens(network, BOXES, PRESENT, LABELS)[:, :1])
    close(found[:, 1:], absent_tokens(network, 2, 3))


def test_the_number_format_is_that_of_the_labels(network):
    half = [label.bfloat16() for label in LABELS]
    network = PositionNet(network.config, dtype=torch.bfloat16).requires_grad_(False)
    assert object_tokens(network, BOXES, PRESENT, half).dtype == torch.bfloat16
    assert absent_tokens(network, 1, 1).dtype == torch.bfloat16


def test_every_frame_sees_the_picture():
    torch.manual_seed(0)
    network = VisualEncoder(VisualEncoderConfig(channels=(8, 16), blocks=1)).requires_grad_(False)
    latents = torch.randn(1, 4, 4, 6)
    found = image_tokens(network, latents, 5)
    assert found.shape == (5, 6, 16)
    assert torch.equal(found, network(latents).expand(5, -1, -1))
