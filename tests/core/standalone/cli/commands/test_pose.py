"""The pose command."""

import itertools
import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from command_line import pictures
from PIL import Image

from fcvg_core.standalone.cli.commands.pose import ENDINGS, distinct_names
from fcvg_core.standalone.cli.main import main

NAMES = [
    "a.png",
    "A.PNG",
    "b/a.png",
    "a_preview.png",
    "a.b.png",
    "a_0001.png",
    "a_0001_preview.jpg",
]
ACCENTS = ["\u00e9.png", "e\u0301.png", "E\u0301.jpg", "\u00c9.jpg"]
SHARP = ["stra\u00dfe.png", "STRASSE.png", "\u017f.png", "s.png", "\ufb01.png", "fi.png"]


def files(names: list[str]) -> list[str]:
    return [name + ending for name in names for ending in ENDINGS]


def on_any_disk(name: str) -> str:
    """What a disk may make of a name at most: no case, one form of accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def check(paths: list[str]) -> list[str]:
    names = distinct_names([Path(path) for path in paths])
    written = files(names)
    assert len({on_any_disk(name) for name in written}) == len(written)
    assert all(len(os.fsencode(name)) <= 255 and "/" not in name for name in written)
    return names


@pytest.mark.parametrize("names", [NAMES, [*ACCENTS, *ACCENTS[:2]], SHARP])
def test_no_file_has_two_owners(names):
    for order in itertools.permutations(names):
        for name, path in zip(check(list(order)), order, strict=True):
            assert name.startswith(Path(path).stem)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.png", "b.png"], ["a", "b"]),
        (["a.png"] * 3, ["a", "a_0001", "a_0002"]),
        (["a_preview.png", "a.png"], ["a_preview", "a_0001"]),
        (["a.png", "a_preview.png"], ["a", "a_preview_0001"]),
        (["a.png", "A.png", "x/a.jpg"], ["a", "A_0001", "a_0002"]),
        (["a_0001.png", "a.png", "a.png"], ["a_0001", "a", "a_0002"]),
        (
            ["a_preview_preview.png", "a_preview.png", "a.png"],
            ["a_preview_preview", "a_preview_0001", "a"],
        ),
        (
            [".png", "..png", "...", "CON", "a.b.png", "a b .png"],
            [".png", ".", "...", "CON", "a.b", "a b "],
        ),
        (["\udcff.png", "\udcfe.png", "\udcff.jpg"], ["\udcff", "\udcfe", "\udcff_0001"]),
    ],
)
def test_names_are_those_of_the_pictures(paths, expected):
    assert check(paths) == expected


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\u65e5", "\udcff"])
def test_long_names_are_cut(letter):
    stem = letter * (251 // len(os.fsencode(letter)))
    names = check([f"{stem}.png", f"{stem}.jpg", f"{stem[:-1]}y.jpg"])
    assert all(len(os.fsencode(name)) > 220 and name.startswith(letter * 50) for name in names)


@pytest.mark.usefixtures("models")
class TestPose:
    def test_what_it_writes_is_taken_back(self, pair, dwpose, tmp_path, capsys) -> None:
        assert main(["pose", *pair, *dwpose, "-o", str(tmp_path / "p")]) == 0
        assert capsys.readouterr().out.count("2 people") == 2
        assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
            f"{name}{kind}"
            for name in ("first", "last")
            for kind in (".json", ".png", "_preview.png")
        ]
        size = Image.open(pair[0]).size
        assert Image.open(tmp_path / "p" / "first.png").size == size
        # Whole pictures, so that nothing is cropped and the same people are found again.
        sized = ["--width", "320", "--height", "192"]
        common = ["inbetween", *pair, "--conditions-only", "--frames", "3", *sized]
        given = [str(tmp_path / "p" / f"{name}.json") for name in ("first", "last")]
        assert main([*common, "-o", str(tmp_path / "a"), "--poses", *given]) == 0
        with_poses = pictures(tmp_path / "a" / "condition")
        saved = json.loads((tmp_path / "a" / "run.json").read_text())
        assert saved["options"]["poses"] == given and "poses1" in saved["inputs"]
        assert main(["inbetween", "--run", str(tmp_path / "a" / "run.json")]) == 0
        assert np.array_equal(pictures(tmp_path / "a_0001" / "condition"), with_poses)
        assert main([*common, "-o", str(tmp_path / "b")]) == 0
        assert (pictures(tmp_path / "b" / "condition") != with_poses).any()

    @pytest.mark.parametrize("fit", [[], ["--fit", "pad", "--anchor", "top"]])
    def test_fitted_as_inbetween_fits(self, pair, dwpose, tmp_path, fit) -> None:
        """Poses of fitted pictures fit keyframes of the same size exactly."""
        sized = ["--width", "128", "--height", "192", *fit]
        assert main(["pose", *pair, *dwpose, *sized, "-o", str(tmp_path / "p")]) == 0
        picture = np.asarray(Image.open(tmp_path / "p" / "first_preview.png"))
        # Two thirds of a padded picture are a black bar, with a drawn limb here and there.
        black = (picture[80:] == 0).all(-1).mean()
        assert picture.shape == (192, 128, 3) and (black > 0.8 if fit else black < 0.2)
        common = ["inbetween", *pair, "--conditions-only", "--frames", "3", *sized]
        given = [str(tmp_path / "p" / f"{name}.json") for name in ("first", "last")]
        assert main([*common, "-o", str(tmp_path / "a"), "--poses", *given]) == 0
        assert main([*common, "-o", str(tmp_path / "b"), *dwpose]) == 0
        found, read = (pictures(tmp_path / x / "condition") for x in "ab")
        assert np.array_equal(found, read)

    def test_colors(self, pair, dwpose, tmp_path) -> None:
        found = {}
        for colors in ("fcvg", "white"):
            out = tmp_path / colors
            assert main(["pose", pair[0], *dwpose, "-o", str(out), "--colors", colors]) == 0
            found[colors] = np.asarray(Image.open(out / "first.png"))
        assert main(["pose", pair[0], *dwpose, "-o", str(tmp_path / "own")]) == 0
        assert np.array_equal(Image.open(tmp_path / "own" / "first.png"), found["fcvg"])
        white = found["white"]
        assert white.any() and (white == white[..., :1]).all()
        assert (found["fcvg"] != found["fcvg"][..., :1]).any()

    def test_nobody(self, pair, own_golden, tmp_path, capsys, caplog) -> None:
        folder = own_golden / "dwpose"
        files = ["--dwpose-det", folder / "det_none.onnx", "--dwpose-pose", folder / "pose_a.onnx"]
        command = ["pose", pair[0], *map(str, files), "-o"]
        assert main([*command, str(tmp_path / "a")]) == 0
        assert capsys.readouterr().out.startswith("nobody: ")
        assert json.loads((tmp_path / "a" / "first.json").read_text())["people"] == []
        assert "Nobody is found in" in caplog.text and "--whole-frame" in caplog.text
        caplog.clear()
        assert main([*command, str(tmp_path / "b"), "--whole-frame"]) == 0
        assert capsys.readouterr().out.startswith("1 person: ") and not caplog.text

    def test_half_a_size(self, pair, dwpose, tmp_path, capsys) -> None:
        command = ["pose", pair[0], *dwpose, "-o", str(tmp_path / "p"), "--width", "128"]
        assert main(command) == 2
        assert "Give both --height and --width" in capsys.readouterr().err

    def test_what_is_given_wins(self, pair, dwpose, tmp_path) -> None:
        common = ["--conditions-only", "--frames", "3", "--width", "128", "--height", "64"]
        assert (
            main(["inbetween", *pair, *common, "--no-poses", *dwpose, "-o", str(tmp_path / "a")])
            == 0
        )
        assert main(["pose", *pair, *dwpose, "-o", str(tmp_path / "p")]) == 0
        given = [str(tmp_path / "p" / f"{name}.json") for name in ("first", "last")]
        again = ["inbetween", "--run", str(tmp_path / "a" / "run.json"), "--poses", *given]
        assert main([*again, "-o", str(tmp_path / "b")]) == 0
        without, with_poses = (pictures(tmp_path / x / "condition") for x in "ab")
        assert (without != with_poses).any()

    def test_pictures_of_one_name(self, pair, dwpose, tmp_path) -> None:
        other = tmp_path / "first_preview.png"
        Image.open(pair[0]).save(other)
        command = ["pose", pair[0], pair[0], str(other), *dwpose, "-o", str(tmp_path / "p")]
        assert main(command) == 0
        assert len(list((tmp_path / "p").iterdir())) == 9
        assert (tmp_path / "p" / "first_0001.json").exists()

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
    def test_any_picture(self, dwpose, tmp_path, mode) -> None:
        Image.new(mode, (1, 1)).save(tmp_path / "dot.png")
        command = ["pose", str(tmp_path / "dot.png"), *dwpose, "-o", str(tmp_path / "p")]
        assert main(command) == 0

    def test_no_models(self, pair, capsys, tmp_path) -> None:
        assert main(["pose", pair[0], "-o", str(tmp_path / "p")]) == 2
        assert "DWPose needs two files" in capsys.readouterr().err
        assert not (tmp_path / "p").exists()

    def test_people_in_between(self, pair, dwpose, tmp_path) -> None:
        shown = {}
        common = [
            "inbetween",
            *pair,
            "--conditions-only",
            "--frames",
            "5",
            "--width",
            "320",
            "--height",
            "192",
        ]
        for name, more in {
            "lines": ["--no-poses"],
            "people": [],
            "wide": ["--pose-width", "4"],
            "gentle": ["--timing", "ease-in-out"],
            "own": ["--timing", "0,0.1,0.2,0.3,1"],
        }.items():
            assert main([*common, *dwpose, *more, "-o", str(tmp_path / name)]) == 0
            shown[name] = pictures(tmp_path / name / "condition")
        assert all((shown[name] != shown["lines"]).any() for name in shown if name != "lines")
        assert np.count_nonzero(shown["wide"]) > np.count_nonzero(shown["people"])
        for name in ("gentle", "own"):  # the ends stay
            same = [np.array_equal(a, b) for a, b in zip(shown[name], shown["people"], strict=True)]
            assert same[0] and same[-1] and not all(same)

    @pytest.mark.parametrize("timing", ["fast", "0,2", "0.5"])
    def test_no_timing(self, pair, capsys, timing) -> None:
        with pytest.raises(SystemExit):
            main(["inbetween", *pair, "--timing", timing])
        assert "expected one of the timings reference" in capsys.readouterr().err
