"""The measures of results as a table for people, and as JSON for other programs."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...canvas import in_words
from ...measures import MEASURES, between, mean_value, worst_index
from .evaluate import MeasuredClip, MeasuredResult

COLUMNS = ("psnr", "ssim", "lpips", "jitter")  # with their mean and their worst frame
JITTERS = ("jitter", "truth_jitter")
GAP = "  "


def table_lines(results: list[MeasuredResult]) -> list[str]:
    """The lines of a table: one row a result, then one row for the jitter of the truth.

    A cell is a mean over the frames between the keyframes; beside it stands the worst frame.
    """
    names = [name for name in COLUMNS if name in results[0].clips[0].frames]
    has_fvmd = any(result.fvmd is not None for result in results)
    rows = [_header(names, has_fvmd)]
    for result in results:
        cells = [cell for name in names for cell in _cells(result, name, name)]
        fvmd = [] if not has_fvmd else [_shown(result.fvmd, 1)]
        rows.append([str(result.path), *cells, *_ends(result), *fvmd])
    truth = ["(the truth)", *[""] * (len(rows[0]) - 1)]
    place = 1 + 2 * names.index("jitter")
    truth[place : place + 2] = _cells(results[0], "jitter", "truth_jitter")
    return [_described(results[0]), "", *_aligned([*rows, truth]), "", *_legend(names, has_fvmd)]


def to_json(truth: Path, results: list[MeasuredResult]) -> dict:
    """Everything that was measured, as values for JSON.

    A number that JSON lacks is the text "Infinity" (the PSNR of equal frames), which Python's
    `float` and JavaScript's `Number` read. A value that does not exist is null: the jitter of the
    first and of the last frame, which have only one neighbour.
    """
    return {
        "truth": str(truth),
        "units": {
            name: MEASURES["jitter" if name in JITTERS else name].unit
            for name in results[0].clips[0].frames
        },
        "means_are_of": "the frames between the first and the last frame of each clip",
        "results": [_result_json(result) for result in results],
    }


def to_text(content: dict) -> str:
    """A table as the text of a JSON file; numbers are written as `to_json` says."""
    return f"{json.dumps(_plain(content), indent=1, allow_nan=False, ensure_ascii=False)}\n"


def _plain(value: Any) -> Any:
    """A value for JSON."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return _number(value) if isinstance(value, float) else value


def _header(names: list[str], has_fvmd: bool) -> list[str]:
    titles = ["result"]
    for name in names:
        unit = f" ({MEASURES[name].unit})" if MEASURES[name].unit else ""
        titles += [f"{MEASURES[name].title}{unit}", "worst"]
    return [*titles, "first", "last", *(["FVMD"] if has_fvmd else [])]


def _cells(result: MeasuredResult, measure: str, name: str) -> list[str]:
    """The mean of a measure, and its worst frame."""
    digits = MEASURES[measure].digits
    clip, frame, value = _worst(result, measure, name)
    where = f" at {clip.name}:{frame}" if clip.name else f" at {frame}"
    return [_shown(mean_value(result.between(name)), digits), f"{_shown(value, digits)}{where}"]


def _worst(result: MeasuredResult, measure: str, name: str) -> tuple[MeasuredClip, int, float]:
    """The clip and the frame with the worst value; both ends of a clip don't count."""
    place = worst_index(measure, result.between(name))
    value = float(result.between(name)[place])
    for clip in result.clips:
        count = len(clip.frames[name]) - 2
        if place < count:
            break
        place -= count
    return clip, place + 1, value


def _ends(result: MeasuredResult) -> list[str]:
    """The difference of both keyframes; of several clips the largest."""
    return [
        _shown(max(clip.frames["difference"][end] for clip in result.clips), 2) for end in (0, -1)
    ]


def _described(result: MeasuredResult) -> str:
    if len(result.clips) > 1:
        return f"{len(result.clips)} clips in each result. Frames are numbered from 0."
    count = len(result.clips[0].frames["psnr"])
    return (
        f"{count} frames of {in_words(result.size)} pixels, numbered from 0. Frames 0 and "
        f"{count - 1} are the keyframes."
    )


def _legend(names: list[str], has_fvmd: bool) -> list[str]:
    lines = [
        "Means and worst frames leave out the first and the last frame: these are given.",
        "PSNR, SSIM: higher is better. jitter: more than the truth's is flicker, less is blur or "
        "lost motion.",
        "first, last: mean difference from the true keyframe, in levels of 0..255; 0 is exact.",
    ]
    if "lpips" in names:
        lines.append("LPIPS: lower is better; it forgives blur.")
    if has_fvmd:
        lines.append("FVMD: lower is better; compare it only between results of the same clips.")
    return lines


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows as text: the first column to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = map(str.rjust, others, widths[1:])
        lines.append(GAP.join([first.ljust(widths[0]), *cells]).rstrip())
    return lines


def _shown(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    return "equal" if math.isinf(value) else f"{value:.{digits}f}"


def _result_json(result: MeasuredResult) -> dict:
    names = list(result.clips[0].frames)
    worst = {}
    for name in MEASURES.keys() & set(names):
        clip, frame, value = _worst(result, name, name)
        worst[name] = {"clip": clip.name, "frame": frame, "value": _number(value)}
    return {
        "result": str(result.path),
        "mean": {name: _number(mean_value(result.between(name))) for name in names},
        "worst": {name: worst[name] for name in MEASURES if name in worst},
        **({} if result.fvmd is None else {"fvmd": _number(result.fvmd)}),
        "clips": [_clip_json(clip) for clip in result.clips],
    }


def _clip_json(clip: MeasuredClip) -> dict:
    with_ends = [name for name in clip.frames if name not in JITTERS]
    return {
        "clip": clip.name,
        "frames": len(clip.frames["psnr"]),
        "mean": {
            name: _number(mean_value(between(values))) for name, values in clip.frames.items()
        },
        "first": {name: _number(clip.frames[name][0]) for name in with_ends},
        "last": {name: _number(clip.frames[name][-1]) for name in with_ends},
        "per_frame": {name: _numbers(values) for name, values in clip.frames.items()},
    }


def _numbers(values: Iterable[float]) -> list[float | str | None]:
    return [_number(value) for value in values]


def _number(value: float) -> float | str | None:
    """A number for JSON, with six digits after the point; see `to_json`."""
    if np.isnan(value):
        return None
    return "Infinity" if np.isinf(value) else round(float(value), 6)
