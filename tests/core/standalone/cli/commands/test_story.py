"""The story command."""

import json
from pathlib import Path

import numpy as np
import pytest
from clip_cases import FakeModels, use_fake_models
from command_line import pictures
from PIL import Image

from fcvg_core.files.claim import Claim
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.media.writing import frames_size, video_size
from fcvg_core.standalone.spec import StorySpec

SMALL = ["--height", "64", "--width", "128", "--frames", "4"]


@pytest.fixture
def models(monkeypatch, tmp_path) -> FakeModels:
    return use_fake_models(monkeypatch, tmp_path / "models")


@pytest.fixture
def story(tmp_path):
    """Writes a story beside three pictures, and returns its path."""
    for i, name in enumerate("abc"):
        noise = np.random.RandomState(i).randint(0, 256, (64, 128, 3)).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{name}.png")

    def write(*shots, **more) -> str:
        path = tmp_path / "story.json"
        path.write_text(json.dumps({"shots": shots, **more}))
        return str(path)

    return write


def fails(capsys, *arguments: str) -> str:
    """The message of a command that fails."""
    assert main(["story", *arguments]) == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


FIRST = {"prompt": "a boat leaves", "picture": "a.png", "seed": 7}
SECOND = {"prompt": "it sails on", "fs": 20, "negative_prompt": "blur"}


