import re

import pytest
import torch
from taesdv_cases import DECODER_SHAPES, SHAPES

from fcvg_core.errors import UserError
from fcvg_core.models.taesdv import decoder_weights


def meta(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


# Published decoders of other models: madebyollin/taesd taesd.py:22-50, taehv taehv.py:60-130.
TAESD = {
    "1.weight": (64, 4, 3, 3),
    "1.bias": (64,),
    "3.conv.0.weight": (64, 64, 3, 3),
    "6.conv.0.weight": (64, 64, 3, 3),
    "7.weight": (64, 64, 3, 3),
}
TAESD_ENCODER = {
    "0.weight": (64, 3, 3, 3),
    "1.conv.0.weight": (64, 64, 3, 3),
    "2.weight": (64, 64, 3, 3),
    "4.conv.0.weight": (64, 64, 3, 3),
}
TAEHV = {
    "encoder.0.weight": (64, 3, 3, 3),
    "decoder.1.weight": (256, 16, 3, 3),
    "decoder.3.conv.0.weight": (256, 512, 3, 3),
    "decoder.7.conv.weight": (256, 256, 1, 1),
}
VAE = {"decoder.conv_in.weight": (512, 4, 3, 3), "encoder.conv_in.weight": (128, 3, 3, 3)}


def test_the_encoder_is_left_out():
    found = decoder_weights(meta(SHAPES), name="taesdv.pth")
    assert {key: tuple(value.shape) for key, value in found.items()} == DECODER_SHAPES
    assert decoder_weights(meta(DECODER_SHAPES), name="taesdv.pth").keys() == DECODER_SHAPES.keys()


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (TAESD, "x.pth is the decoder of TAESD, which knows no frame but its own, but"),
        (TAESD_ENCODER, "x.pth is the encoder of TAESD, but"),
        (TAEHV, "x.pth is a tiny decoder of another video model (TAEHV), but"),
        (VAE, "x.pth is a VAE, but the temporal decoder TAESDV is needed: use taesdv.pth of"),
        ({"a": (1,)}, "x.pth is an unknown file of 1 tensors (a, ...), but"),
        ({}, "x.pth is an unknown file of 0 tensors, but"),
    ],
)
def test_another_model_is_named(shapes, said):
    with pytest.raises(UserError, match=re.escape(said)):
        decoder_weights(meta(shapes), name="x.pth")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decoder.1.weight": (64, 16, 3, 3)}, r"has the shape \(64, 16, 3, 3\), but \(64, 4, 3"),
        ({"decoder.20.weight": (3,)}, "decoder.20.weight is unknown"),
    ],
)
def test_a_changed_file_is_refused(change, said):
    with pytest.raises(UserError, match=f"x.pth does not fit: .*TAESDV. .*{said}"):
        decoder_weights(meta({**DECODER_SHAPES, **change}), name="x.pth")


def test_a_tensor_is_missing():
    shapes = {key: shape for key, shape in DECODER_SHAPES.items() if key != "decoder.1.bias"}
    with pytest.raises(UserError, match="decoder.1.bias is missing"):
        decoder_weights(meta(shapes), name="x.pth")
