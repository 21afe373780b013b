"""Clips of the job inbetween: what is encoded and drawn is what inference would see."""

import numpy as np
import pytest
import torch
from clip_motions import COUNT, SIZE, draw_clip, make_finders
from encoding_cases import make_encoders, open_pipeline, write_frames
from training_cases import generator

from fcvg_core.progress import silent
from fcvg_core.sampling import draw_augmentation
from fcvg_core.training.config import Clips, Conditions, TrainingSpec
from fcvg_core.training.data.cache import Contents, load_contents, save_contents
from fcvg_core.training.data.item import Item
from fcvg_core.training.data.jitter import draw_control
from fcvg_core.training.data.motion import find_clip_motion
from fcvg_core.training.jobs import JOBS

JOB, SEED = JOBS["inbetween"], 3
HEIGHT, WIDTH = SIZE
SPEC = TrainingSpec(
    data=Clips(height=HEIGHT, width=WIDTH, frames=COUNT, versions=2, augmentation=0.1, fps=9),
    conditions=Conditions(matcher="classic"),
)


@pytest.fixture(scope="module")
def pipeline():
    return open_pipeline(make_encoders())


@pytest.fixture(scope="module")
def item(tmp_path_factory) -> Item:
    return Item(id="town", frames=write_frames(tmp_path_factory.mktemp("clip") / "town", FRAMES))


@pytest.fixture(scope="module")
def contents(pipeline, item, tmp_path_factory) -> Contents:
    """After a time in the cache."""
    path = tmp_path_factory.mktemp("cache") / "town.safetensors"
    made = JOB.make_contents(item, SPEC, pipeline, make_finders(FRAMES), SEED)
    save_contents(path, made)
    return load_contents(path)


FRAMES = draw_clip()


def test_without_chance_it_is_what_inference_sees(pipeline, contents):
    clip = JOB.clip(contents, SPEC, None)
    noise = draw_augmentation(SEED, SIZE)
    for image, frame in zip(clip.images, (FRAMES[0], FRAMES[-1]), strict=True):
        expected = pipeline.encode(frame, noise, 0.1)
        assert torch.equal(image.embedding, expected.embedding)
        assert torch.allclose(image.latent, expected.latent, rtol=1e-3, atol=1e-4)
    latents = pipeline.encode_video(FRAMES, 2, silent)
    assert torch.allclose(clip.latents, latents, rtol=1e-3, atol=1e-4)
    motion = find_clip_motion(FRAMES, SPEC.conditions, make_finders(FRAMES))
    drawn = draw_control(motion, SPEC.conditions, COUNT, None)
    assert np.array_equal(clip.control.movedim(1, -1).numpy(), drawn)
    assert clip.ids == (8.0, 127.0, 0.1) and clip.weights is None and not clip.backward


def test_the_same_chance_gives_the_same_clip(contents):
    one, same, other = (JOB.clip(contents, SPEC, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.latents, same.latents) and torch.equal(one.control, same.control)
    assert not torch.equal(one.latents, other.latents)
    assert not torch.equal(one.control, other.control)


def test_true_frames(contents, item):
    assert np.array_equal(JOB.true_frames(item, contents, SPEC), FRAMES)
