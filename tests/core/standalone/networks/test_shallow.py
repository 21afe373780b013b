"""The UNet without its deep blocks: its output is the whole UNet's if the kept features are."""

import pytest
import torch
from stand_ins import UNET, fill

from fcvg_core.models.controlnext import prepare_control
from fcvg_core.standalone.networks.shallow import ShallowUnet
from fcvg_core.standalone.networks.steering import steered

FRAMES = 3


def inputs(seed: int) -> tuple[tuple, dict]:
    """Both halves of a batch."""
    make = torch.Generator().manual_seed(seed)
    conditions = {
        "encoder_hidden_states": torch.randn(2, 1, 64, generator=make),
        "added_time_ids": torch.tensor([[6.0, 127.0, 0.02]] * 2),
        "return_dict": False,
    }
    return (torch.randn(2, FRAMES, 8, 8, 16, generator=make), torch.tensor(0.7)), conditions


def unet_with_layers(layers: int):
    from diffusers import UNetSpatioTemporalConditionModel

    unet = UNetSpatioTemporalConditionModel(**{**UNET, "layers_per_block": layers})
    unet.load_state_dict(fill(unet))
    return unet.eval()


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max() / other.std())


@torch.no_grad()
def whole_and_shallow(unet) -> tuple[torch.Tensor, torch.Tensor]:
    args, conditions = inputs(0)
    shallow = ShallowUnet(unet)
    with shallow.keeping() as kept:
        whole = unet(*args, **conditions)[0]
    (features,) = kept
    assert features.shape == (2 * FRAMES, 64, 8, 16)
    return whole, shallow(*args, **conditions, features=features)[0]


class TestFreshFeatures:
    def test_plain(self, models_v2) -> None:
        whole, shallow = whole_and_shallow(models_v2.unet)
        assert relative(shallow, whole) <= 1e-6

    def test_steered(self, models) -> None:
        """Control acts on deep blocks, so it is in the kept features already."""
        network = models.controlnext
        size = network.config.hidden_size((8, 16))
        control = prepare_control(torch.randn(FRAMES, 64, *size), size)
        plain, _ = whole_and_shallow(models.unet)
        with steered(models.unet, network, control, 1.0):
            whole, shallow = whole_and_shallow(models.unet)
        assert relative(shallow, whole) <= 1e-6
        assert relative(whole, plain) > 1e-3

    @pytest.mark.parametrize("layers", [1, 3])
    def test_another_number_of_layers(self, layers) -> None:
        whole, shallow = whole_and_shallow(unet_with_layers(layers))
        assert relative(shallow, whole) <= 1e-6


class TestShallow:
    @torch.no_grad()
    def test_other_features_and_other_latents_count(self, models_v2) -> None:
        args, conditions = inputs(0)
        others, _ = inputs(1)
        shallow = ShallowUnet(models_v2.unet)
        with shallow.keeping() as kept:
            models_v2.unet(*args, **conditions)
            models_v2.unet(*others, **conditions)
        outs = [
            shallow(*which, **conditions, features=features)[0]
            for which in (args, others)
            for features in kept
        ]
        assert all(relative(out, outs[0]) > 1e-2 for out in outs[1:])

    @torch.no_grad()
    def test_no_deep_block_runs(self, models_v2) -> None:
        unet = models_v2.unet
        args, conditions = inputs(0)
        shallow, ran = ShallowUnet(unet), []
        names = {part: name for name, part in unet.named_modules()}
        watched = [part for part in names if hasattr(part, "time_mixer")]  # one in every layer
        handles = [
            part.register_forward_hook(lambda part, *_: ran.append(names[part])) for part in watched
        ]
        shallow(*args, **conditions, features=torch.ones(2 * FRAMES, 64, 8, 16))
        for handle in handles:
            handle.remove()
        assert {name for name in ran if "attentions" in name} == {
            "down_blocks.0.attentions.0",
            "up_blocks.3.attentions.1",
            "up_blocks.3.attentions.2",
        }

    def test_leaves_the_unet_as_it_was(self, models_v2) -> None:
        unet = models_v2.unet
        before = {name: id(part) for name, part in unet.named_modules()}
        shallow = ShallowUnet(unet)
        with pytest.raises(ZeroDivisionError), shallow.keeping():
            raise ZeroDivisionError
        assert before == {name: id(part) for name, part in unet.named_modules()}
        assert not any(part._forward_hooks for part in unet.modules())
