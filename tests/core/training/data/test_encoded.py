"""Clips, encoded as inference encodes."""

import pytest
import torch
from encoding_cases import SIZE, drawn_frames, make_encoders, open_pipeline
from training_cases import generator

from fcvg_core.progress import silent
from fcvg_core.sampling import draw_augmentation
from fcvg_core.training.data.encoded import EncodedClip, draw_latents, encode_clip

COUNT, SEED = 5, 7
AUGMENTATION = 0.1


@pytest.fixture(scope="module")
def pipeline():
    return open_pipeline(make_encoders())


@pytest.fixture(scope="module")
def encoded(pipeline) -> EncodedClip:
    return encode_clip(
        pipeline, drawn_frames(COUNT), (0, 4), versions=3, augmentation=AUGMENTATION, seed=SEED
    )


def test_pictures_are_those_of_inference(pipeline, encoded):
    frames, noise = drawn_frames(COUNT), draw_augmentation(SEED, SIZE)
    for image, frame in zip(encoded.images((0, 1), None), (frames[0], frames[4]), strict=True):
        expected = pipeline.encode(frame, noise, AUGMENTATION)
        assert torch.equal(image.latent, expected.latent)
        assert torch.equal(image.embedding, expected.embedding)


def test_latents_are_those_of_inference(pipeline, encoded):
    expected = pipeline.encode_video(drawn_frames(COUNT), 3, silent)
    assert torch.allclose(draw_latents(encoded, range(COUNT), None), expected, atol=1e-5)
    assert len(encoded) == COUNT and encoded.at == (0, 4)


def test_latents_are_drawn_with_the_deviation_of_the_vae(pipeline, encoded):
    found = [draw_latents(encoded, (3, 0, 3), generator(i)) for i in range(300)]
    mean, deviation = torch.stack(found).mean(0), torch.stack(found).std(0)
    which = [3, 0, 3]
    assert deviation.shape == (3, 4, 8, 8) and encoded.deviation.min() > 0
    ratio = deviation / encoded.deviation[which]
    assert 0.98 < ratio.mean() < 1.02
    away = (mean - encoded.mean[which]) / encoded.deviation[which]
    assert away.abs().max() < 0.3
    assert torch.equal(found[0], draw_latents(encoded, (3, 0, 3), generator(0)))


def test_any_version_may_be_drawn(encoded):
    assert encoded.pictures.shape == (2, 3, 4, 8, 8) and encoded.embeddings.shape == (2, 1, 64)
    drawn = {float(encoded.images((0,), generator(i))[0].latent.sum()) for i in range(30)}
    assert drawn == {float(each.sum()) for each in encoded.pictures[0]} and len(drawn) == 3


def test_both_ends_have_one_version(encoded):
    for i in range(10):
        first, last = encoded.images((0, 1), generator(i))
        pairs = [tuple(pair) for pair in encoded.pictures.movedim(0, 1)]
        assert any(torch.equal(first.latent[0], a) and torch.equal(last.latent[0], b)
                   for a, b in pairs)  # fmt: skip
