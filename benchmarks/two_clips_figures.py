"""Figures and pictures of what python benchmarks/learn.py has trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from two_clips import FRAMES, DrawnClip

from fcvg_core.measures import psnr
from fcvg_core.standalone.demo.strip import draw_strip

MIDDLE = FRAMES // 2
WHITE, BLACK, LINES = 255, (0, 0, 0), ((190, 60, 50), (40, 90, 190), (130, 130, 130))
WIDTH, HEIGHT, LEFT, TOP = 640, 360, 60, 20  # of the curve, and its margins, in pixels


@dataclass(frozen=True)
class Mark:
    """A figure that a run has to reach.

    Attributes:
        figure: its name.
        bound: what it has to reach.
        highest: whether `bound` is the highest value, not the lowest.
    """

    figure: str
    bound: float
    highest: bool = False

    def is_reached(self, value: float) -> bool:
        """Whether a value of the figure is good enough."""
        return value <= self.bound if self.highest else value >= self.bound


FULL = (
    Mark("VAE, dB", 23.5),
    Mark("middle frame, dB", 19.0),
    Mark("above the cross-fade, dB", 5.0),
    Mark("above black control, dB", 1.0),
    Mark("lost with the other's control, dB", 4.0),
    Mark("frame 1 is nearer to the other, dB", 4.0),
    Mark("loss at 10, share of the untrained", 0.10, highest=True),
    Mark("loss at 10 with black control, times", 1.6),
)
SHORT = (
    Mark("VAE, dB", 23.5),
    Mark("above the cross-fade, dB", 3.0),
    Mark("lost with the other's control, dB", 2.5),
)


def gather(
    log: Path,
    clips: Sequence[DrawnClip],
    painted: Sequence[Mapping[str, np.ndarray]],
    lost: Mapping[str, float],
    faces: Mapping[str, np.ndarray],
) -> dict[str, float]:
    """All figures by name; means over the clips, decibels of PSNR.

    Args:
        log: of the run, whose first line has the losses before the first step.
        painted: what `paint` made of each clip.
        lost: the export's losses.
        faces: the first clip as each face has painted it.
    """
    found = [
        measure(clip, other, results)
        for clip, other, results in zip(clips, clips[::-1], painted, strict=True)
    ]
    figures = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
    untrained = _validations(log)[0][1]
    figures["loss at 10, share of the untrained"] = lost["10"] / untrained["10"]
    figures["loss at 10 with black control, times"] = lost["10, black"] / lost["10"]
    for name, frames in faces.items():
        figures[f"middle frame of the first clip, {name}, dB"] = _middle(clips[0].frames, frames)
    return figures


def measure(
    clip: DrawnClip, other: DrawnClip, results: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """The figures of one clip, painted with its own, the other's and black control frames."""
    truth = clip.frames
    fade = (truth[:1] / 2 + truth[-1:] / 2).round().astype(np.uint8)
    own = _middle(truth, results["own"])
    nearer = [psnr(each[1:2], results["other"][1:2])[0] for each in (other.frames, truth)]
    return {
        "VAE, dB": float(psnr(truth, results["vae"]).mean()),
        "cross-fade, dB": float(psnr(truth[MIDDLE : MIDDLE + 1], fade)[0]),
        "middle frame, dB": own,
        "above the cross-fade, dB": own - float(psnr(truth[MIDDLE : MIDDLE + 1], fade)[0]),
        "above black control, dB": own - _middle(truth, results["black"]),
        "lost with the other's control, dB": own - _middle(truth, results["other"]),
        "frame 1 is nearer to the other, dB": float(nearer[0] - nearer[1]),
    }


def _middle(truth: np.ndarray, frames: np.ndarray) -> float:
    """PSNR of the middle frame in dB."""
    return float(psnr(truth[MIDDLE : MIDDLE + 1], frames[MIDDLE : MIDDLE + 1])[0])


def print_figures(figures: Mapping[str, float], marks: Sequence[Mark]) -> bool:
    """Print all figures and marks; returns whether all marks are reached."""
    by_name = {mark.figure: mark for mark in marks}
    for name, value in figures.items():
        mark = by_name.get(name)
        asked = "" if mark is None else f"{'at most' if mark.highest else 'at least'} {mark.bound}"
        missed = "" if mark is None or mark.is_reached(value) else "MISSED"
        print(f"{name:50} {value:8.3f}  {asked:14} {missed}".rstrip())
    return all(mark.is_reached(figures[mark.figure]) for mark in marks)


def draw_rows(clip: DrawnClip, results: Mapping[str, np.ndarray]) -> np.ndarray:
    """[h, w, 3] uint8: truth, control frames, painted, and painted by the other's."""
    rows = draw_strip(clip.control, results["own"], truth=clip.frames)
    swapped = draw_strip(None, results["other"])
    gap = np.full((4, rows.shape[1], 3), WHITE, np.uint8)
    return np.concatenate([rows, gap, swapped])


def draw_curve(log: Path) -> np.ndarray:
    """[h, w, 3] uint8: losses over the steps, as shares of the first, on a logarithmic scale."""
    found = _validations(log)
    steps = np.array([step for step, _ in found], float)
    names = list(found[0][1])
    shares = np.array([[values[name] / found[0][1][name] for name in names] for _, values in found])
    low = 10 ** np.floor(np.log10(shares.min()))
    picture = np.full((HEIGHT, WIDTH, 3), WHITE, np.uint8)
    right, bottom = WIDTH - TOP, HEIGHT - 2 * TOP
    xs = LEFT + (right - LEFT) * steps / steps.max()

    def height(share: np.ndarray) -> np.ndarray:
        return TOP + (bottom - TOP) * np.log10(share) / np.log10(low)

    for share in 10.0 ** np.arange(0, np.log10(low) - 0.5, -1):
        y = int(height(share))
        cv2.line(picture, (LEFT, y), (right, y), (220, 220, 220), 1)
        _write(picture, f"{share:g}", (8, y + 4), BLACK)
    for i, (name, color) in enumerate(zip(names, LINES, strict=True)):
        points = np.stack([xs, height(shares[:, i])], 1).round().astype(np.int32)
        cv2.polylines(picture, [points], False, color, 2, cv2.LINE_AA)
        _write(picture, f"loss at {name}", (LEFT + 8, bottom - 50 + 18 * i), color)
    _write(picture, "0", (LEFT - 4, bottom + 18), BLACK)
    _write(picture, f"{steps.max():.0f} steps", (right - 70, bottom + 18), BLACK)
    return picture


def _write(picture: np.ndarray, text: str, at: tuple[int, int], color: tuple) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)


def _validations(log: Path) -> list[tuple[int, dict[str, float]]]:
    """Steps and losses of a run's log."""
    lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    return [(line["step"], line["validation"]) for line in lines if "validation" in line]
