"""The jobs of the commands in stages: the same files as the command's, and networks that stay."""

import importlib.util
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clip_cases import use_fake_models
from command_line import pictures
from PIL import Image
from videos import noise

from fcvg_core.errors import UserError
from fcvg_core.files.claim import claim_folder
from fcvg_core.standalone import animate, painter, preview, run_models
from fcvg_core.standalone.cli.commands import COMMANDS, load_command
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.standalone.media.video import read_video
from fcvg_core.standalone.media.writing import write_video
from fcvg_core.standalone.work import UnusableModels, Work

ROOT = Path(__file__).parents[4]
WITH_WORK = {"inbetween", "preview", "animate", "dynamicrafter", "droplet", "smcd"}
PREVIEW = ["--height", "64", "--width", "128", "--frames", "4"]
SMALL = ["--height", "64", "--width", "64", "--frames", "2", "--steps", "1"]  # of inbetween
LOOPED = ["--loop", "--model", "512_interp"]
ANIMATE = ["--height", "64", "--width", "64", "--steps", "1", "--frames", "3"]


def job(command: str, *words: str) -> Work:
    """The job of a command as `batch` makes it."""
    module = load_command(command)
    return module.WORK(module.read_spec(parse_options([command, *words])))


def do(work: Work, folder: Path, maker=None, prepared=None) -> np.ndarray:
    """The frames of a job, done in this process."""
    maker = maker or work.open()
    with claim_folder(folder) as claim:
        work.finish(maker, prepared, claim)
    return pictures(folder / "frames")


def frames_of(video: Path) -> np.ndarray:
    """The frames of a video, as numbers that can be subtracted."""
    return np.stack([*read_video(video, stride=1, max_frames=None)[0]]).astype(int)


def options_of(folder: Path) -> dict:
    """run.json without the folder that it names."""
    run = json.loads((folder / "run.json").read_text("utf-8"))
    del run["options"]["output"]
    return run


@pytest.fixture
def animation(pair, dwpose, tmp_path) -> list[str]:
    """A picture, a driving video and options, without models that paint."""
    write_video(tmp_path / "driving.mp4", noise(9, 90, 160), 30)
    return [pair[0], str(tmp_path / "driving.mp4"), *dwpose, *ANIMATE]


@pytest.fixture
def painted(animation, stand_ins) -> list[str]:
    """An animation with models that paint."""
    names = {"model": "svd", "unet": "unet.safetensors", "controlnext": "controlnext.safetensors"}
    for option, name in names.items():
        animation += [f"--{option}", str(stand_ins / name)]
    return animation


@pytest.fixture
def counts(monkeypatch) -> dict[str, int]:
    """How often files of models are looked at (choose), read (fill), and matchers opened."""
    found = {}

    def count(module, name: str) -> None:
        function = getattr(module, name)

        def call(*given, **more):
            found[name] = found.get(name, 0) + 1
            return function(*given, **more)

        monkeypatch.setattr(module, name, call)

    count(painter, "choose_models")
    count(run_models, "fill_models")
    count(preview, "open_matcher")
    count(preview, "open_pose_finder")
    count(animate, "need_detector")
    return found


