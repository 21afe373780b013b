"""Which parameters are trained: by name, by number in the full networks, by their gradients."""

import pytest
import torch
from torch import nn
from training_cases import make_clip, make_network, random

from fcvg_core.errors import UserError
from fcvg_core.models.controlnext import V2, ControlNeXt
from fcvg_core.models.smcd.rules import NETWORKS as SMCD_NETWORKS
from fcvg_core.models.svd.configs import CLASSES, UNET, read_config
from fcvg_core.standalone.networks.one_token import CROSS_ATTENTION
from fcvg_core.training.config import Training
from fcvg_core.training.steps import Pass, SteeredUnet, training_loss
from fcvg_core.training.trained_sets import (
    FAMILIES,
    SMCD,
    SVD,
    count_values,
    find_trained_set,
    network_of,
    open_for_training,
    parameter_groups,
)

SETS = list(FAMILIES[SVD].sets)
CONTROL = 3.53  # millions of parameters of ControlNeXt
VALUES_AND_OUTPUTS, RESNETS = 99.95, 696.9
MILLIONS = {
    "control": CONTROL,
    "control+vo": CONTROL + VALUES_AND_OUTPUTS,
    "control+vo+resnet": CONTROL + VALUES_AND_OUTPUTS + RESNETS,
    "temporal-vo": 24.8,
    "all": CONTROL + 1524.6,
}
# The softmax over one token is 1 whatever query and key are, so nothing before it has a gradient.
UNUSED = (f".{CROSS_ATTENTION}.to_q.", f".{CROSS_ATTENTION}.to_k.", "transformer_blocks.0.norm2.")


@pytest.fixture(scope="module")
def full_size() -> SteeredUnet:
    """The networks of FCVG, without memory."""
    from diffusers import UNetSpatioTemporalConditionModel

    sizes = read_config({}, UNET, name="SVD")
    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel(
            **{key: value for key, value in sizes.items() if key not in CLASSES}
        )
    return SteeredUnet(unet, ControlNeXt(V2, device="meta"))


@pytest.mark.parametrize("name", SETS)
class TestEverySet:
    def test_size_in_the_full_networks(self, full_size, name):
        trained = FAMILIES[SVD].sets[name]
        held = [value for key, value in full_size.named_parameters() if trained.holds(key)]
        torch.testing.assert_close(count_values(held) / 1e6, MILLIONS[name], rtol=2e-3, atol=0)

    def test_gradients_reach_exactly_the_set(self, name):
        trained, network = FAMILIES[SVD].sets[name], make_network()
        opened = open_for_training(network, trained)
        clip = make_clip()
        each = Pass(clip, torch.tensor(0.7), random(1, *clip.latents.shape))
        training_loss(network, [each]).mean().backward()
        reached = {
            key
            for key, value in network.named_parameters()
            if value.grad is not None and value.grad.abs().max() > 0
        }
        held = {key for key, _ in network.named_parameters() if trained.holds(key)}
        assert opened.keys() == held
        assert reached == {key for key in held if not any(part in key for part in UNUSED)}


class TestOpenForTraining:
    def test_names(self):
        opened = open_for_training(make_network(), find_trained_set(SVD, "control+vo"))
        unet = {name for name in opened if network_of(name) == "unet"}
        parts = {name.split(".attn")[1][2:] for name in unet}
        assert parts == {"to_v.weight", "to_out.0.weight", "to_out.0.bias"}
        assert any(name.startswith("controlnext.mid_convs") for name in opened)

    def test_only_attention_over_frames(self):
        opened = open_for_training(make_network(), find_trained_set(SVD, "temporal-vo"))
        end = ".temporal_transformer_blocks.0.attn1."
        assert {name.partition(end)[2] for name in opened} == {"to_v.weight", "to_out.0.weight"}

    def test_trained_values_become_float32(self):
        network = make_network().to(torch.bfloat16)
        opened = open_for_training(network, find_trained_set(SVD, "control"))
        for name, parameter in network.named_parameters():
            dtype = torch.float32 if name in opened else torch.bfloat16
            assert (parameter.dtype, parameter.requires_grad) == (dtype, name in opened)

    def test_another_set_closes_the_first(self):
        network = make_network()
        open_for_training(network, find_trained_set(SVD, "all"))
        opened = open_for_training(network, find_trained_set(SVD, "control"))
        open_now = {name for name, value in network.named_parameters() if value.requires_grad}
        assert open_now == opened.keys()

    def test_another_family(self):
        with pytest.raises(UserError, match=r"no parameters controlnext\.\* to train"):
            open_for_training(nn.Linear(2, 2), find_trained_set(SVD, "control"))

    def test_no_controlnext(self):
        network = SteeredUnet(make_network().unet, None)
        with pytest.raises(UserError, match="or one of them was not given"):
            open_for_training(network, find_trained_set(SVD, "control+vo"))
        assert open_for_training(network, find_trained_set(SVD, "temporal-vo"))

    def test_an_unknown_set(self):
        with pytest.raises(UserError, match=r"no trained set 'lora' of svd; there is: control,"):
            find_trained_set(SVD, "lora")


class TestParameterGroups:
    def test_one_for_each_network(self):
        opened = open_for_training(make_network(), find_trained_set(SVD, "control+vo"))
        groups = parameter_groups(opened, Training().rates)
        assert [(group["name"], group["lr"]) for group in groups] == [
            ("unet", 1e-6),
            ("controlnext", 1e-5),
        ]
        grouped = [id(value) for group in groups for value in group["params"]]
        assert sorted(grouped) == sorted(map(id, opened.values()))
        torch.optim.AdamW(groups)  # which takes them as they are

    def test_a_network_that_is_frozen_has_none(self):
        opened = open_for_training(make_network(), find_trained_set(SVD, "control"))
        assert [group["name"] for group in parameter_groups(opened, Training().rates)] == [
            "controlnext"
        ]

    def test_a_missing_rate(self):
        opened = open_for_training(make_network(), find_trained_set(SVD, "control+vo"))
        with pytest.raises(UserError, match="learning rate of controlnext is missing"):
            parameter_groups(opened, {"unet": 1e-6})


NETWORKS = {SVD: set(Training().rates), SMCD: set(SMCD_NETWORKS)}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_rows_are_whole(family):
    row = FAMILIES[family]
    assert row.default in row.sets
    for trained in row.sets.values():
        assert trained.words and trained.patterns
        networks = {network_of(pattern) for pattern in trained.patterns}
        assert networks <= NETWORKS[family]
