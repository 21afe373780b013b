"""The memory of a training step, counted without values."""

import functools
from dataclasses import replace

import pytest
import torch
from training_cases import make_network

from fcvg_core.estimate import MARGIN
from fcvg_core.training.config import Clips, Training, TrainingSpec
from fcvg_core.training.memory import TrainingMemory, training_memory
from fcvg_core.training.steps import SteeredUnet
from fcvg_core.training.trained_sets import SVD, find_trained_set

SPEC = TrainingSpec(
    data=Clips(width=64, height=64, frames=3),
    training=Training(batch=1, save_memory=False, directions="forward"),
)


@functools.cache  # a count takes seconds
def memory(name: str = "control+vo", dtype=torch.float32, width=64, **training) -> TrainingMemory:
    data = replace(SPEC.data, width=width)
    spec = replace(SPEC, data=data, training=replace(SPEC.training, **training))
    return training_memory(network(), find_trained_set(SVD, name), spec, dtype)


@functools.cache
def network() -> SteeredUnet:
    return make_network().to("meta")


def test_what_is_kept_of_a_number_that_is_trained(monkeypatch):
    monkeypatch.setattr("fcvg_core.training.memory._count_activations", lambda *_: 1000)
    count = memory.__wrapped__
    found = count()
    assert found.gradients == found.averages == 4 * found.trained
    assert found.moments == 8 * found.trained
    assert found.weights == 4 * sum(x.numel() for x in network().parameters())
    halves = count(dtype=torch.bfloat16, ema=0.0)
    assert halves.weights == found.weights / 2 + 2 * found.trained and not halves.averages
    assert found.activations == int(1000 * MARGIN)
    assert found.total - found.activations == found.weights + 16 * found.trained


@pytest.mark.slow  # each count runs the network without values, which takes seconds
def test_activations():
    whole = memory().activations
    assert memory(save_memory=True).activations < 0.7 * whole
    wide = memory(width=256).activations
    assert wide > 3 * whole
    assert memory(dtype=torch.bfloat16, width=256).activations < wide


def test_the_network_stays_as_it_is():
    assert memory().activations > 0
    assert not any(parameter.requires_grad for parameter in network().parameters())
    assert torch.nn.functional.group_norm.__name__ == "group_norm"