class TestModules:
    def test_a_command_with_work_has_all_that_batch_needs(self) -> None:
        modules = {name: load_command(name) for name in COMMANDS}
        found = {name: module for name, module in modules.items() if hasattr(module, "WORK")}
        assert found.keys() >= WITH_WORK
        for name, module in found.items():
            assert issubclass(module.WORK, Work) and module.WORK.command == name
            assert module.WORK.recipe >= 1 and module.SPEC and callable(module.read_spec)

    def test_options_are_read_without_torch(self) -> None:
        code = (
            "import sys\n"
            "from fcvg_core.standalone.cli.commands import load_command\n"
            "from fcvg_core.standalone.cli.options import parse_options\n"
            f"for name in {sorted(WITH_WORK)}:\n"
            "    module = load_command(name)\n"
            "    pictures = ['a.png', 'b.png'][: 1 if name in ('droplet', 'smcd') else 2]\n"
            "    module.WORK(module.read_spec(parse_options([name, *pictures]))).setup\n"
            "print({'torch', 'numpy', 'PIL', 'cv2'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.usefixtures("models")
class TestTheSameFiles:
    """What a preparer makes in another process gives the files of the command."""

    @pytest.mark.parametrize(
        "words",
        [
            ["preview", *PREVIEW, "--timing", "ease-in-out"],
            ["inbetween", *SMALL, "--from-preview", "0.5", "--seed", "3"],
            ["inbetween", *SMALL, "--sampler", "mpd"],
            ["inbetween", *SMALL, "--conditions-only"],
        ],
    )
    def test_keyframes(self, pair, dwpose, tmp_path, words) -> None:
        command, *more = words
        more += [] if "mpd" in more else dwpose
        more += ["--device", "cpu"]
        assert main([command, *pair, *more, "-o", str(tmp_path / "a")]) == 0
        work = job(command, *pair, *more)
        prepared = pickle.loads(pickle.dumps(work.prepare(work.open_preparer())))
        other = job(command, *pair, *more)
        with claim_folder(tmp_path / "b") as claim:
            other.finish(other.open(), prepared, claim)
        assert "keyframes" not in vars(other)  # what is prepared is not read again
        self.compare(tmp_path / "a", tmp_path / "b")

    @pytest.mark.parametrize("more", [[], ["--conditions-only"], ["--no-audio", "--drawn"]])
    def test_animation(self, painted, tmp_path, more) -> None:
        words = [*painted, *more, "--device", "cpu"]
        assert main(["animate", *words, "-o", str(tmp_path / "a")]) == 0
        work = job("animate", *words)
        prepared = pickle.loads(pickle.dumps(work.prepare(work.open_preparer())))
        other = job("animate", *words)
        with claim_folder(tmp_path / "b") as claim:
            other.finish(other.open(), prepared, claim)
        assert not {"picture", "source"} & vars(other).keys()
        self.compare(tmp_path / "a", tmp_path / "b")

    def compare(self, one: Path, two: Path) -> None:
        names = [sorted(str(x.relative_to(y)) for x in y.rglob("*")) for y in (one, two)]
        assert names[0] == names[1] and options_of(one) == options_of(two)
        for name in names[0]:
            if name.endswith(".png"):
                assert (one / name).read_bytes() == (two / name).read_bytes()
            if name.endswith(".mp4"):  # x264 is not the same to the bit each time
                films = [frames_of(x / name) for x in (one, two)]
                assert np.abs(films[0] - films[1]).mean() < 0.5


@pytest.mark.usefixtures("models")
class TestNetworksStay:
    def test_of_inbetween(self, pair, dwpose, tmp_path, counts) -> None:
        """Other pictures, seeds, steps, sizes and timings load nothing again."""
        jobs = [
            [*pair, "--seed", "1"],
            [*pair[::-1], "--steps", "2", "--cache", "2", "--timing", "uniform"],
            [
                *pair,
                "--frames",
                "3",
                "--width",
                "64",
                "--from-preview",
                "0.5",
                "--no-keep-keyframes",
            ],
            [*pair, "--seed", "1"],
        ]
        maker, kept = None, []
        for i, words in enumerate(jobs):
            work = job("inbetween", *SMALL, *dwpose, *words)
            maker = work.open(maker)
            kept.append(do(work, tmp_path / f"kept{i}", maker))
        assert set(counts.values()) == {1} and len(counts) == 4
        assert len({job("inbetween", *SMALL, *dwpose, *words).setup for words in jobs}) == 1
        fresh = do(job("inbetween", *SMALL, *dwpose, *jobs[-1]), tmp_path / "fresh")
        assert np.array_equal(kept[-1], fresh) and not np.array_equal(kept[0], kept[1])

    def test_of_preview(self, pair, dwpose, tmp_path, counts) -> None:
        jobs = [[], ["--timing", "uniform"], ["--pose-width", "2"], ["--line-width", "3"]]
        jobs += [["--max-lines", "2"], []]
        maker, kept = None, []
        for i, words in enumerate(jobs):
            work = job("preview", *pair, *PREVIEW, *dwpose, *words)
            maker = work.open(maker)
            do(work, tmp_path / f"kept{i}", maker)
            kept.append(pictures(tmp_path / f"kept{i}" / "condition"))
        assert counts == {"open_matcher": 3, "open_pose_finder": 1}
        assert np.array_equal(kept[5], kept[0]) and not np.array_equal(kept[4], kept[0])
        do(job("preview", *pair, *PREVIEW, *dwpose, *jobs[2]), tmp_path / "fresh")
        assert np.array_equal(kept[2], pictures(tmp_path / "fresh" / "condition"))
        assert not np.array_equal(kept[2], kept[0])

    def test_of_animate(self, painted, tmp_path, counts) -> None:
        maker, controls = None, []
        for i, words in enumerate([[], ["--seed", "7", "--smoothing", "1"], []]):
            work = job("animate", *painted, *words)
            maker = work.open(maker)
            with claim_folder(tmp_path / f"{i}") as claim:
                work.finish(maker, None, claim)
            controls.append(pictures(tmp_path / f"{i}" / "condition"))
        assert counts == {"choose_models": 1, "fill_models": 1, "need_detector": 1}
        assert np.array_equal(controls[0], controls[2])

    def test_other_models_are_loaded(self, pair, stand_ins, tmp_path, counts) -> None:
        words = [*pair, *SMALL, "--no-poses"]
        first = job("inbetween", *words)
        maker = first.open()
        frames = do(first, tmp_path / "first", maker)
        other = job("inbetween", *words, "--dtype", "bf16")
        assert other.setup != first.setup
        halved = other.open(maker)
        assert halved.models is not maker.models and counts["choose_models"] == 2
        again = job("inbetween", *words)
        assert np.array_equal(do(again, tmp_path / "again", again.open(halved)), frames)
        assert counts["choose_models"] == 3 and counts["fill_models"] == 2
        plain = job("inbetween", *pair, *SMALL, "--sampler", "mpd")
        assert plain.open(maker).models is not maker.models

    def test_a_maker_of_another_command(self, pair, painted) -> None:
        maker = job("preview", *pair, *PREVIEW).open()
        painter = job("inbetween", *pair, *SMALL).open(maker)
        assert painter.opened is maker.opened and painter.models
        assert job("animate", *painted).open(painter).models is not painter.models

    def test_after_a_failure(self, pair, tmp_path, monkeypatch, counts) -> None:
        """A job that fails while it paints spoils nothing for the next job."""
        words = [*pair, *SMALL, "--no-poses"]
        work = job("inbetween", *words)
        maker = work.open()
        frames = do(work, tmp_path / "first", maker)
        pipeline = maker.models.load(None, None)

        def fail(*given, **more):
            raise ZeroDivisionError

        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(pipeline, "decode", fail)
            do(work, tmp_path / "failed", maker)
        again = do(job("inbetween", *words), tmp_path / "again", work.open(maker))
        assert np.array_equal(again, frames) and counts["fill_models"] == 1

    def test_weights_that_were_half_read(self, pair, tmp_path, monkeypatch) -> None:
        words = [*pair, *SMALL, "--no-poses"]
        work = job("inbetween", *words)
        maker = work.open()
        read, stop = run_models.fill_models, UserError("vae.safetensors ends too early.")

        def half(checked):
            yield next(read(checked))
            raise stop

        with monkeypatch.context() as patch:
            patch.setattr(run_models, "fill_models", half)
            with pytest.raises(UnusableModels, match="ends too early"):
                do(work, tmp_path / "broken", maker)
        frames = do(work, tmp_path / "kept", work.open(maker))
        assert np.array_equal(frames, do(job("inbetween", *words), tmp_path / "fresh"))


class TestUnusableModels:
    """Faults of the models, which other pairs would meet too; the messages are the command's."""

    def test_missing(self, pair, animation, monkeypatch, tmp_path, capsys) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "none"))
        cases = {
            "inbetween": [*pair, *SMALL],
            "animate": animation,
            "dynamicrafter": [pair[0], "--height", "64", "--width", "64"],
            "droplet": [pair[0], "--prompt", "a", "--height", "64", "--width", "64"],
            "smcd": [pair[0], "--height", "64", "--width", "64"],
        }
        for command, words in cases.items():
            with pytest.raises(UnusableModels) as raised:
                job(command, *words).open()
            assert main([command, *words, "-o", str(tmp_path / "out")]) == 2
            assert f"Error: {raised.value}" in capsys.readouterr().err

    def test_missing_package(self, pair, monkeypatch, capsys, tmp_path) -> None:
        def find(name: str):
            return None if name == "av" else found(name)

        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", find)
        with pytest.raises(UnusableModels, match="The package av is not installed"):
            job("preview", *pair, *PREVIEW).open()
        assert main(["preview", *pair, *PREVIEW, "-o", str(tmp_path / "out")]) == 2
        assert "Error: The package av is not installed" in capsys.readouterr().err

    @pytest.mark.usefixtures("models")
    def test_damaged(self, pair, dwpose, tmp_path) -> None:
        broken = tmp_path / "broken.safetensors"
        broken.write_bytes(b"no weights")
        with pytest.raises(UnusableModels, match="broken.safetensors"):
            job("inbetween", *pair, *SMALL, "--unet", str(broken)).open()
        weights = [
            "--matcher",
            "gluestick",
            "--gluestick",
            str(broken),
            "--superpoint",
            str(broken),
        ]
        work = job("preview", *pair, *PREVIEW, *weights)
        with pytest.raises(UnusableModels, match="broken.safetensors"):
            work.prepare(work.open_preparer())
        work = job("preview", *pair, *PREVIEW, dwpose[0], str(broken), *dwpose[2:])
        with pytest.raises(UnusableModels, match="broken.safetensors"):
            work.prepare(work.open_preparer())

    def test_no_detector(self, animation) -> None:
        work = job("animate", *(word for word in animation if "dwpose" not in word))
        with pytest.raises(UnusableModels, match="DWPose needs two files"):
            work.prepare(work.open_preparer())

    @pytest.mark.usefixtures("models")
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--frames", "30", "--window", "9", "--overlap", "0"], "overlap by 1 to 8 frames"),
            (["--steps", "3", "--guidance-from", "0.9", "--guidance-until", "0.1"], "uidance"),
            (["--at", "0,2", "--frames", "9"], "put these two at 0 and 8"),
        ],
    )
    def test_settings_are_the_fault_of_the_pair(self, pair, words, message) -> None:
        for call in (Work.open, Work.check):
            work = job("inbetween", *pair, *SMALL, *words)
            with pytest.raises(UserError, match=message) as raised:
                getattr(work, call.__name__)()
            assert not isinstance(raised.value, UnusableModels)


