"""DropletVideo for Python programs: the spec becomes a request, the frames become the video."""

import logging

import numpy as np
import pytest
from droplet_fakes import FakeDroplet, use_fake_droplet

from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo import rules
from fcvg_core.models.dropletvideo.config import ModelSettings
from fcvg_core.standalone import painting_model
from fcvg_core.standalone.droplet import DropletPainter
from fcvg_core.standalone.spec import AnimateSpec, DropletSpec

PICTURES = np.random.RandomState(0).randint(0, 256, (2, 64, 96, 3)).astype(np.uint8)
SMALL = {"height": 64, "width": 96, "frames": 5}


@pytest.fixture
def model(monkeypatch, tmp_path) -> FakeDroplet:
    return use_fake_droplet(monkeypatch, tmp_path)


def make(like=None, **options) -> DropletPainter:
    return DropletPainter(DropletSpec.from_options({**SMALL, **options}), like)


def test_the_defaults_are_the_official_ones() -> None:
    spec = DropletSpec()
    assert spec.result.size == rules.SIZE and spec.result.frames == rules.FRAMES
    assert spec.result.file_fps == rules.FILE_FPS
    sampling = spec.sampling
    assert (sampling.steps, sampling.guidance, sampling.seed) == (rules.STEPS, rules.GUIDANCE, 42)


def test_a_video(model) -> None:
    video = make(prompt="a boat")(PICTURES[0])
    ((request, settings, seed),) = model.videos
    assert request.prompt == f"a boat {rules.QUALITY}" and request.negative_prompt == rules.NEGATIVE
    assert (request.fps, request.last, seed) == (16, None, 42)
    assert (settings.num_frames, settings.steps, settings.guidance) == (5, 50, 6.0)
    assert (settings.augmentation, settings.augmentation_seed) == (0.0563, 0)
    assert not settings.tiling
    # Of the eight frames that are decoded, the first three are left out.
    assert np.array_equal(video, [np.roll(PICTURES[0], i, axis=1) for i in range(3, 8)])


def test_other_settings(model) -> None:
    paint = make(
        prompt="a boat",
        negative_prompt="dark",
        quality_words=False,
        default_negative=False,
        FPS=4,
        steps=3,
        guidance=1,
        augmentation=0,
        augmentation_seed=9,
        tiling=True,
        kept_frames="official",
        keep_keyframes=True,
    )
    video = paint(*PICTURES)
    request, settings, _ = model.videos[0]
    assert (request.prompt, request.negative_prompt, request.fps) == ("a boat", "dark", 4)
    assert np.array_equal(request.last, PICTURES[1])
    assert (settings.steps, settings.guidance, settings.tiling) == (3, 1, True)
    assert (settings.augmentation, settings.augmentation_seed) == (0, 9)
    assert len(video) == paint.shape[0] == 8
    assert np.array_equal(video[[0, -1]], PICTURES)
    paint(PICTURES[0], prompt="a ship", fps=32, seed=7)
    request, _, seed = model.videos[1]
    assert (request.prompt, request.fps, seed) == ("a ship", 32, 7) and model.loaded == 1


def test_noise_only_for_a_model_that_was_trained_with_it(model) -> None:
    model.settings = ModelSettings(adds_noise=False)
    make(prompt="a")(PICTURES[0])
    assert model.videos[0][1].augmentation == 0


