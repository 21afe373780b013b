"""The droplet command."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from command_line import pictures
from droplet_fakes import FakeDroplet, use_fake_droplet
from dropletvideo_stand_ins import write_droplet
from PIL import Image

from fcvg_core.measures import clip_displacement, fps_to_try
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.media.writing import write_video
from fcvg_core.standalone.spec import DropletSpec

SMALL = ["--height", "64", "--width", "96", "--video_length", "5"]


@pytest.fixture
def model(monkeypatch, tmp_path) -> FakeDroplet:
    monkeypatch.chdir(tmp_path)
    return use_fake_droplet(monkeypatch, tmp_path / "models")


@pytest.fixture
def boat(tmp_path) -> str:
    """A smooth picture of the size of the video."""
    levels = np.random.RandomState(0).randint(0, 256, (8, 12, 3)).astype(np.uint8)
    Image.fromarray(levels).resize((96, 64), Image.Resampling.BICUBIC).save(tmp_path / "boat.png")
    return str(tmp_path / "boat.png")


def run(*arguments: str) -> None:
    assert main(["droplet", *arguments]) == 0


def fails(capsys, *arguments: str) -> str:
    """The message of a command that fails."""
    try:
        assert main(["droplet", *arguments]) == 2
    except SystemExit as stopped:
        assert stopped.code == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


def read_run(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text("utf-8"))


class TestRuns:
    def test_the_official_command_line(self, model, boat, tmp_path, capsys) -> None:
        """Without -o the video has the official path."""
        (tmp_path / "weights").mkdir()
        run(
            *("--ckpt", "weights", "--ref_img_dir", boat, "--FPS", "4", "--prompt", "a boat"),
            *("--width", "96", "--height", "64", "--video_length", "9"),
            *("--num_inference_steps", "3", "--seed", "7", "--guidance_scale", "5"),
        )
        ((request, settings, seed),) = model.videos
        assert (settings.num_frames, settings.steps, settings.guidance, seed) == (9, 3, 5.0, 7)
        assert request.fps == 4 and str(model.files.ckpt) == "weights"
        out = tmp_path / "samples"
        assert sorted(x.name for x in out.iterdir()) == ["boat_FPS4.mp4", "frames", "run.json"]
        printed = capsys.readouterr()
        assert str(Path("samples", "boat_FPS4.mp4")) in printed.out and "noise" in printed.out
        assert "denoising: 100%" in printed.err and "loading: 100%" in printed.err
        assert len(pictures(out / "frames")) == 9

    def test_the_same_again(self, model, boat, tmp_path) -> None:
        out = tmp_path / "out"
        run(boat, *SMALL, "--prompt", "a boat", "--seed", "-1", "--pad", "-o", str(out))
        run("--run", str(out / "run.json"))
        again = tmp_path / "out_0001"
        assert np.array_equal(pictures(again / "frames"), pictures(out / "frames"))
        first, second = map(read_run, (out, again))
        assert first == second and first["command"] == "droplet" and first["stand_ins"]
        spec = DropletSpec.from_json(first["options"])
        assert first["options"] == spec.to_json() and spec.prompt == "a boat"
        assert first["options"]["FPS"] == 16 and spec.first == Path(boat)
        assert str(spec.models.ckpt).endswith("DropletVideo-V1.0-weights")
        one, two = model.videos
        assert one[1:] == two[1:] and one[2] >= 0

    def test_options_replace_those_of_an_earlier_run(self, model, boat, tmp_path) -> None:
        run(boat, *SMALL, "--prompt", "a", "--FPS", "8", "-o", str(tmp_path / "out"))
        earlier = ["--run", str(tmp_path / "out" / "run.json"), "-o", str(tmp_path / "new")]
        run(*earlier, "--no-quality-words", "--no-default-negative", "--last", boat)
        request = model.videos[1][0]
        assert (request.fps, request.prompt, request.negative_prompt) == (8, "a", "")
        assert np.array_equal(request.last, request.first)

    def test_evaluate_takes_the_results(self, model, boat, tmp_path, capsys) -> None:
        """The first frame is exactly the picture, if the keyframes are kept."""
        for name, fps in (("one", "4"), ("two", "32")):
            run(
                *(boat, *SMALL, "--prompt", "a", "--FPS", fps, "--keep-keyframes"),
                *("-o", str(tmp_path / name)),
            )
        given = np.asarray(Image.open(boat))
        assert np.array_equal(pictures(tmp_path / "one" / "frames")[0], given)
        capsys.readouterr()
        assert main(["evaluate", str(tmp_path / "one"), str(tmp_path / "two"), "--json"]) == 0
        assert '"ssim": 1.0' in capsys.readouterr().out
        official = [boat, *SMALL, "--prompt", "a", "--kept-frames", "official"]
        run(*official, "-o", str(tmp_path / "all"))
        assert len(pictures(tmp_path / "all" / "frames")) == 8


@pytest.mark.slow  # diffusers and transformers are imported, and all networks run twice
def test_real_networks(boat, tmp_path, monkeypatch) -> None:
    """From the official folder with the official options; once more, the same comes out."""
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
    weights = write_droplet(tmp_path)
    run(
        *("--ckpt", str(weights), "--ref_img_dir", boat, "--FPS", "8", "--prompt", "a boat"),
        *("--width", "64", "--height", "64", "--video_length", "5", "--num_inference_steps", "1"),
        *("--device", "cpu", "-o", str(tmp_path / "out")),
    )
    noted = read_run(tmp_path / "out")["options"]
    assert noted["ckpt"] == str(weights)
    assert not any(noted[part] for part in ("transformer", "text_encoder", "vae", "tokenizer"))
    run("--run", str(tmp_path / "out" / "run.json"), "--guidance_scale", "6")
    first, again = (pictures(tmp_path / name / "frames") for name in ("out", "out_0001"))
    assert first.shape == (5, 64, 64, 3) and first.std() > 1 and np.array_equal(first, again)


class TestTargetMotion:
    @pytest.fixture(autouse=True)
    def log(self, caplog) -> None:
        caplog.set_level(logging.INFO)

    @pytest.fixture
    def clip(self, boat, tmp_path) -> tuple[str, int]:
        """A clip that moves, and the FPS that it gives for 5 frames."""
        frames = np.stack([np.roll(np.asarray(Image.open(boat)), i, axis=1) for i in range(5)])
        folder = tmp_path / "clip"
        folder.mkdir()
        for i, frame in enumerate(frames):
            Image.fromarray(frame).save(folder / f"{i}.png")
        return str(folder), fps_to_try(clip_displacement(frames), 5)

    def test_a_number(self, model, boat, tmp_path, caplog) -> None:
        for target, fps in (("0", 32), ("5", 4)):
            run(boat, *SMALL, "--prompt", "a", "--target-motion", target, "-o", target)
            assert model.videos[-1][0].fps == fps and f"FPS {fps} comes nearest" in caplog.text
            assert read_run(tmp_path / target)["options"]["FPS"] == fps
        assert caplog.text.count("trained with sizes") == 2  # once a run
        run(*("--run", str(tmp_path / "0" / "run.json")), "--target-motion", "5", "-o", "new")
        assert model.videos[-1][0].fps == 4  # what is typed replaces the FPS of the earlier run

    def test_files(self, model, boat, clip, tmp_path, caplog) -> None:
        folder, fps = clip
        write_video(tmp_path / "clip.mp4", pictures(Path(folder)), 8)
        common = [boat, *SMALL, "--prompt", "a", "--target-motion"]
        for number, path in enumerate((folder, str(tmp_path / "clip.mp4"))):
            run(*common, path, "-o", str(number))
            assert abs(model.videos[-1][0].fps - fps) <= 1
        run(*common, boat, "-o", "still")  # the end picture is the first
        assert model.videos[-1][0].fps == 32
        assert "move by 0.000 of the diagonal over 5 frames" in caplog.text
        noted = read_run(tmp_path / "0")
        assert noted["options"]["target_motion"] == noted["inputs"]["target_motion"]["path"]

    def test_a_typed_fps_wins(self, model, boat, caplog) -> None:
        run(boat, *SMALL, "--prompt", "a", "--target-motion", "5", "--FPS", "30", "-o", "out")
        assert model.videos[0][0].fps == 30 and "FPS 4 comes nearest" in caplog.text


class TestFaults:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--prompt", "a"], "A picture and a prompt are needed"),
            (["BOAT"], "A picture and a prompt are needed"),
            (["gone.png", "--prompt", "a"], "gone.png"),
            (["BOAT", "--prompt", "a", "--last", "gone.png"], "gone.png"),
            (["BOAT", "--prompt", "a", "--ref_img_dir", "gone.png"], "both are for the same"),
            (["BOAT", "--prompt", "a" * 10_001], "a text of at most 10000 characters"),
            (["BOAT", "--prompt", "a", "--width", "100"], "use 96 or 112"),
            (["BOAT", "--prompt", "a", "--height", "40", "--pad"], "64 to 4096, got 40"),
            (["BOAT", "--prompt", "a", "--video_length", "2"], "5 to 1021 frames, got 2"),
            (["BOAT", "--prompt", "a", "--FPS", "0"], "a whole number from 1 to 60, got 0"),
            (["BOAT", "--prompt", "a", "--FPS", "1000"], "from 1 to 60, got 1000"),
            (["BOAT", "--prompt", "a", "--fps", "8"], "there is no option '--fps'; perhaps --FPS"),
            (["BOAT", "--prompt", "a", "--steps", "0"], "from 1 to 1000, got 0"),
            (["BOAT", "--prompt", "a", "--target-motion", "gone.mp4"], "gone.mp4"),
            (["BOAT", "--prompt", "a", "--target-motion", "2000"], "from 0 to 1000, or a picture"),
            (["--run", "gone.json"], "gone.json"),
        ],
    )
    def test_before_the_model(self, model, boat, capsys, words, message) -> None:
        words = [boat if word == "BOAT" else word for word in words]
        assert message in fails(capsys, *words)
        assert not model.checked

    def test_frames_are_rounded_and_an_empty_prompt_is_said(self, model, boat, caplog) -> None:
        caplog.set_level(logging.INFO)
        run(boat, "--prompt", "", "--height", "64", "--width", "96", "--frames", "8", "-o", "out")
        assert "8 are rounded down to 5" in caplog.text and "prompt is empty" in caplog.text
        assert model.videos[0][1].num_frames == 5


class TestBatch:
    def test_two_rows(self, model, boat, tmp_path) -> None:
        rows = [
            {"id": "slow", "first": boat, "prompt": "a boat", "FPS": 4},
            {"id": "fast", "first": boat, "last": boat, "prompt": "a boat", "target_motion": 0},
        ]
        text = "".join(json.dumps(row | {"mode": "droplet"}) + "\n" for row in rows)
        (tmp_path / "rows.jsonl").write_text(text, "utf-8")
        size = ["--set", "height=64", "--set", "width=96", "--set", "video_length=5"]
        assert main(["batch", "rows.jsonl", "-o", "all", *size, "--dry-run"]) == 0
        assert not model.checked