class TestCheck:
    """Without any model, and without a device that this machine lacks."""

    def test_what_is_right(self, pair, animation, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "none"))
        for words in (
            ["preview", *pair, *PREVIEW],
            ["inbetween", *pair, *SMALL],
            ["inbetween", *pair, *SMALL, "--sampler", "mpd"],
            ["animate", *animation],
            ["dynamicrafter", *pair],
            ["droplet", pair[0], "--prompt", "a", "--last", pair[1], "--target-motion", "0.1"],
            ["smcd", pair[0]],
        ):
            work = job(*words)
            work.check()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["preview", "FIRST"], "Two pictures are needed.* -m fcvg_core preview FIRST LAST"),
            (["inbetween"], "Two pictures are needed.* -m fcvg_core inbetween FIRST LAST"),
            (["preview", "FIRST", "gone.png"], "gone.png"),
            (["preview", "FIRST", "TEXT"], "no_picture.png"),
            (["inbetween", "FIRST", "LAST", "--matches", "TEXT"], "no_picture.png"),
            (["preview", "FIRST", "LAST", "--edits", "TEXT"], "no_picture.png"),
            (["preview", "FIRST", "LAST", "--poses", "TEXT", "TEXT"], "no_picture.png"),
            (["preview", "FIRST", "LAST", "--gluestick", "gone.tar"], "no file gone.tar"),
            (["preview", "FIRST", "LAST", "LAST", "--at", "0,2,4"], "4 frames|frames"),
            (["inbetween", "FIRST", "LAST", "--steps", "2", "--cache", "9"], "cache|steps"),
            (["animate", "FIRST"], "A picture and either a driving video or control frames"),
            (["animate", "FIRST", "gone.mp4"], "gone.mp4"),
            (["animate", "TEXT", "FIRST"], "no_picture.png"),
            (["dynamicrafter"], "A picture is needed"),
            (["dynamicrafter", "gone.png"], "gone.png"),
            (["dynamicrafter", "FIRST", "LAST", "--loop"], "One picture is needed, got 2"),
            (["dynamicrafter", "FIRST", "--prompt", "a", "--prompt", "b"], "2 prompts for 1"),
            (["dynamicrafter", "--prompt_dir", "gone"], "There is no folder gone"),
            (["dynamicrafter", "FIRST", "LAST", "--model", "1024"], "can't interpolate"),
            (
                ["dynamicrafter", "FIRST", "--loop", "--frames", "2", "--model", "512_interp"],
                "loop",
            ),
            (["droplet", "FIRST"], "A picture and a prompt are needed"),
            (["droplet", "FIRST", "--prompt", "a", "--last", "TEXT"], "no_picture.png"),
            (["droplet", "FIRST", "--prompt", "a", "--target-motion", "TEXT"], "no_picture.png"),
            (["droplet", "FIRST", "--prompt", "a", "--width", "100"], "use 96 or 112"),
            (["smcd"], "A picture is needed"),
            (
                ["smcd", "FIRST", "--boxes", "TEXT", "--label", "dog"],
                "expected numbers separated by commas",
            ),
            (["smcd", "FIRST", "--config", "TEXT", "--root-path", "gone"], "no folder gone"),
        ],
    )
    def test_what_is_wrong(self, pair, tmp_path, monkeypatch, words, message) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "none"))
        text = tmp_path / "no_picture.png"
        text.write_text("no picture", "utf-8")
        names = {"FIRST": pair[0], "LAST": pair[1], "TEXT": str(text)}
        with pytest.raises(UserError, match=message):
            job(*(names.get(word, word) for word in words)).check()

    def test_a_damaged_picture(self, pair, tmp_path) -> None:
        """Its head is whole, but not all of its pixels are there."""
        broken = tmp_path / "broken.png"
        broken.write_bytes(Path(pair[0]).read_bytes()[:-4000])
        with pytest.raises(UserError, match="broken.png"):
            job("preview", pair[0], str(broken)).check()

    def test_a_device_that_other_machines_have(self, pair) -> None:
        module = load_command("preview")
        options = parse_options(["preview", *pair, *PREVIEW])
        options.device = "cuda:97"
        module.WORK(module.read_spec(options)).check()


