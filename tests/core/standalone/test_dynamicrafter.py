"""DynamiCrafter's painter for Python programs."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clip_cases import FakeModels, use_fake_models
from taesdv_cases import write_taesdv

from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.models.taesdv import Decoder
from fcvg_core.progress import silent
from fcvg_core.standalone import painting_model
from fcvg_core.standalone.dynamicrafter import DynamiCrafterPainter
from fcvg_core.standalone.spec import AnimateSpec, DynamiCrafterSpec

SIZE = (64, 128)
SMALL = {"height": SIZE[0], "width": SIZE[1], "frames": 4, "device": "cpu"}
PICTURES = np.random.RandomState(0).randint(0, 256, (3, *SIZE, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def models(monkeypatch, tmp_path) -> FakeModels:
    return use_fake_models(monkeypatch, tmp_path)


def make(**options) -> DynamiCrafterPainter:
    return DynamiCrafterPainter(DynamiCrafterSpec.from_json({**SMALL, **options}))


def test_many_videos_of_a_model_loaded_once(models) -> None:
    paint = make(prompt="a boat", seed=5)
    assert paint.size == SIZE and not models.loaded
    video = paint(PICTURES[0])
    assert video.shape == (4, *SIZE, 3) == paint.shape(1) and video.dtype == np.uint8
    paint(PICTURES[1], prompt="a ship", seed=6)
    assert models.loaded == ["512"]
    assert [(x.request.prompt, x.seed) for x in models.clips] == [("a boat", 5), ("a ship", 6)]


@pytest.mark.parametrize(
    ("given", "message"),
    [({"seed": 2**64}, "seed is .*18446744073709551616"), ({"prompt": "a" * 10_001}, "prompt is")],
)
def test_what_no_spec_can_hold(models, given, message) -> None:
    with pytest.raises(UserError, match=message):
        make()(PICTURES[0], **given)
    assert not models.loaded


def test_through_several_pictures(models) -> None:
    paint = make(interp=True)
    video = paint(*PICTURES, prompt=["one", "two"])
    assert video.shape == (7, *SIZE, 3) == paint.shape(3)
    assert all(np.array_equal(video[3 * i], PICTURES[i]) for i in range(3))
    assert [x.request.prompt for x in models.clips] == ["one", "two"]


@pytest.mark.parametrize(
    ("timing", "shown"),
    [("ease-in", [0, 0, 1, 3]), ([0, 1, 0], [0, 2, 2, 0]), ("uniform", range(4))],
)
def test_timing_chooses_among_the_painted_frames(timing, shown) -> None:
    plain, spread = (make(timing=x)(PICTURES[0]) for x in ("uniform", timing))
    assert np.array_equal(spread, plain[list(shown)])


def test_given_pictures_are_kept(models, monkeypatch) -> None:
    """Whatever the model makes of them."""
    monkeypatch.setattr(models, "darken", True)
    plain, kept = (make(interp=True, keep_keyframes=x)(*PICTURES) for x in (False, True))
    for i, picture in zip((0, 3, 6), PICTURES, strict=True):
        assert np.array_equal(kept[i], picture) and not np.array_equal(plain[i], picture)
    assert np.array_equal(plain[[1, 2, 4, 5]], kept[[1, 2, 4, 5]])


def test_a_loop(models) -> None:
    paint = make(loop=True, keep_keyframes=True)
    video = paint(PICTURES[0])
    assert video.shape == (3, *SIZE, 3) == paint.shape(1) and models.loaded == ["512_interp"]
    assert np.array_equal(video[0], PICTURES[0])


@pytest.mark.parametrize("options", [{}, {"loop": True}])
def test_the_video_of_one_clip_is_held_once(monkeypatch, options) -> None:
    """Not a copy beside the clip."""
    paint, clips = make(**options), []
    whole = paint.model.paint
    monkeypatch.setattr(
        paint.model, "paint", lambda *args, **more: clips.append(whole(*args, **more)) or clips[0]
    )
    assert np.shares_memory(paint(PICTURES[0]), clips[0])


def test_the_log_says_what_a_clip_needs(models, caplog) -> None:
    """Before it is loaded, and again for a longer clip alone."""
    caplog.set_level("INFO")
    paint = make()
    for picture in PICTURES:
        paint(picture)
    longer = replace(models.clips[0].settings, num_frames=9)
    request = models.clips[0].request
    for settings in (longer, models.clips[0].settings):
        paint.model.paint(request, settings, seed=0, keep_keyframes=False, progress=silent)
    said = [x for x in caplog.messages if "need about" in x]
    assert [x.split(", need")[0] for x in said] == [
        f"{frames} frames of 128 x 64 in one window, 100 passes of the UNet" for frames in (4, 9)
    ]


def test_pictures_are_fitted(models) -> None:
    make(fit="pad", clip_picture="whole")(PICTURES[0][:, :64])
    (asked,) = models.clips
    assert asked.request.first.shape == (*SIZE, 3) and not asked.request.first[:, 0].any()
    assert asked.request.clip_picture.shape == (64, 64, 3)


def test_progress_of_several_clips() -> None:
    told = []
    make(interp=True, steps=2)(*PICTURES, progress=lambda *state: told.append(state))
    assert told == [("loading", 1, 1), ("denoising", 2, 4), ("denoising", 4, 4)]


def test_what_the_sampling_leaves_open(models) -> None:
    settings = {"fs": 9, "rescale": 0, "spacing": "quad", "image_tokens": "per-frame"}
    make(model="256", **settings)(PICTURES[0])
    make(model="256", multiple_cond_cfg=True)(PICTURES[0])
    given, found = (asked.settings for asked in models.clips)
    assert (given.rate, given.rescale, given.spacing) == (9, 0, "quad")
    assert given.image_tokens == "per frame" and found.image_tokens == "auto"
    assert (found.rate, found.rescale, found.spacing) == (3, 0, "uniform")
    assert (given.image_guidance, found.image_guidance) == (None, 7.5)


@pytest.mark.parametrize(
    ("options", "count", "message"),
    [
        ({}, 0, "One picture is needed, got 0. To go from picture to picture, set interp."),
        ({}, 2, "One picture is needed, got 2. To go from picture to picture, set interp."),
        ({"interp": True}, 1, r"Two or more pictures are needed .* got 1."),
        ({"interp": True, "prompt": ["a"] * 3}, 3, "There are 3 prompts for 2 clips"),
    ],
)
def test_numbers_of_pictures(models, options, count, message) -> None:
    with pytest.raises(UserError, match=message):
        make(**options)(*PICTURES[:count])
    assert not models.loaded


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "1024", "interp": True}, "can't interpolate"),
        ({"model": "256", "loop": True}, "can't loop"),
        ({"device": "quantum"}, "There is no device 'quantum'"),
        ({"config": "/no/a.yaml", "checkpoint": "/no/b\0"}, "checkpoint is .*expected a path"),
    ],
)
def test_is_checked_at_once(models, options, message) -> None:
    with pytest.raises(UserError, match=message):
        make(**options)
    assert not models.loaded


def test_a_spec_of_another_job() -> None:
    with pytest.raises(ValueError, match="AnimateSpec, but DynamiCrafterSpec is needed"):
        DynamiCrafterPainter(AnimateSpec())


def test_no_model(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "empty"))
    with pytest.raises(UserError, match="--checkpoint"):
        make()


def test_a_missing_package(monkeypatch) -> None:
    monkeypatch.setattr(painting_model, "PACKAGES_THAT_PAINT", ("torch", "no_such_package"))
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        make()


def test_a_draft(models) -> None:
    """The tiny decoder is read before the model, and given to the pipeline."""
    with pytest.raises(MissingModelsError, match="--only taesdv"):
        make(draft=True)
    write_taesdv(Path(os.environ["FCVG_MODELS"]) / "taesdv.safetensors")
    paint = make(draft=True)
    assert not models.loaded
    paint(PICTURES[0])
    assert isinstance(paint.model._pipeline.draft, Decoder)
