"""The VAE of tiny models: blocks that rest, latents of SVD's size, a decoder trained alone."""

import numpy as np
import pytest
import torch

from recipes.tiny.models import Widths, make_vae
from recipes.tiny.vae import (
    VaeTraining,
    decode,
    draw_crops,
    encode,
    rest,
    scale_latents,
    to_batch,
    train_decoder,
    train_vae,
)

PICTURES = np.random.RandomState(0).randint(0, 256, (3, 32, 48, 3), np.uint8)
SHORT = VaeTraining(steps=2, batch=2, crop=16, warmup=1)


def crops(chance):
    return draw_crops(PICTURES, SHORT.batch, SHORT.crop, chance)


def latents(vae):
    with torch.no_grad():
        return vae.encode(to_batch(PICTURES)).latent_dist


@pytest.fixture(scope="module")
def vae():
    made = make_vae(Widths(vae=(32, 32, 32, 32)), seed=0)
    train_vae(made, crops, SHORT, seed=0)
    return made


@torch.no_grad()
def test_what_rests_changes_nothing(vae):
    pixels = to_batch(PICTURES)
    found = latents(vae)
    assert torch.equal(vae.quant_conv(encode(vae.encoder, pixels)), found.parameters)
    alone = decode(vae.decoder, found.mean)
    for frames in (1, 3):
        torch.testing.assert_close(alone, vae.decode(found.mean, num_frames=frames).sample)


def test_training_changes_both_halves():
    before, after = (make_vae(Widths(vae=(32, 32, 32, 32)), seed=0) for _ in range(2))
    rest(before)
    train_vae(after, crops, SHORT, seed=0)
    values = after.state_dict()
    same = {name for name, value in before.state_dict().items() if value.equal(values[name])}
    assert not any(name.endswith("conv_in.weight") for name in same)
    assert {name for name in values if "temporal_res_block" in name} < same


@torch.no_grad()
def test_scaled_latents_are_decoded_as_before(vae):
    found = latents(vae)
    shown = decode(vae.decoder, found.mean)
    deviation = scale_latents(vae, PICTURES)
    scaled = latents(vae)
    assert deviation == pytest.approx(float(found.mean.std()), rel=1e-4)
    assert float(scaled.mean.std()) * vae.config.scaling_factor == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(scaled.std / found.std, scaled.mean / found.mean, rtol=1e-3, atol=0)
    torch.testing.assert_close(decode(vae.decoder, scaled.mean), shown, rtol=1e-3, atol=1e-4)


def test_the_decoder_alone_leaves_the_latents(vae):
    before, weights = latents(vae).parameters, vae.decoder.conv_out.weight.clone()
    train_decoder(vae, crops, SHORT, seed=0)
    assert torch.equal(latents(vae).parameters, before)
    assert not torch.equal(vae.decoder.conv_out.weight, weights)