class TestSetups:
    def test_what_decides_the_loaded_networks(self, pair) -> None:
        def setup(*words: str) -> str:
            return job("inbetween", *pair, *words).setup

        same = [
            [],
            ["--seed", "5"],
            ["--steps", "3"],
            ["--device", "cpu"],
            ["--decode-chunk", "4"],
            ["--pose-width", "2"],
            ["--keep-keyframes"],
        ]
        assert len({setup(*words) for words in same}) == 1
        other = [
            [],
            ["--unet", "a"],
            ["--controlnext", "a"],
            ["--dtype", "fp32"],
            ["--draft"],
            ["--offload"],
            ["--sampler", "mpd"],
            ["--matcher", "classic"],
            ["--max-lines", "7"],
            ["--matches", "a"],
            ["--no-poses"],
            ["--dwpose-det", "a"],
            ["--conditions-only"],
        ]
        assert len({setup(*words) for words in other}) == len(other)

    def test_of_clips(self, pair) -> None:
        one, two = [pair[0]], pair
        setups = [
            job("dynamicrafter", *words).setup
            for words in (one, [*one, "--prompt", "a", "--seed", "4"], two, [*one, "--loop"])
        ]
        assert setups[0] == setups[1] != setups[2] == setups[3]
        assert job("dynamicrafter", *one, "--model", "256").setup != setups[0]

    def test_of_droplet(self, pair) -> None:
        words = [pair[0], "--prompt", "a"]
        same = ([], ["--FPS", "4"], ["--tiling"], ["--width", "64"], ["--device", "cpu"])
        assert len({job("droplet", *words, *more).setup for more in same}) == 1
        other = ([], ["--ckpt", "a"], ["--vae", "a"], ["--offload"], ["--dtype", "fp32"])
        assert len({job("droplet", *words, *more).setup for more in other}) == len(other)

    def test_of_smcd(self, pair) -> None:
        same = ([], ["--prompt", "a"], ["--seed", "4"], ["--boxes", "a=b.txt"], ["--pad-to", "8"])
        assert len({job("smcd", pair[0], *more).setup for more in same}) == 1
        other = ([], ["--ckpt", "a"], ["--root-path", "a"], ["--config", "a"], ["--offload"])
        assert len({job("smcd", pair[0], *more).setup for more in other}) == len(other)

    def test_of_animations(self) -> None:
        words = ["a.png", "b.mp4"]
        setups = {job("animate", *words, *more).setup for more in ([], ["--smoothing", "2"])}
        assert len(setups) == 1
        for more in (["--drawn"], ["--conditions-only"], ["--whole-frame"], ["--draft"]):
            setups.add(job("animate", *words, *more).setup)
        assert len(setups) == 5


