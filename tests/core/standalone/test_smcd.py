"""SMCD for Python programs: the spec becomes a request, the frames become the video."""

import logging

import numpy as np
import pytest
from smcd_fakes import FakeSmcd, use_fake_smcd

from fcvg_core.boxes import BoxTrack, BoxTracks
from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.models.smcd import rules
from fcvg_core.standalone import painting_model
from fcvg_core.standalone.networks.smcd import SmcdSettings
from fcvg_core.standalone.smcd import SEED, SmcdPainter, settle_config
from fcvg_core.standalone.spec import DropletSpec, SmcdSpec

PICTURE = np.random.RandomState(0).randint(0, 256, (64, 128, 3)).astype(np.uint8)
SMALL = {"height": 64, "width": 64, "frames": 4}
TRACK = BoxTrack("dog", [[0.25, 0, 0.5, 1], [0.5, 0, 0.75, 1]])


@pytest.fixture
def model(monkeypatch, tmp_path) -> FakeSmcd:
    return use_fake_smcd(monkeypatch, tmp_path)


def make(like=None, **options) -> SmcdPainter:
    return SmcdPainter(SmcdSpec.from_options({**SMALL, **options}), like)


def test_the_defaults_are_the_official_ones() -> None:
    spec, official = SmcdSpec(), SmcdSettings()
    assert spec.result.size == (rules.SIZE, rules.SIZE) and spec.result.fps == 8
    assert (spec.result.frames, spec.sampling.steps) == (official.num_frames, official.steps)
    assert spec.sampling.guidance == official.guidance
    assert spec.sampling.scene_guidance == official.scene_guidance
    assert spec.sampling.pad_to == official.pad_to and settle_config(spec)[1] == SEED == 33


def test_a_video(model) -> None:
    paint = make(prompt="a dog runs", negative_prompt="dark", pad_to=8, scene_guidance=2)
    video = paint(PICTURE, BoxTracks((TRACK,), 2))
    ((request, settings, seed),) = model.videos
    assert (request.prompt, request.negative_prompt, seed) == ("a dog runs", "dark", 33)
    assert (settings.num_frames, settings.pad_to, settings.scene_guidance) == (4, 8, 2)
    assert np.allclose(request.tracks.tracks[0].boxes[:, 0], np.linspace(0.25, 0.5, 4))
    assert video.shape == paint.shape == (4, 64, 64, 3)
    assert np.array_equal(video[0], np.roll(request.first, 1, axis=1))
    paint(PICTURE, prompt="a cat", seed=7)
    request, _, seed = model.videos[1]
    assert (request.prompt, seed, model.loaded) == ("a cat", 7, 1)
    assert request.tracks.labels == [] and request.tracks.num_frames == 4


def test_boxes_go_with_the_picture(model) -> None:
    tracks = BoxTracks((TRACK,), 2)
    cropped = make(fit="crop", fill="held", keep_keyframes=True)
    boxes = cropped.place(tracks, PICTURE.shape[:2]).tracks[0].boxes
    assert np.allclose(boxes[:, [0, 2]], [[0, 0.5], [0.5, 1], [0.5, 1], [0.5, 1]])
    video = cropped(PICTURE, tracks)
    assert np.array_equal(video[0], PICTURE[:, 32:96])
    padded = make(fit="pad").place(tracks, PICTURE.shape[:2]).tracks[0].boxes
    assert np.allclose(padded[0], [0.25, 0.25, 0.5, 0.75])


def test_embeddings_are_handed_on(model) -> None:
    known = {"dog": np.zeros(4, np.float32)}
    make()(PICTURE, BoxTracks((TRACK,), 2), embeddings=known)
    assert model.videos[0][0].embeddings is known


def test_what_the_configuration_says(model, tmp_path, caplog) -> None:
    (tmp_path / "a.yaml").write_text(f"root_path: {tmp_path.as_posix()}\nseed: 5\n", "utf-8")
    make(config=tmp_path / "a.yaml")(PICTURE)
    assert model.videos[0][2] == 5 and model.files.modelscope == tmp_path
    make(config=tmp_path / "a.yaml", seed=6, root_path=str(tmp_path / "smcd"))(PICTURE)
    assert model.videos[1][2] == 6 and model.files.modelscope == tmp_path / "smcd"
    make(config=tmp_path / "gone.yaml")(PICTURE)
    assert model.videos[2][2] == 33 and "--config is ignored" in caplog.text
    (tmp_path / "b.yaml").write_text("- 1\n", "utf-8")
    assert settle_config(SmcdSpec.from_options({"config": str(tmp_path / "b.yaml")}))[1] == 33


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 1}, "frames is 1: expected a whole number from 2 to 1024"),
        ({"width": 100}, "width is 100: expected a multiple of 64"),
        ({"pad_to": 9}, "pad_to is 9: expected a whole number from 0 to 8"),
        ({"guidance": 31}, "from 0 to 30"),
        ({"form": "cxcywh"}, "form is 'cxcywh': expected one of xyxy, xywh"),
        ({"fill": "none"}, "fill is 'none'"),
        ({"root_path": "gone"}, "There is no folder gone"),
    ],
)
def test_settings_that_are_wrong(model, options, message) -> None:
    with pytest.raises(UserError, match=message):
        make(**options)
    assert not model.checked


def test_too_many_objects(model) -> None:
    with pytest.raises(UserError, match="9 box tracks, but SMCD takes 8"):
        make()(PICTURE, BoxTracks((TRACK,) * 9, 2))
    with pytest.raises(UserError, match="the seed|seed is"):
        make()(PICTURE, seed=2**64)


def test_a_spec_of_another_job() -> None:
    with pytest.raises(ValueError, match="DropletSpec, but SmcdSpec is needed"):
        SmcdPainter(DropletSpec())


def test_the_model_stays(model, caplog) -> None:
    caplog.set_level(logging.INFO)
    one = make()
    two = make(one, steps=3, seed=4)
    assert two.model is one.model and len(model.checked) == 1
    assert make(one, vae="a.safetensors").model is not one.model
    assert "THIS IS A STAND-IN MODEL" in caplog.text
    assert "trained with 256 x 256 pixels" in caplog.text and "trained with 8 frames" in caplog.text
    one(PICTURE)
    assert "100 passes of the UNet" in caplog.text


def test_no_model(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    with pytest.raises(MissingModelsError, match=r"(?s)SMCD.*--ckpt.*models --get --only smcd"):
        make()


def test_a_missing_package(model, monkeypatch) -> None:
    def check(packages) -> None:
        raise ModuleNotFoundError("The package transformers is not installed")

    monkeypatch.setattr(painting_model, "check_packages", check)
    with pytest.raises(ModuleNotFoundError, match="transformers"):
        make()
