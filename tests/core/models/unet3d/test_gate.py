from dataclasses import replace

import torch
from unet3d_cases import TINY_SMCD

from fcvg_core.models.layers import attend
from fcvg_core.models.unet3d.config import Build
from fcvg_core.models.unet3d.gate import Gate


def gate(kind: str, factor: float) -> Gate:
    """A gate for 32 channels whose learned numbers are all the same."""
    torch.manual_seed(0)
    config = replace(TINY_SMCD, gate=kind)
    module = Gate(32, Build(config, torch.nn, attend, {"dtype": None, "device": None}))
    for name, parameter in module.named_parameters():
        if "alpha" in name:
            torch.nn.init.constant_(parameter, factor)
    return module


HIDDEN, OBJECTS, IMAGE = (
    torch.randn(2, n, width, generator=torch.Generator().manual_seed(n))
    for n, width in ((6, 32), (2, 24), (4, 24))
)


@torch.inference_mode()
def test_untrained_factors_change_nothing():
    assert torch.equal(gate("objects and image", 0.0)(HIDDEN, OBJECTS, IMAGE), HIDDEN)


@torch.inference_mode()
def test_objects_alone():
    module = gate("objects", 1.0)
    assert not any(name.startswith(("cross", "v_linear")) for name in module.state_dict())
    out = module(HIDDEN, OBJECTS, IMAGE)
    assert torch.equal(out, module(HIDDEN, OBJECTS, None))
    assert not torch.allclose(out, module(HIDDEN, OBJECTS.roll(1, 0), None), atol=1e-3)


@torch.inference_mode()
def test_image_tokens_come_after_objects():
    both, objects = gate("objects and image", 1.0), gate("objects", 1.0)
    objects.load_state_dict(both.state_dict(), strict=False)
    assert torch.equal(both(HIDDEN, OBJECTS, None), objects(HIDDEN, OBJECTS, None))
    assert not torch.allclose(both(HIDDEN, OBJECTS, IMAGE), both(HIDDEN, OBJECTS, None), atol=1e-3)