class TestClips:
    def test_a_model_stays(self, pair, tmp_path, monkeypatch) -> None:
        models = use_fake_models(monkeypatch, tmp_path / "models")
        small = ["--height", "64", "--width", "64"]
        maker = None
        for i, words in enumerate(([pair[0]], [pair[1], "--seed", "4"], [pair[0], "--steps", "3"])):
            work = job("dynamicrafter", *words, *small, "--n-samples", "2")
            maker = work.open(maker)
            with claim_folder(tmp_path / f"{i}") as claim:
                work.finish(maker, work.prepare(work.open_preparer()), claim)
            assert (tmp_path / f"{i}" / "result_0002.mp4").exists()
        assert len(models.files) == len(models.loaded) == 1
        assert [clip.seed for clip in models.clips] == [123, 124, 4, 5, 123, 124]
        assert [clip.settings.steps for clip in models.clips][-1] == 3
        between = job("dynamicrafter", *pair, *small)
        assert between.open(maker).model is not maker.model

    def test_weights_that_were_half_read(self, pair, tmp_path, monkeypatch) -> None:
        models = use_fake_models(monkeypatch, tmp_path / "models")
        work = job("dynamicrafter", pair[0], "--height", "64", "--width", "64")
        maker = work.open()

        def fail(*given, **more):
            raise UserError("model.ckpt ends too early.")

        with monkeypatch.context() as patch:
            patch.setattr(maker.model._checked, "load", fail)
            with pytest.raises(UnusableModels, match="ends too early"):
                do(work, tmp_path / "broken", maker)
        assert len(do(work, tmp_path / "out", work.open(maker))) == 16
        assert len(models.files) == 2 and len(models.loaded) == 1


def test_odd_pictures_are_no_odds(pair, tmp_path) -> None:
    """A picture of another size is fitted, once in a worker as in the command."""
    Image.new("RGB", (30, 200), (9, 9, 9)).save(tmp_path / "high.png")
    work = job("preview", pair[0], str(tmp_path / "high.png"), *PREVIEW)
    work.check()
    assert do(work, tmp_path / "out").shape == (4, 64, 128, 3)
