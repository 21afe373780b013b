"""The preview command, and the offer of it."""

import importlib.util
import json
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_line import SMALL, fails, pictures
from PIL import Image

from fcvg_core.lines import LineMatches, format_matches
from fcvg_core.standalone.cli.commands.preview import preview_command
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.standalone.media.pictures import read_keyframes
from fcvg_core.standalone.media.video import read_video
from fcvg_core.standalone.spec import InbetweenSpec, PreviewSpec

SIZE = ["--height", "64", "--width", "128"]
TINY = ["--height", "64", "--width", "64"]


def preview(*arguments: str) -> int:
    return main(["preview", *arguments])


def test_a_run_and_the_same_again(pair, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert preview(*pair, "-o", str(out), *SIZE, "--frames", "4", "--timing", "uniform") == 0
    printed = capsys.readouterr()
    names = ["condition", "frames", "preview.mp4", "run.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert all(str(out / name) in printed.out for name in names[:3])
    assert all(f"{stage}: 100%" in printed.err for stage in ("conditions", "preview"))
    frames, control = pictures(out / "frames"), pictures(out / "condition")
    assert frames.shape == control.shape == (4, 64, 128, 3) and control.any()
    keyframes = read_keyframes([*map(Path, pair)], (64, 128))
    assert np.array_equal(frames[0], keyframes[0]) and np.array_equal(frames[-1], keyframes[1])
    video, fps = read_video(out / "preview.mp4", stride=1, max_frames=9)
    assert len([*video]) == 4 and fps == 7

    assert preview("--run", str(out / "run.json")) == 0
    again = tmp_path / "out_0001"
    assert np.array_equal(pictures(again / "frames"), frames)
    first, second = (json.loads((x / "run.json").read_text()) for x in (out, again))
    assert first == second and first["command"] == "preview"
    assert first["options"] == PreviewSpec.from_json(first["options"]).to_json()
    assert first["inputs"].keys() == {"first", "last"}


def test_control_frames_are_those_of_inbetween(pair, tmp_path, dwpose) -> None:
    motion = [*SIZE, *dwpose, "--frames", "3", "--color-seed", "5", "--line-width", "2"]
    assert preview(*pair, "-o", str(tmp_path / "a"), *motion) == 0
    command = ["inbetween", *pair, "-o", str(tmp_path / "b"), *motion, "--conditions-only"]
    assert main(command) == 0
    found = [pictures(tmp_path / name / "condition") for name in "ab"]
    assert np.array_equal(*found)


def test_timing(pair, tmp_path) -> None:
    """Frames that stand still at the first keyframe show it."""
    arguments = [*pair, "-o", str(tmp_path / "out"), *SIZE, "--frames", "3", "--timing", "0,0,1"]
    assert preview(*arguments) == 0
    frames = pictures(tmp_path / "out" / "frames")
    assert np.array_equal(frames[0], frames[1]) and not np.array_equal(frames[1], frames[2])


def test_nothing_moves(tmp_path, caplog) -> None:
    for name, grey in (("a.png", 100), ("b.png", 200)):
        Image.new("RGB", (64, 64), (grey, grey, grey)).save(tmp_path / name)
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    more = ["--frames", "3", "--timing", "uniform", "--no-poses"]
    assert preview(*files, "-o", str(tmp_path / "out"), *TINY, *more) == 0
    assert "No line and no person is in both keyframes" in caplog.text
    frames = pictures(tmp_path / "out" / "frames")
    assert [np.unique(frame).tolist() for frame in frames] == [[100], [150], [200]]


def test_same_keyframes(pair, tmp_path) -> None:
    arguments = [pair[0], pair[0], "-o", str(tmp_path / "out"), *SIZE, "--frames", "4"]
    assert preview(*arguments) == 0
    assert len(np.unique(pictures(tmp_path / "out" / "frames"), axis=0)) == 1


@pytest.mark.parametrize("kind", ["1 x 1", "transparent", "16 bit", "larger"])
def test_odd_pictures(pair, tmp_path, kind) -> None:
    whole, odd = np.array(Image.open(pair[0])), str(tmp_path / "odd.png")
    alpha = np.full((*whole.shape[:2], 1), 99, np.uint8)
    content = {
        "1 x 1": whole[:1, :1],
        "transparent": np.concatenate([whole, alpha], axis=2),
        "16 bit": whole.astype(np.uint16) * 257,
        "larger": np.repeat(whole, 2, axis=0),
    }[kind]
    cv2.imwrite(odd, content[..., [2, 1, 0, *range(3, content.shape[2])]])
    assert preview(odd, pair[1], "-o", str(tmp_path / "out"), *SIZE, "--frames", "3") == 0
    frames = pictures(tmp_path / "out" / "frames")
    keyframes = read_keyframes((Path(odd), Path(pair[1])), (64, 128))
    assert len(frames) == 3 and np.array_equal(frames[::2], np.stack(keyframes))


def test_padded_and_the_same_again(pair, tmp_path, caplog) -> None:
    """Frames of 160 x 96 in 64 x 64: bars above and below, which run.json remembers."""
    caplog.set_level("INFO")
    out = tmp_path / "out"
    assert preview(*pair, "-o", str(out), *TINY, "--frames", "2", "--fit", "pad") == 0
    said = "160 x 96 -> 64 x 64: 13 black pixels are added at the top and 13 at the bottom."
    assert [f"{path}: {said}" for path in pair] == caplog.messages[:2]
    frames = pictures(out / "frames")
    assert not frames[:, :13].any() and not frames[:, -13:].any() and frames[:, 13:-13].any()
    assert preview("--run", str(out / "run.json"), "--anchor", "top") == 0
    again = pictures(tmp_path / "out_0001" / "frames")
    assert np.array_equal(again[0, :38], frames[0, 13:-13]) and not again[0, 38:].any()


@pytest.mark.slow
def test_a_thousand_frames(pair, tmp_path) -> None:
    assert preview(*pair, "-o", str(tmp_path / "out"), *TINY, "--frames", "1000") == 0
    names = sorted(path.name for path in (tmp_path / "out" / "frames").iterdir())
    assert len(names) == 1000 and (names[0], names[-1]) == ("000.png", "999.png")


class TestBadInput:
    def fails(self, capsys, *arguments: str) -> str:
        assert preview(*arguments) == 2
        return capsys.readouterr().err.strip().splitlines()[-1]

    def test_files(self, pair, tmp_path, capsys) -> None:
        out = ["-o", str(tmp_path / "out")]
        message = self.fails(capsys, pair[0], *out)
        assert "python -m fcvg_core preview FIRST LAST -o OUT" in message
        message = self.fails(capsys, pair[0], "/no/such.png", *out)
        assert message == "Error: There is no file /no/such.png."
        assert not (tmp_path / "out").exists()

    def test_matches_of_another_size(self, pair, tmp_path, capsys) -> None:
        lines = torch.tensor([[[1.0, 2.0], [30.0, 40.0]]])
        matches = LineMatches(lines, lines, size=(64, 96))
        (tmp_path / "m.json").write_text(format_matches(matches))
        matches = ["--matches", str(tmp_path / "m.json"), "-o", str(tmp_path / "out")]
        message = self.fails(capsys, *pair, *SIZE, *matches)
        assert "96 x 64 pixels, but these are 128 x 64" in message
        assert not (tmp_path / "out").exists()

    def test_missing_package(self, pair, tmp_path, monkeypatch, capsys) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "av" else find(name)
        )
        message = self.fails(capsys, *pair, "-o", str(tmp_path / "out"))
        assert "av is not installed" in message and not (tmp_path / "out").exists()

    def test_full_disk(self, pair, small_disk, capsys) -> None:
        disk = small_disk(200_000)
        more = ["-o", str(disk / "out"), *SIZE, "--frames", "20"]
        assert "the files of this run may need" in self.fails(capsys, *pair, *more)
        assert not any(disk.iterdir())

    def test_run_of_inbetween(self, pair, tmp_path, capsys) -> None:
        command = ["inbetween", *pair, "-o", str(tmp_path), *SIZE, "--frames", "2"]
        assert main([*command, "--conditions-only"]) == 0
        message = self.fails(capsys, "--run", str(tmp_path / "run.json"))
        assert "is of the command inbetween, not of preview" in message


class TestOffer:
    """`inbetween` without models names the command of a preview."""

    def test_is_what_was_typed(self, pair, tmp_path, capsys) -> None:
        folder = tmp_path / "with a space"
        first = shutil.copy(pair[0], tmp_path / "it's.png")
        more = ["--timing", "0,0.5,1", "--frames", "3", "--no-poses", "--keep-keyframes"]
        arguments = [str(first), pair[1], "-o", str(folder), *SMALL, *more]
        message = fails(capsys, *arguments)
        assert message.startswith("A preview of the motion needs no models: python -m fcvg_core")
        assert "steps" not in message and not folder.exists()
        words = shlex.split(message.partition("fcvg_core ")[2])
        assert main(words) == 0
        assert pictures(folder / "frames").shape == (3, 64, 128, 3)
        assert json.loads((folder / "run.json").read_text())["options"]["poses"] is False

    def test_names_that_begin_with_a_dash(self) -> None:
        files = {"first": "-a.png", "last": "-b.png", "output": "-c", "matches": "-m"}
        command = preview_command(InbetweenSpec.from_json(files))
        options = parse_options(shlex.split(command)[3:])
        spec = PreviewSpec.from_options(vars(options))
        assert (spec.first, spec.output) == (Path("-a.png"), Path("-c"))
        assert spec.matcher.matches == Path("-m")

    def test_part_of_svd_is_missing(self, pair, stand_ins, tmp_path, monkeypatch, capsys) -> None:
        shutil.copytree(stand_ins, tmp_path / "models")
        shutil.rmtree(tmp_path / "models" / "svd" / "vae")
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "models"))
        assert " preview " in fails(capsys, *pair, *SMALL, "-o", str(tmp_path / "out"))

    def test_every_option(self, tmp_path) -> None:
        """What the offered command says is what the run was to do."""
        table = {
            "first": "a b.png",
            "last": "c.png",
            "output": "d",
            "height": 128,
            "fps": 3,
            "matches": "m",
            "max_lines": 5,
            "whole_frame": True,
            "pose_width": 2.5,
            "poses": ["p", "q r"],
            "timing": [0, 0.25, 1],
            "missing_people": "drop",
            "device": "cpu",
        }
        painted = {"seed": 5, "unet": "u", "dtype": "fp16", "offload": True, "decode_chunk": 1}
        command = preview_command(InbetweenSpec.from_json({**table, **painted}))
        options = parse_options(shlex.split(command)[3:])
        assert PreviewSpec.from_options(vars(options)) == PreviewSpec.from_json(table)