def test_padding(model) -> None:
    paint = make(prompt="a", height=70, width=90, pad_to_16=True, keep_keyframes=True)
    video = paint(PICTURES[0])
    given = model.videos[0][0].first
    assert given.shape == (80, 96, 3) and video.shape == paint.shape == (5, 70, 90, 3)
    assert (given[69:] == given[69]).all() and (given[:, 89:] == given[:, 89:90]).all()
    assert np.array_equal(video[0], given[:70, :90])


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_a_picture_of_another_shape(model, fit) -> None:
    half = np.zeros((64, 200, 3), np.uint8)
    half[:, 50:150] = 255
    make(prompt="a", fit=fit)(half)
    given = model.videos[0][0].first
    assert given.shape == (64, 96, 3)
    edges = {"crop": (255, 255), "stretch": (0, 0), "pad": (0, 0)}[fit]
    assert (given[32, 0, 0], given[32, -1, 0]) == edges
    assert bool(given[0].any()) == (fit != "pad")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": 100}, r"height must be a multiple of 16 .* got 100: use 96 or 112, or let"),
        ({"width": 16}, "expected a whole number from 64 to 4096"),
        ({"frames": 3}, "5 to 1021 frames, got 3"),
        ({"frames": 1, "last": "a.png"}, "an end picture must have 5 frames or more, got 1"),
        ({"frames": 0}, "expected a whole number from 1 to 1021"),
        ({"FPS": 0}, "expected a whole number from 1 to 60"),
        ({"device": "quantum"}, "There is no device 'quantum'"),
    ],
)
def test_is_checked_at_once(model, options, message) -> None:
    with pytest.raises(UserError, match=message):
        make(**options)
    assert not model.checked


def test_the_memory_that_is_needed(model, caplog) -> None:
    caplog.set_level(logging.INFO)
    paint = make(prompt="a", steps=10)
    paint(PICTURES[0])
    paint(PICTURES[0])
    said = "5 frames of 96 x 64 in one window, 20 passes of the transformer, need about "
    assert caplog.text.count(said) == 1
    make(prompt="a", frames=1)(PICTURES[0])
    assert "1 frame of 96 x 64 in one window" in caplog.text


def test_what_is_unusual_is_said(model, caplog) -> None:
    video = make(prompt=" ", frames=8)(PICTURES[0], PICTURES[1])
    said = caplog.text
    assert len(video) == 5 and "8 are rounded down to 5" in said
    assert "The prompt is empty" in said and "not trained with an end picture" in said
    assert "was trained with sizes from 512 x 512" in said and "STAND-IN" in said


@pytest.mark.parametrize("given", [{"fps": 1000}, {"prompt": 5}, {"seed": 2**64}])
def test_what_a_call_is_given(model, given) -> None:
    with pytest.raises(UserError, match="expected"):
        make(prompt="a")(PICTURES[0], **given)
    assert not model.videos


def test_an_end_picture_is_no_first_picture(model) -> None:
    with pytest.raises(ValueError, match="expected a frame"):
        make(prompt="a")(None, PICTURES[1])
    assert not model.videos


def test_the_model_stays(model) -> None:
    one = make(prompt="a", seed=1)
    one(PICTURES[0])
    two = make(one, prompt="b", steps=3, width=64)
    two(PICTURES[0])
    assert two.model is one.model and model.loaded == len(model.checked) == 1
    assert make(one, vae="other.safetensors").model is not one.model


def test_the_files_that_are_named(model, tmp_path) -> None:
    make(transformer="a.safetensors")
    make(ckpt="folder", vae="b.safetensors")
    make()
    named = [{k: str(v) for k, v in vars(files).items() if v} for files in model.checked]
    found = {"ckpt": str(tmp_path / "DropletVideo-V1.0-weights")}
    alone, both = {"transformer": "a.safetensors"}, {"ckpt": "folder", "vae": "b.safetensors"}
    assert named == [alone, both, found]


def test_no_model(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "empty"))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    with pytest.raises(MissingModelsError, match="--ckpt"):
        make()


def test_a_missing_package(model, monkeypatch) -> None:
    monkeypatch.setattr(painting_model, "PACKAGES_THAT_PAINT", ("torch", "no_such_package"))
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        make()


def test_a_spec_of_another_job() -> None:
    with pytest.raises(ValueError, match="AnimateSpec, but DropletSpec is needed"):
        DropletPainter(AnimateSpec())
