"""The smcd-eval command: the official options, what each video is given, going on, bad input."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from box_set_cases import BEAR, embedded, write_got10k, write_youvis
from smcd_fakes import FakeSmcd, use_fake_smcd

from fcvg_core.standalone.cli.main import main

SMALL = ["--height", "64", "--width", "64"]
SECOND = "GOT-10k_Val_000002"


@pytest.fixture(autouse=True)
def log(caplog) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("dataset")
    write_got10k(root, {BEAR: 10, SECOND: 20})
    write_youvis(root, {"one": 9})
    return root


@pytest.fixture
def model(monkeypatch, tmp_path) -> FakeSmcd:
    monkeypatch.chdir(tmp_path)
    return use_fake_smcd(monkeypatch, tmp_path / "models")


def run(*arguments: object) -> None:
    assert main(["smcd-eval", *map(str, arguments)]) == 0


def fails(capsys, *arguments: object) -> str:
    """The message of a command that fails."""
    try:
        assert main(["smcd-eval", *map(str, arguments)]) == 2
    except SystemExit as stopped:
        assert stopped.code == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


class TestRuns:
    def test_got10k(self, model, sets, capsys) -> None:
        run("--path", sets, "-o", "out", *SMALL)
        assert "out: 2 videos, see measures.json" in capsys.readouterr().out
        (first, settings, seed), (second, _, other) = model.videos
        assert (seed, other) == (33, 34) and (settings.steps, settings.guidance) == (50, 7.5)
        assert (settings.num_frames, settings.pad_to, settings.scene_guidance) == (8, 0, 1)
        assert first.prompt == "A brown bear that is walking. " and first.first.shape == (64, 64, 3)
        (track,) = first.tracks.tracks
        assert track.boxes[0, 0] == np.float32(17.5 / 80)  # of the official window, from 2 on
        assert second.tracks.tracks[0].boxes[0, 0] == np.float32(35.5 / 80)
        given = first.embeddings["brown bear"]
        assert np.array_equal(given, np.float32(embedded("brown bear")[0]))
        assert (Path("out") / BEAR / "pred_video.gif").exists()
        noted = json.loads((Path("out") / "run.json").read_text())
        assert noted["command"] == "smcd-eval" and noted["stand_ins"]
        assert noted["options"]["path"] == str(sets)

    def test_youvis_as_officially(self, model, sets, tmp_path) -> None:
        config = tmp_path / "eval.yaml"
        config.write_text(f"seed: 7\neval_data:\n  path: {sets}\n  split: val\n")
        for name in ("weights", "other"):
            (tmp_path / name).mkdir()
        official = (
            "--config", config, "--video_length", 8, "--train_grounding", "vanilla_cross_vision",
            "--trained_ckpt_path", "weights", "--cross_vision", "--dataset", "youvis",
            "--output_dir", "out", "--batch_size", 1, "--cat_init", "--num_workers", 2,
            "--guidance_scale", 9, "--img_free_guidance", 0.0, "--tmp_window_size", 3,
        )  # fmt: skip
        run(*official, *SMALL)
        ((request, settings, seed),) = model.videos
        assert (seed, settings.pad_to, settings.guidance) == (7, 8, 9)
        assert request.tracks.labels == ["airplane", "giant panda"]
        assert model.files.ckpt == Path("weights")
        assert len((Path("out") / "one" / "box_0.txt").read_text().splitlines()) == 8

    def test_goes_on(self, model, sets, capsys) -> None:
        common = ("--path", sets, "-o", "out", *SMALL)
        run(*common, "--count", 1)
        assert [x[0].first.shape for x in model.videos] == [(64, 64, 3)]
        run(*common)
        assert [seed for *_, seed in model.videos] == [33, 34]
        run(*common)
        assert len(model.videos) == 2
        message = fails(capsys, *common, "--steps", 10)
        assert "out was begun with steps 50, and it is 10 now; expected the same" in message


class TestBad:
    def test_folder(self, model, sets, capsys) -> None:
        Path("out").mkdir()
        (Path("out") / "holiday.jpg").touch()
        message = fails(capsys, "--path", sets, "-o", "out")
        assert "out holds something else than an evaluation; expected a new folder" in message

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ([], "The data set is not named: give --path DIR"),
            (["--path", "nothing"], "nothing holds no folder got-10k or got10k"),
            (["--dataset", "lasot"], "expected one of got10k, youvis; got 'lasot'"),
            (["--use_image_dataset"], "--use_image_dataset is refused"),
            (["--use_clip_visual_encoder"], "is without CLIP's image encoder"),
            (["--use_tmp_window_attention"], "refused: the released model is without windows"),
            (["--control_net"], "--control_net is refused"),
            (["--ti_free_guidance", "2"], "expected 0, since the official formula adds"),
            (["--train_grounding", "vanilla"], "expected vanilla_cross_vision"),
            (["--count", "0"], "expected a whole number from 1 to 1000000"),
        ],
    )
    def test_options(self, model, capsys, options, message) -> None:
        assert message in fails(capsys, *options)
        assert not model.checked

    def test_clip(self, model, sets, capsys) -> None:
        message = fails(capsys, "--path", sets, "--clip-vision", "clip.safetensors", *SMALL)
        assert "There is no file clip.safetensors" in message
        assert not Path("results").exists() and not model.videos


class TestBoxes:
    def test_measured(self, tmp_path, monkeypatch, capsys) -> None:
        monkeypatch.chdir(tmp_path)
        Path("found.txt").write_text("0,0,10,10\n0,0,10,5\n")
        Path("true.txt").write_text("0,0,10,10\n" * 2)
        run("--measure-boxes", "found.txt", "true.txt", "-o", "new/boxes.json")
        assert "average overlap (AO): 0.7500" in capsys.readouterr().out
        found = json.loads(Path("new/boxes.json").read_text())
        assert found["mean"] == {"average_overlap": 0.75, "success_50": 0.5, "success_75": 0.5}
        message = fails(capsys, "--measure-boxes", "found.txt", "true.txt", "-o", "new/boxes.json")
        assert "boxes.json exists. Name a new file with -o." in message
        run("--measure-boxes", "found.txt", "true.txt", "--form", "xywh")
        assert not Path("results").exists()
