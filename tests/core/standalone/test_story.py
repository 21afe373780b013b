"""A story's painter for Python programs."""

import numpy as np
import pytest
from clip_cases import FakeModels, use_fake_models
from PIL import Image

from fcvg_core.errors import UserError
from fcvg_core.standalone.spec import Shot, StorySpec
from fcvg_core.standalone.story import StoryPainter

SMALL = {"height": 64, "width": 64, "frames": 3, "device": "cpu"}


@pytest.fixture(autouse=True)
def models(monkeypatch, tmp_path) -> FakeModels:
    for i, name in enumerate("ab"):
        noise = np.random.RandomState(i).randint(0, 256, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{name}.png")
    return use_fake_models(monkeypatch, tmp_path / "models")


def make(*shots: Shot, **options) -> StoryPainter:
    return StoryPainter(StorySpec.from_json({**SMALL, **options}), shots)


def test_shots_given_by_a_program(models, tmp_path) -> None:
    first = Shot(prompt="a", picture=tmp_path / "a.png")
    told = []
    paint = make(
        first, Shot(prompt="b", frames=5, seed=1), Shot(picture=tmp_path / "b.png"), seed=9
    )
    video = paint(progress=lambda *state: told.append(state[0]))
    assert video.shape == (3 + 4 + 3, 64, 64, 3) == paint.shape
    assert [x.seed for x in models.clips] == [9, 1, 9] and models.loaded == ["512"]
    before, after = models.clips[0].request.first, models.clips[1].request.first
    assert np.array_equal(np.roll(before, 2, axis=1), after)
    assert told[:2] == ["shot 1, loading", "shot 1, denoising"]
    assert told[2:] == ["shot 2, denoising", "shot 3, denoising"]


def test_what_is_untrained_is_said_once(tmp_path, caplog) -> None:
    caplog.set_level("INFO")
    make(Shot(picture=tmp_path / "a.png"), Shot(), Shot())
    assert caplog.text.count("was trained with 16 frames") == 1


@pytest.mark.parametrize(
    ("shots", "options", "message"),
    [
        ((), {}, "The story is empty: give it one shot or more"),
        ((Shot(last="b.png"),), {}, "shot 1: there is nothing to start from"),
        ((Shot(picture="/no/a.png"),), {}, "shot 1: There is no file /no/a.png"),
    ],
)
def test_wrong_stories(models, shots, options, message) -> None:
    with pytest.raises(UserError, match=message):
        make(*shots, **options)
    assert not models.files


def test_what_is_no_shot() -> None:
    with pytest.raises(ValueError, match="expected shots of type Shot, got dict"):
        make({"prompt": "a"})


def test_no_story() -> None:
    with pytest.raises(UserError, match="There is no story: name its file, or give its shots"):
        StoryPainter(StorySpec())