def test_a_run_and_the_same_again(models, story, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    path = story(FIRST, SECOND, {"picture": "b.png", "frames": 3})
    arguments = [path, *SMALL, "--negative-prompt", "dark", "--shot-frames", "-o", str(out)]
    assert main(["story", *arguments]) == 0
    printed = capsys.readouterr()
    assert str(out / "result.mp4") in printed.out and str(out / "shots") in printed.out
    assert all(f"shot {i}, denoising: 100%" in printed.err for i in (1, 2, 3))
    frames = pictures(out / "frames")
    assert len(frames) == 4 + 3 + 3
    shots = [pictures(out / "shots" / name) for name in ("01", "02", "03")]
    assert np.array_equal(shots[0][-1], shots[1][0])  # comes once in the video
    assert np.array_equal(frames, np.concatenate([shots[0], shots[1][1:], shots[2]]))
    one, two, three = models.clips
    assert [x.request.prompt for x in models.clips] == ["a boat leaves", "it sails on", ""]
    assert [x.request.negative_prompt for x in models.clips] == ["dark", "blur", "dark"]
    assert [x.seed for x in models.clips] == [7, 123, 123]
    assert [x.settings.rate for x in models.clips] == [24, 20, 24]
    assert models.loaded == ["512"]

    assert main(["story", "--run", str(out / "run.json")]) == 0
    assert np.array_equal(pictures(tmp_path / "out_0001" / "frames"), frames)
    first, second = (
        json.loads((tmp_path / x / "run.json").read_text()) for x in ("out", "out_0001")
    )
    assert first == second and StorySpec.from_json(first["options"]).to_json() == first["options"]
    inputs = [Path(entry["path"]).name for entry in first["inputs"].values()]
    assert inputs == ["story.json", "a.png", "b.png", "model.ckpt"]


def test_a_shot_that_ends_with_a_picture(models, story, tmp_path) -> None:
    """The second model is loaded for this shot alone."""
    path = story(FIRST, {"last": "b.png"}, {"last": "c.png"})
    assert main(["story", path, *SMALL, "--keep-keyframes", "-o", str(tmp_path / "out")]) == 0
    frames = pictures(tmp_path / "out" / "frames")
    assert len(frames) == 10 and models.loaded == ["512", "512_interp"]
    for number, name in ((0, "a"), (6, "b"), (9, "c")):
        assert np.array_equal(frames[number], np.asarray(Image.open(tmp_path / f"{name}.png")))
    saved = json.loads((tmp_path / "out" / "run.json").read_text())["options"]
    assert "512_v1" in saved["checkpoint"] and "512_interp" in saved["interp_checkpoint"]


@pytest.mark.parametrize(
    ("shots", "options", "loaded"),
    [
        ([{"picture": "a.png", "last": "b.png"}], [], ["512_interp"]),
        ([FIRST, {"last": "b.png"}], ["--model", "512_interp"], ["512_interp"]),
        ([FIRST, SECOND], ["--model", "1024"], ["1024"]),
    ],
)
def test_one_model_is_loaded_once(models, story, tmp_path, shots, options, loaded) -> None:
    out = tmp_path / "out"
    assert main(["story", story(*shots), *SMALL, *options, "-o", str(out)]) == 0
    assert models.loaded == loaded
    assert main(["story", "--run", str(out / "run.json")]) == 0
    assert models.loaded == loaded * 2


@pytest.mark.parametrize(("name", "loaded"), [("mine.ckpt", ["512_interp"]), ("my_512.ckpt", [])])
def test_a_file_for_shots_that_all_end(models, story, tmp_path, capsys, name, loaded) -> None:
    """As in the command dynamicrafter, a file whose name is of another model is refused."""
    (tmp_path / name).write_bytes(b"PK")
    out = tmp_path / "out"
    arguments = [story({"picture": "a.png", "last": "b.png"}), *SMALL, "-o", str(out)]
    found = main(["story", *arguments, "--checkpoint", str(tmp_path / name)])
    assert (found, models.loaded) == (0 if loaded else 2, loaded)
    refused = "add --model 512_interp" in capsys.readouterr().err
    assert refused != bool(loaded) and out.exists() == bool(loaded)


def test_a_trained_model(models, story, tmp_path, capsys) -> None:
    models.are_stand_ins = False
    assert main(["story", story(FIRST), *SMALL, "-o", str(tmp_path / "out")]) == 0
    assert "noise" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shots", "message"),
    [
        ([], "story.json has 0 shots: a story has 1 to 1000."),
        ([SECOND], "shot 1: there is nothing to start from: give the first shot a picture"),
        ([FIRST, {"picture": "no.png"}], "shot 2: There is no file "),
        ([FIRST, {"last": "no.png"}], "shot 2: There is no file "),
        (
            [FIRST, {"promt": "a"}],
            "story.json, shot 2: there is no setting 'promt': expected",
        ),
        ([FIRST, {"frames": 1}], "story.json, shot 2: frames is 1: expected a whole number from 2"),
        ([FIRST, {"fs": 0}], "shot 2: rate (fs) is 0: expected a whole number from 1 to 1000."),
        ([FIRST, "sails"], "shot 2: expected a table such as "),
        ([FIRST, {"seed": -1}], "shot 2: seed is -1: expected a whole number from 0 to"),
        ([FIRST, {"prompt": 5}], "shot 2: prompt is 5: expected a text"),
    ],
)
def test_a_wrong_shot_is_named(models, story, tmp_path, capsys, shots, message) -> None:
    assert message in fails(capsys, story(*shots), *SMALL, "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists() and not models.files


@pytest.mark.parametrize("text", ["[]", "{}", '{"shots": {}}', '{"shot": [{}]}', "5"])
def test_a_file_that_is_no_story(models, tmp_path, capsys, text) -> None:
    path = tmp_path / "story.json"
    path.write_text(text)
    message = fails(capsys, str(path))
    assert f'{path} is no story: expected {{"shots": [...]}}' in message


def test_what_is_no_shot_is_named(models, tmp_path, capsys) -> None:
    path = tmp_path / "story.json"
    path.write_text('{"shots": [], "title": "a", "fps": 8}')
    message = fails(capsys, str(path))
    assert f"{path} has 'fps', 'title' beside \"shots\": a story has its shots alone" in message


def test_no_story(models, tmp_path, capsys) -> None:
    assert "A story is needed: python -m fcvg_core story STORY.json" in fails(capsys)
    assert "There is no file /no/story.json" in fails(capsys, "/no/story.json")


def test_frames_of_shots_have_room(models, story, tmp_path, monkeypatch) -> None:
    """The room of each shot is freed before the shot is written, and the video's is kept."""
    reserved, released = [], []
    monkeypatch.setattr(Claim, "reserve", lambda claim, size: reserved.append(size))
    monkeypatch.setattr(Claim, "release", lambda claim, kept=0: released.append(kept))
    shape, shot = (7, 64, 128, 3), frames_size((4, 64, 128, 3))
    video = frames_size(shape) + video_size(shape)
    command = ["story", story(FIRST, SECOND), *SMALL, "-o", str(tmp_path / "out")]
    assert main(command) == 0 and reserved == [video]
    released.clear()
    assert main([*command, "--shot-frames"]) == 0
    assert reserved[1] == pytest.approx(video + 2 * shot)
    assert released[:2] == pytest.approx([video + shot, video])
