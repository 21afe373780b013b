"""Line matches as a JSON file, to be looked at, edited by hand or made by another program.

{"size": [height, width],
 "lines0": [[[x, y], [x, y]], ...],   one segment a row, in pixels of the first keyframe
 "lines1": [[[x, y], [x, y]], ...],   the same segments in the last one
 "scores": [0.9, ...]}                may be left out
"""

import json
from pathlib import Path

import torch

from ..errors import UserError
from ..lines import LineMatches


def write_matches(path: Path, matches: LineMatches) -> None:
    """Write matches, coordinates to a thousandth of a pixel, one match a line of text."""
    rows = {
        name: [json.dumps(_rounded(row)) for row in getattr(matches, name).tolist()]
        for name in ("lines0", "lines1", "scores")
    }
    lists = [f' "{name}": [\n  {_joined(values)}\n ]' for name, values in rows.items()]
    text = ",\n".join([f' "size": {list(matches.size)}', *lists])
    path.write_text("{\n" + text + "\n}\n", encoding="utf-8")


def read_matches(path: Path) -> LineMatches:
    """What `write_matches` wrote, or somebody else in its form.

    Raises:
        UserError: the file is missing or of another form.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        size = tuple(int(length) for length in found["size"])
        lines = [_lines(found[name]) for name in ("lines0", "lines1")]
        scores = found.get("scores")
        scores = None if scores is None else torch.tensor(scores, dtype=torch.float32)
        matches = LineMatches(*lines, size=size, scores=scores)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} holds no line matches ({error}). Expected is JSON with size [height, width] "
            "and lines0 and lines1, each a list of [[x, y], [x, y]]."
        ) from error
    if not all(x.isfinite().all() for x in (*lines, matches.scores)):
        raise UserError(f"{path} holds coordinates or scores that are not finite numbers.")
    return matches


def _lines(rows: list) -> torch.Tensor:
    """[N, 2, 2], also where N is 0."""
    lines = torch.tensor(rows, dtype=torch.float32)
    return lines.reshape(0, 2, 2) if lines.numel() == 0 else lines


def _rounded(value: list | float) -> list | float:
    """Numbers of a nested list, to three digits."""
    return [_rounded(x) for x in value] if isinstance(value, list) else round(value, 3)


def _joined(rows: list[str]) -> str:
    return ",\n  ".join(rows)
