"""A grey frame -> line segments."""

import sys

import cv2
import numpy as np
import pytest
import torch

from fcvg_core.frames import to_gray
from fcvg_core.lines import detect_lines
from fcvg_core.lines.lsd import resample
from fcvg_core.standalone.demo.scene import draw_scene


def bright_box() -> np.ndarray:
    gray = np.full((120, 160), 40, np.uint8)
    gray[30:90, 40:120] = 220
    return gray


def test_box_has_four_sides() -> None:
    found = detect_lines(bright_box(), max_lines=10)
    assert len(found.lines) == 4
    middles = sorted(tuple(point) for point in found.lines.mean(dim=1).round().int().tolist())
    expected = [(40, 60), (80, 30), (80, 90), (120, 60)]
    assert np.abs(np.array(middles) - expected).max() <= 1


def test_brighter_side_gives_the_direction() -> None:
    gray = bright_box()
    turns = []
    for lines in (
        detect_lines(gray, max_lines=10).lines,
        detect_lines(255 - gray, max_lines=10).lines,
    ):
        along, inward = lines[:, 1] - lines[:, 0], torch.tensor([80.0, 60.0]) - lines.mean(dim=1)
        turns.append(torch.sign(along[:, 0] * inward[:, 1] - along[:, 1] * inward[:, 0]))
    assert len(turns[0].unique()) == len(turns[1].unique()) == 1
    assert turns[0][0] == -turns[1][0]


def test_best_first_and_no_more_than_asked() -> None:
    gray = to_gray(draw_scene(0, (320, 512)))
    found = detect_lines(gray, max_lines=50)
    assert found.lines.shape == (50, 2, 2) and found.lines.dtype == torch.float32
    assert found.scores.dtype == torch.float32 and torch.isclose(found.scores[0], torch.tensor(1.0))
    assert (found.scores.diff() <= 0).all()


def test_min_length() -> None:
    gray = to_gray(draw_scene(0, (320, 512)))
    lines = detect_lines(gray, max_lines=300, min_length=40.0).lines
    assert len(lines) and (lines[:, 1] - lines[:, 0]).norm(dim=-1).min() >= 40


@pytest.mark.parametrize("shape", [(64, 64), (3, 3), (1, 200)])
def test_blank(shape: tuple[int, int]) -> None:
    found = detect_lines(np.full(shape, 128, np.uint8), max_lines=300)
    assert found.lines.shape == (0, 2, 2) and found.scores.shape == (0,)


def test_old_opencv_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = cv2.createLineSegmentDetector

    class OldDetector:
        def __init__(self, **settings: float) -> None:
            self.new = detector(**settings)

        def detect(self, gray: np.ndarray) -> tuple:
            lines, *others = self.new.detect(gray)
            columns = (x if x is None else np.reshape(x, (len(lines), 1)) for x in others)
            return (lines if lines is None else np.reshape(lines, (-1, 1, 4)), *columns)

    expected = detect_lines(bright_box(), max_lines=10)
    monkeypatch.setattr(cv2, "createLineSegmentDetector", OldDetector)
    found = detect_lines(bright_box(), max_lines=10)
    assert torch.equal(found.lines, expected.lines) and torch.equal(found.scores, expected.scores)


def test_resample_keeps_places() -> None:
    ramp = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (60, 1))
    small = resample(ramp, 0.5)
    assert small.shape == (30, 50)
    # Pixel x of the result lies at x / scale.
    assert np.abs(small[10, 5:-5].astype(int) - ramp[10, ::2][5:-5]).max() <= 1
    assert resample(ramp, 1.0) is ramp


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"expected a grey frame \[H, W\] uint8"):
        detect_lines(np.zeros((8, 8, 3), np.uint8), max_lines=10)
    with pytest.raises(ValueError, match="max_lines of at least 1, got 0"):
        detect_lines(np.zeros((8, 8), np.uint8), max_lines=0)


class TestDetectors:
    def test_pytlsd_that_is_not_there(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pytlsd", None)
        with pytest.raises(ValueError, match="pip install pytlsd.*opencv"):
            detect_lines(np.zeros((64, 64), np.uint8), max_lines=5, detector="pytlsd")

    def test_pytlsd(self, monkeypatch):
        class Pytlsd:
            @staticmethod
            def lsd(gray, scale):
                return np.array([[0, 0, 30, 0, 0.5], [0, 0, 3, 4, 0.5], [5, 0, 5, 40, 0.5]])

        monkeypatch.setitem(sys.modules, "pytlsd", Pytlsd)
        gray = np.zeros((64, 64), np.uint8)
        found = detect_lines(gray, max_lines=5, detector="pytlsd")
        assert found.lines.tolist() == [[[5, 0], [5, 40]], [[0, 0], [30, 0]]]

    def test_unknown(self):
        with pytest.raises(ValueError, match="detectors opencv, pytlsd, got 'x'"):
            detect_lines(np.zeros((64, 64), np.uint8), max_lines=5, detector="x")
