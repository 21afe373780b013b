"""Line matches as a JSON file, which can be edited by hand or made by another program.

{"size": [height, width],
 "lines0": [[[x, y], [x, y]], ...],   one segment per row, in pixels of the first keyframe
 "lines1": [[[x, y], [x, y]], ...],   the same segments in the last keyframe
 "scores": [0.9, ...]}                optional
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...canvas import SIDES, is_side
from ...errors import UserError
from ...files.json_file import read_json
from ...lines import LineMatches
from ...quoting import quote

MAX_LINES = 100_000  # a frame of 4096 x 4096 has a few thousand
ROUNDED = 1e-6  # rounding error by which a score may exceed 1
FORM = "size [height, width] and lines0 and lines1, each a list of [[x, y], [x, y]]"


def write_matches(path: Path, matches: LineMatches) -> None:
    """Write matches, one segment per line of text; `read_matches` gives back equal numbers."""
    rows = {
        name: [_text(row) for row in getattr(matches, name).detach().cpu().float().numpy()]
        for name in ("lines0", "lines1", "scores")
    }
    lists = [f' "{name}": [\n  {_joined(values)}\n ]' for name, values in rows.items()]
    text = ",\n".join([f' "size": {list(matches.size)}', *lists])
    path.write_text("{\n" + text + "\n}\n", encoding="utf-8")


def read_matches(path: Path) -> LineMatches:
    """Line matches from a file in the format of `write_matches`.

    Raises:
        UserError: the file is missing or has another format.
    """
    found = read_json(path, expected=f"line matches: JSON with {FORM}")
    try:
        return _matches(found)
    except ValueError as error:
        raise UserError(
            f"{path} does not hold line matches ({error}). Expected: JSON with {FORM}."
        ) from error


def _matches(found: Any) -> LineMatches:
    """Line matches from the values of a file; ValueError says which value is wrong."""
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, not a dictionary")
    if missing := {"size", "lines0", "lines1"} - found.keys():
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    size = found["size"]
    if not isinstance(size, list) or len(size) != 2 or not all(map(is_side, size)):
        raise ValueError(f"size is {quote(size)}; expected {SIDES}")
    lines = [_numbers(name, found[name], shape=(2, 2)) for name in ("lines0", "lines1")]
    scores = found.get("scores")
    if scores is not None:
        scores = _numbers("scores", scores, shape=())
        if len(scores) and not (scores.min() >= 0 and scores.max() <= 1 + ROUNDED):
            raise ValueError("scores are not all in 0..1")
    return LineMatches(*lines, size=(int(size[0]), int(size[1])), scores=scores)


def _numbers(name: str, rows: Any, *, shape: tuple[int, ...]) -> torch.Tensor:
    """A list of numbers as [N, *shape] float32, N >= 0; ValueError for any other value."""
    if not isinstance(rows, list):
        raise ValueError(f"{name} is not a list")
    if len(rows) > MAX_LINES:
        raise ValueError(f"{name} has {len(rows)} lines, more than {MAX_LINES}")
    values = np.array(rows, object) if rows else np.empty((0, *shape), object)
    # The shape is checked first: numpy can iterate over at most 32 dimensions.
    if values.shape[1:] != shape or not {type(value) for value in values.flat} <= {int, float}:
        form = "[[x, y], [x, y]]" if shape else "numbers"
        raise ValueError(f"{name} is not a list of {form}")
    numbers = torch.from_numpy(values.astype(np.float64)).float()
    if not numbers.isfinite().all():
        raise ValueError(f"{name} has NaN or infinite numbers")
    return numbers


def _text(values: np.ndarray) -> str:
    """Nested lists as text; numpy writes the fewest digits that give back the same float32."""
    return f"[{', '.join(map(_text, values))}]" if values.ndim else str(values)


def _joined(rows: list[str]) -> str:
    return ",\n  ".join(rows)
