"""More than two keyframes, from pictures to the frames of the video."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, format_matches
from fcvg_core.motion import spread_keyframes
from fcvg_core.standalone.cli.commands.preview import preview_command
from fcvg_core.standalone.cli.keyframe_files import spec_of
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.standalone.inbetween import InbetweenPainter
from fcvg_core.standalone.preview import PreviewMaker
from fcvg_core.standalone.spec import InbetweenSpec, PreviewSpec

SIZE = (64, 128)
AT = (0, 3, 8)
SMALL = {"height": SIZE[0], "width": SIZE[1], "frames": 9, "steps": 1, "device": "cpu"}
FIRST, SECOND = draw_sample_pair(SIZE)
NO_LINES = torch.zeros(0, 2, 2)
PICTURES = (FIRST, SECOND, np.ascontiguousarray(SECOND[:, ::-1]))


@pytest.fixture(autouse=True)
def models(stand_ins, monkeypatch) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(stand_ins))


@pytest.fixture
def files(tmp_path) -> list[str]:
    paths = [str(tmp_path / f"{name}.png") for name in "abc"]
    for path, picture in zip(paths, PICTURES, strict=True):
        Image.fromarray(picture).save(path)
    return paths


def make(**options) -> InbetweenPainter:
    return InbetweenPainter(InbetweenSpec.from_json({**SMALL, "at": AT, **options}))


def frames_in(folder: Path) -> np.ndarray:
    return np.stack([np.array(Image.open(path)) for path in sorted(folder.iterdir())])


class TestPainter:
    def test_one_run_over_all_spans(self, caplog) -> None:
        """One bar of denoising; the log says how many passes there are."""
        caplog.set_level("INFO")
        states = []
        video = make(steps=2, keep_keyframes=True)(
            *PICTURES, progress=lambda *state: states.append(state)
        )
        assert video.shape == (9, *SIZE, 3)
        assert [np.array_equal(video[i], x) for i, x in zip(AT, PICTURES, strict=True)] == [
            True
        ] * 3
        denoising = [state[1:] for state in states if state[0] == "denoising"]
        assert denoising == [(done, 2) for done in range(3)]
        (line,) = (line for line in caplog.messages if "passes" in line)
        assert line.startswith(
            "9 frames of 128 x 64 in 2 windows of up to 6, between 3 keyframes, "
        )
        assert ", 16 passes of the UNet, need about " in line

    def test_what_the_command_line_paints(self, files, tmp_path) -> None:
        words = [f"--{key}={value}" for key, value in SMALL.items() if key != "frames"]
        out = tmp_path / "out"
        assert main(["inbetween", *files, "--at=0,3,8", "-o", str(out), *words]) == 0
        assert np.array_equal(frames_in(out / "frames"), make()(*PICTURES))
        options = json.loads((out / "run.json").read_text(encoding="utf-8"))["options"]
        assert options["between"] == [files[1]] and options["at"] == [0, 3, 8]
        assert options["frames"] == 9
        again = ["inbetween", "--run", str(out / "run.json"), "-o", str(tmp_path / "again")]
        assert main([*again, "--conditions-only"]) == 0
        repeated = frames_in(tmp_path / "again/condition")
        assert np.array_equal(repeated, frames_in(out / "condition"))

    def test_goes_with_what_saves_time(self) -> None:
        options = {"from_preview": 0.5, "forward_share": 0.5, "cache": 2, "match_colors": True}
        assert make(steps=2, **options)(*PICTURES).shape == (9, *SIZE, 3)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"at": [0, 8]}, "There are 3 pictures, but 2 frames for them .at: 0, 8."),
            ({"frames": 10}, "a video of 10 frames begins and ends with a keyframe"),
            ({"at": [0, 6, 8]}, "3 frames, both included, but 4 are needed"),
            ({"at": [0, 3, 3, 8]}, "Two keyframes are at frame 3"),
            ({"sampler": "mpd"}, "mpd paints between two keyframes, but there are 3: take the"),
            ({"poses": ["a", "b"]}, "There is no file a"),
            ({"timing": [0, 1, 0.5]}, "do not rise from keyframe to keyframe"),
            ({"window": 4, "overlap": 0}, "6 frames need windows of 4 that overlap by 1 to 3"),
        ],
    )
    def test_refuses_in_words(self, options, message) -> None:
        with pytest.raises(UserError, match=message):
            make(**options)(*PICTURES)

    @pytest.mark.parametrize("name", ["matches", "edits"])
    def test_files_of_two_keyframes(self, name, tmp_path) -> None:
        (tmp_path / "x.json").write_text("{}", encoding="utf-8")
        with pytest.raises(UserError, match=f"--{name} is for two keyframes, but there are 3"):
            make(**{name: str(tmp_path / "x.json")})


class TestPreview:
    def test_keyframes_are_exact(self) -> None:
        maker = PreviewMaker(
            PreviewSpec.from_json(
                {"height": 64, "width": 128, "frames": 9, "at": AT, "device": "cpu"}
            )
        )
        frames = maker(*PICTURES)
        assert frames.shape == (9, *SIZE, 3)
        assert all(np.array_equal(frames[i], x) for i, x in zip(AT, PICTURES, strict=True))

    def test_one_picture_is_no_video(self) -> None:
        maker = PreviewMaker(PreviewSpec.from_json({"height": 64, "width": 128, "device": "cpu"}))
        with pytest.raises(UserError, match="There is one picture"):
            maker(PICTURES[0])

    @pytest.mark.parametrize(
        ("words", "at"), [([], spread_keyframes(3)), (["--frames", "11"], (0, 5, 10))]
    )
    def test_spreads_the_keyframes(self, files, tmp_path, words, at) -> None:
        """25 frames a span, or so many in all."""
        size = ["--width=128", "--height=64", "--device=cpu"]
        assert main(["preview", *files, "-o", str(tmp_path / "out"), *size, *words]) == 0
        frames = frames_in(tmp_path / "out/frames")
        assert len(frames) == at[-1] + 1 == len(frames_in(tmp_path / "out/condition"))
        assert all(np.array_equal(frames[i], x) for i, x in zip(at, PICTURES, strict=True))

    @pytest.mark.parametrize(
        ("count", "words", "message"),
        [
            (2, ["--at=0,5,8"], "There are 2 pictures, but 3 frames for them (at: 0, 5, 8)"),
            (3, ["--at=0,9,4"], "The keyframes are at frames 0, 9, 4: sort them"),
            (2, ["--at=0,8", "--frames=25"], "keyframe is at frame 0 and the last at frame 8"),
            (3, ["--frames=6"], "3 keyframes need at least 7 frames"),
            (45, [], "45 pictures, 25 frames from each to the next, make 1057 frames"),
        ],
    )
    def test_refuses_in_words(self, files, tmp_path, count, words, message, capsys) -> None:
        files = (files * count)[:count]
        assert main(["preview", *files, "-o", str(tmp_path / "out"), *words]) == 2
        assert message in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"at": [0, 3, 24]}, "--at 0,3,24"),
            ({}, "--frames 25"),
            ({"at": [0, 3, 60], "frames": 61}, "--at 0,3,60 --frames 61"),
        ],
    )
    def test_as_it_is_typed(self, options, words) -> None:
        table = {"first": "a", "between": ["b"], "last": "c", "output": "q", **options}
        spec = InbetweenSpec.from_json(table)
        typed = preview_command(spec).split(" preview ")[1]
        assert typed.startswith("a b c -o q ")
        assert sorted(typed.split()[5:]) == sorted(words.split())
        again = spec_of(PreviewSpec, parse_options(["preview", *typed.split()]))
        assert (again.at, again.result.frames) == (spec.at, spec.result.frames)


class TestEdits:
    def test_are_drawn(self, files, tmp_path) -> None:
        """The file has one line, drawn by a person; no line is found."""
        ends = [[20, 20], [100, 20]]
        row = {"id": 3, "first": ends, "last": ends, "edit": "drawn"}
        state = {"version": 2, "size": [128, 64], "matches": [row], "people": []}
        (tmp_path / "edits.json").write_text(json.dumps(state), encoding="utf-8")
        (tmp_path / "none.json").write_text(
            format_matches(LineMatches(NO_LINES, NO_LINES, size=SIZE)), encoding="utf-8"
        )
        words = ["--width=128", "--height=64", "--frames=3", "--device=cpu", "--conditions-only"]
        words += [f"--edits={tmp_path}/edits.json", f"--matches={tmp_path}/none.json"]
        assert main(["inbetween", *files[:2], "-o", str(tmp_path / "out"), *words]) == 0
        shown = frames_in(tmp_path / "out/condition").any(-1)
        assert shown[:, 20, 20:101].all() and shown.sum() == 3 * 81
        run = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
        assert run["options"]["edits"] == run["inputs"]["edits"]["path"]

    def test_a_file_of_something_else(self, tmp_path) -> None:
        """It is told before lines are looked for."""
        (tmp_path / "x.json").write_text("[]", encoding="utf-8")
        painter = make(at=None, frames=3, edits=str(tmp_path / "x.json"))
        with pytest.raises(UserError, match="x.json does not hold edits of a motion"):
            painter.find_motion((FIRST, SECOND), progress=pytest.fail)
