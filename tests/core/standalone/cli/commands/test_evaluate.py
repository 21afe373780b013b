"""The command `evaluate`: its table, its JSON and its messages."""

import io
import json
import sys

import numpy as np
import pytest
from evaluation_cases import install_lpips, moving_square, without_packages, write_clip

from fcvg_core.measures import ssim
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.media.writing import write_frames, write_video


@pytest.fixture
def clips(tmp_path, monkeypatch) -> list[str]:
    """The truth as a folder, a result as a folder and as a video, as this program writes them."""
    without_packages(monkeypatch)
    write_frames(tmp_path / "truth", moving_square())
    write_frames(tmp_path / "result", moving_square(shift=3))
    write_video(tmp_path / "result.mp4", moving_square(shift=3), 60)
    return [str(tmp_path / name) for name in ("truth", "result", "result.mp4")]


def test_table(clips, capsys, caplog):
    assert main(["evaluate", *clips]) == 0
    printed = capsys.readouterr()
    rows = [line for line in printed.out.splitlines() if line.startswith((*clips, "(the"))]
    assert [row.split()[0] for row in rows] == [clips[1], clips[2], "(the"]
    assert rows[0].split()[-2:] == ["0.00", "0.00"]  # its ends are the keyframes
    assert "Frames 0 and 4 are the keyframes" in printed.out
    assert "LPIPS is left out" in caplog.text and "FVMD is left out" in caplog.text


def test_json(clips, capsys):
    assert main(["evaluate", *clips, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["results"]
    expected = ssim(moving_square(), moving_square(shift=3))
    assert rows[0]["clips"][0]["per_frame"]["ssim"] == pytest.approx(expected, abs=1e-6)
    assert rows[0]["mean"]["ssim"] == pytest.approx(np.mean(expected[1:-1]), abs=1e-6)
    assert rows[0]["clips"][0]["first"]["psnr"] == "Infinity"
    assert rows[1]["clips"][0]["frames"] == 5  # of a video of 60 frames a second, too


def test_file_beside_the_table(clips, tmp_path, capsys):
    output = tmp_path / "new" / "measures.json"
    assert main(["evaluate", *clips, "-o", str(output)]) == 0
    assert "PSNR" in capsys.readouterr().out
    assert json.loads(output.read_text())["truth"] == clips[0]
    before = output.read_bytes()
    assert main(["evaluate", *clips, "-o", str(output)]) == 2
    assert "measures.json exists. Name a new file with -o." in capsys.readouterr().err
    assert output.read_bytes() == before


def test_lpips(clips, tmp_path, monkeypatch, capsys):
    install_lpips(tmp_path / "torch", monkeypatch)
    assert main(["evaluate", *clips[:2], "--json", "--device", "cpu"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["results"]
    assert row["mean"]["lpips"] > 0 == row["clips"][0]["first"]["lpips"]


def test_bad_input_is_one_sentence_and_leaves_no_folder(clips, tmp_path, capsys):
    short = write_clip(tmp_path / "short", moving_square(4))
    output = tmp_path / "new" / "measures.json"
    assert main(["evaluate", *clips, str(short), "-o", str(output)]) == 2
    printed = capsys.readouterr()
    assert "short holds 4 frames, but the truth" in printed.err.splitlines()[-1]
    assert not printed.out and not output.parent.exists()


def test_a_lost_table_is_a_failure_unless_a_file_has_it(clips, tmp_path, monkeypatch):
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stdout", gone)
    assert main(["evaluate", *clips]) == 1
    assert main(["evaluate", *clips, "-o", str(tmp_path / "measures.json")]) == 0
