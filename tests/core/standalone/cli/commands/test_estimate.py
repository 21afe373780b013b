"""The estimate command, and the page that holds its table."""

import subprocess
import sys

import pytest
from hosts import ROOT

from fcvg_core.standalone.cli.main import main

sys.path.append(str(ROOT / "docs"))
import memory_table  # noqa: E402


def rows(capsys) -> list[list[str]]:
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_common_runs(capsys) -> None:
    assert main(["estimate"]) == 0
    found = rows(capsys)
    assert len(found) == 3 * 4 * 2
    assert found[0][:5] == ["1024 x 576", "25", "25", "bf16", "7.9"]
    assert found[0][6:10] == ["streamed", "fits", "fits", "fits"]
    assert found[0][-3:] == ["1.00", "100", "1.00"]


def test_an_option_leaves_its_own_value(capsys) -> None:
    typed = "--width 512 --height 768 --window 24 --frames 240 --dtype fp8"
    assert main(["estimate", *typed.split(), "--family", "controlnext-svd"]) == 0
    (row,) = rows(capsys)
    assert row[:4] == ["512 x 768", "240", "24", "fp8"]
    assert row[-4] == "-"  # the command line has no fp8


def test_half_the_time_in_one_direction(capsys) -> None:
    times = []
    for family in ("fcvg", "controlnext-svd"):
        assert main(["estimate", "--family", family]) == 0
        times.append(float(rows(capsys)[0][-3]))
    assert times[1] == pytest.approx(times[0] / 2, abs=0.02)


def test_dynamicrafter_has_its_own_sizes_and_lengths(capsys) -> None:
    assert main(["estimate", "--family", "dynamicrafter"]) == 0
    found = rows(capsys)
    assert {row[0] for row in found} == {"256 x 256", "512 x 320", "1024 x 576"}
    assert {tuple(row[1:3]) for row in found} == {("16", "16"), ("64", "64")}


def test_dropletvideo_has_its_own_sizes_and_lengths(capsys) -> None:
    assert main(["estimate", "--family", "dropletvideo"]) == 0
    found = rows(capsys)
    assert list(dict.fromkeys(row[0] for row in found)) == ["896 x 896", "1120 x 640", "672 x 384"]
    assert {tuple(row[1:3]) for row in found} == {("85", "85"), ("49", "49")}
    assert {row[-2] for row in found} == {"100"}
    assert main(["estimate", "--family", "dropletvideo", "--width", "80", "--height", "64"]) == 0
    assert rows(capsys)[0][0] == "80 x 64"


def test_smcd_has_its_own_sizes_and_lengths(capsys) -> None:
    assert main(["estimate", "--family", "smcd"]) == 0
    found = rows(capsys)
    assert list(dict.fromkeys(row[0] for row in found)) == ["512 x 512", "256 x 256"]
    assert {tuple(row[1:3]) for row in found} == {("8", "8"), ("16", "16")}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--width 80", "--width is 80, but with fcvg it must be a multiple of 64: use 64 or 128."),
        ("--family dropletvideo --height 100", "multiple of 16: use 96 or 112."),
        ("--family dropletvideo --cache 2", "DropletVideo has no --schedule"),
        ("--family dropletvideo --width 8", "from 64 to 4096"),
    ],
)
def test_sizes_that_cannot_be(capsys, options, words) -> None:
    try:
        assert main(["estimate", *options.split()]) == 2
    except SystemExit as stop:
        assert stop.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("option", "window"), [("", "24"), ("--window 16", "16")])
def test_dynamicrafter_samples_all_frames_at_once(capsys, option, window) -> None:
    typed = f"--family dynamicrafter --frames 24 {option}"
    assert main(["estimate", *typed.split()]) == 0
    assert {tuple(row[1:3]) for row in rows(capsys)} == {("24", window)}


def test_one_side_alone_leaves_each_model_its_other_side(capsys) -> None:
    assert main(["estimate", "--family", "dynamicrafter", "--width", "768"]) == 0
    assert {row[0] for row in rows(capsys)} == {"768 x 256", "768 x 320", "768 x 576"}


