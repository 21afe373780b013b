"""The table and the JSON, from measures by hand."""

import json
import math
from pathlib import Path

import numpy as np

from fcvg_core.standalone.evaluation import table_lines, to_json
from fcvg_core.standalone.evaluation.evaluate import MeasuredClip, MeasuredResult


def clip(name="", **more) -> MeasuredClip:
    values = {
        "psnr": [math.inf, 30, 20, 40, 50],
        "ssim": [1, 0.9, 0.8, 0.7, 1],
        "difference": [0, 3, 4, 5, 0.25],
        "jitter": [math.nan, 1, 2, 6, math.nan],
        "truth_jitter": [math.nan, 1, 1, 4, math.nan],
        **more,
    }
    return MeasuredClip(name, {key: np.array(each, float) for key, each in values.items()})


def result(*clips, fvmd=None) -> MeasuredResult:
    return MeasuredResult(Path("a.mp4"), (48, 64), list(clips or [clip()]), fvmd)


def cells(lines: list[str], row: str) -> list[str]:
    """The cells of the row that begins with a word; cells are two spaces apart."""
    return next(line for line in lines if line.startswith(row)).split("  ")


def cells_of(lines, row):
    return [cell.strip() for cell in cells(lines, row) if cell.strip()]


class TestTable:
    def test_one_clip(self):
        lines = table_lines([result()])
        assert lines[0].startswith("5 frames of 64 x 48 pixels") and "0 and 4" in lines[0]
        assert cells_of(lines, "result") == [
            *("result", "PSNR (dB)", "worst", "SSIM", "worst", "jitter (levels)", "worst"),
            *("first", "last"),
        ]
        assert cells_of(lines, "a.mp4") == [
            *("a.mp4", "30.00", "20.00 at 2", "0.8000", "0.7000 at 3", "3.00", "6.00 at 3"),
            *("0.00", "0.25"),
        ]
        assert cells_of(lines, "(the truth)") == ["(the truth)", "2.00", "4.00 at 3"]

    def test_columns_of_other_packages(self):
        measured = clip(lpips=[0, 0.1, 0.2, 0.3, 0])
        lines = table_lines([result(measured, fvmd=12.34), result(measured)])
        assert {"LPIPS", "FVMD"} <= set(cells_of(lines, "result"))
        assert "0.3000 at 3" in cells_of(lines, "a.mp4")
        assert cells_of(lines, "a.mp4")[-1] == "12.3"
        assert any(line.startswith("LPIPS: lower is better") for line in lines)

    def test_several_clips(self):
        other = clip("b", psnr=[1, 60, 60, 10, 1], difference=[9, 1, 1, 1, 0])
        lines = table_lines([result(clip("a"), other)])
        assert lines[0].startswith("2 clips in each result")
        assert "10.00 at b:3" in cells_of(lines, "a.mp4")
        assert cells_of(lines, "a.mp4")[-2:] == ["9.00", "0.25"]

    def test_equal_frames(self):
        lines = table_lines([result(clip(psnr=[math.inf] * 5))])
        assert cells_of(lines, "a.mp4")[1:3] == ["equal", "equal at 1"]


class TestJson:
    def test_is_plain_json(self):
        measured = [result(clip(psnr=[math.inf, math.inf, 20, 30, 40]), fvmd=1.0)]
        text = json.dumps(to_json(Path("t"), measured), allow_nan=False)
        (row,) = json.loads(text)["results"]
        assert json.loads(text)["units"].keys() == row["clips"][0]["per_frame"].keys()
        assert row["result"] == "a.mp4" and row["fvmd"] == 1
        assert row["mean"]["psnr"] == 50 and row["mean"]["truth_jitter"] == 2
        assert row["worst"]["psnr"] == {"clip": "", "frame": 2, "value": 20}
        (one,) = row["clips"]
        assert one["frames"] == 5 and one["mean"] == row["mean"]
        assert one["first"] == {"psnr": "Infinity", "ssim": 1, "difference": 0}
        assert one["last"]["difference"] == 0.25
        assert one["per_frame"]["psnr"] == ["Infinity", "Infinity", 20, 30, 40]
        assert one["per_frame"]["jitter"] == [None, 1, 2, 6, None]
        assert float(one["first"]["psnr"]) == math.inf

    def test_without_fvmd(self):
        assert "fvmd" not in to_json(Path("t"), [result()])["results"][0]
