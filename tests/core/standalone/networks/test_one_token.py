"""Cross-attention to one token: the same numbers from fewer operations."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fcvg_core.standalone.networks.one_token import OneTokenAttention, use_one_token

SIZES = {"query_dim": 64, "heads": 1, "dim_head": 64}


@pytest.fixture
def ordinary_unet(models_v2):
    """A UNet whose cross-attentions are diffusers' own."""
    unet = copy.deepcopy(models_v2.unet)
    for layer in cross_attentions(unet):
        layer.set_processor(layer.processor.ordinary)
    return unet


def cross_attentions(unet: nn.Module) -> list[nn.Module]:
    return [part for name, part in unet.named_modules() if name.endswith("attn2")]


@torch.no_grad()
def predict(unet: nn.Module, tokens: int = 1, device: str = "cpu") -> torch.Tensor:
    make = torch.Generator().manual_seed(0)
    return unet(
        torch.randn(2, 3, 8, 8, 16, generator=make).to(device),
        torch.tensor(0.7, device=device),
        encoder_hidden_states=torch.randn(2, tokens, 64, generator=make).to(device),
        added_time_ids=torch.ones(2, 3, device=device),
        return_dict=False,
    )[0]


def test_every_loaded_unet_uses_it(models_v2) -> None:
    layers = cross_attentions(models_v2.unet)
    assert len(layers) == 2 * 16  # a spatial and a temporal attention in each transformer
    assert all(type(layer.processor) is OneTokenAttention for layer in layers)


def test_one_token(models_v2, ordinary_unet) -> None:
    found, wanted = predict(models_v2.unet), predict(ordinary_unet)
    assert (found - wanted).abs().max() <= 1e-6 * wanted.abs().max()


def test_more_tokens_are_attended_to_as_ever(models_v2, ordinary_unet) -> None:
    assert torch.equal(predict(models_v2.unet, 3), predict(ordinary_unet, 3))


def test_no_context_is_attention_to_itself() -> None:
    from diffusers.models.attention_processor import Attention

    layer = Attention(**SIZES)
    hidden = torch.randn(2, 5, 64)
    wanted = layer(hidden)
    layer.set_processor(OneTokenAttention(layer.processor))
    assert torch.equal(layer(hidden), wanted)


def test_neither_query_nor_key_is_used(ordinary_unet) -> None:
    use_one_token(ordinary_unet)
    for layer in cross_attentions(ordinary_unet):
        layer.to_q.weight.fill_(torch.nan)
        layer.to_k.weight.fill_(torch.nan)
    assert predict(ordinary_unet).isfinite().all()


def test_operations(ordinary_unet) -> None:
    counts = []
    unet = ordinary_unet.to("meta")
    for change in (lambda network: None, use_one_token):
        change(unet)
        with FlopCounterMode(display=False) as counted:
            predict(unet, device="meta")
        counts.append(counted.get_total_flops())
    assert counts[1] < counts[0]