@pytest.mark.parametrize(
    ("options", "passes", "time"),
    [
        ("--steps 10", "40", "0.40"),
        ("--cache 2", "100 (48)", "0.64"),
        ("--schedule ays --steps 10 --guidance-from 0.25 --guidance-until 0.49", "28", "0.28"),
        ("--fast", "28 (14)", "0.17"),
        ("--fast --cache 1", "28", "0.28"),
        ("--family controlnext-svd --fast", "14 (7)", "0.09"),
        ("--family dynamicrafter --steps 20", "40", "0.26"),
    ],
)
def test_switches(capsys, options, passes, time) -> None:
    assert main(["estimate", *options.split()]) == 0
    assert rows(capsys)[0][-2:] == [passes, time]


def test_memory_of_a_cache(capsys) -> None:
    """Four passes of 25 frames; the features of several windows are not on the card."""
    found = []
    for options in ([], ["--cache", "2"]):
        assert main(["estimate", *options]) == 0
        found.append({tuple(row[:4]): float(row[4]) for row in rows(capsys)})
    more = {video: with_cache - found[0][video] for video, with_cache in found[1].items()}
    assert more["1024 x 576", "25", "25", "bf16"] == pytest.approx(0.55, abs=0.06)
    assert more["1024 x 576", "50", "50", "bf16"] == pytest.approx(1.1, abs=0.06)
    assert more["1024 x 576", "50", "25", "bf16"] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--family dynamicrafter --fast", "DynamiCrafter has no --schedule"),
        ("--cache 26", "The interval of the cache is 26, but there are 25 steps"),
        ("--guidance-from 0.6 --guidance-until 0.5", "before it begins"),
    ],
)
def test_switches_that_cannot_be(capsys, options, words) -> None:
    assert main(["estimate", *options.split()]) == 2
    assert words in capsys.readouterr().err


def test_windows_that_cannot_be(capsys) -> None:
    assert main(["estimate", "--window", "5", "--overlap", "6"]) == 2
    assert "overlap by 1 to 4 frames" in capsys.readouterr().err


def test_several_keyframes(capsys) -> None:
    """Spans of 25 and 37 frames: a window of 25 frames and two of 30."""
    assert (
        main(
            [
                "estimate",
                *["--at", "0,24,60", "--width", "1024", "--dtype", "bf16", "--window", "30"],
            ]
        )
        == 0
    )
    (row,) = rows(capsys)
    assert row[1:3] == ["61", "30"] and row[-2] == "300"
    assert float(row[-1]) == pytest.approx((25 + 2 * 30) / 25, rel=0.02)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            "--at 0,24,60 --frames 25",
            "--frames is 25, but the last keyframe of --at is at frame 60",
        ),
        ("--at 0,24,25", "From the keyframe at frame 24 to the keyframe at frame 25"),
        ("--at 0,24,60 --family dynamicrafter", "dynamicrafter has no --at"),
        ("--at 0,24,60 --overlap 25", "37 frames need windows of 25 that overlap by 1 to 24"),
    ],
)
def test_keyframes_that_cannot_be(capsys, options, words) -> None:
    assert main(["estimate", *options.split()]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("overlap", "windows"), [("20", {"25", "50"}), ("0", {"25", "50"})])
def test_rows_that_cannot_have_the_overlap_are_left_out(capsys, overlap, windows) -> None:
    assert main(["estimate", "--overlap", overlap]) == 0
    found = rows(capsys)
    assert {row[2] for row in found} == windows
    assert all(row[1] == row[2] for row in found) == (overlap == "0")


def test_needs_no_torch() -> None:
    script = (
        "import sys; from fcvg_core.standalone.cli.main import main; main(['estimate']); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT)


def test_the_page_holds_this_table() -> None:
    page = memory_table.PAGE.read_text(encoding="utf-8")
    assert page == memory_table.with_tables(page), "stale: run python docs/memory_table.py"
    assert "| 1024 x 576 | 25 | 25 | bf16 |" in page
    assert "| 256 x 256 | 16 | 16 | bf16 |" in page
    assert "| 672 x 384 | 85 | 85 | bf16 |" in page
    assert "| 256 x 256 | 8 | 8 | bf16 |" in page
