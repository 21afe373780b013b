"""A file of line matches, whatever is in it: matches that can be drawn, or one sentence."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, changed, damaged, json_values, read_or_refuse

from fcvg_core.canvas import MAX_SIDE
from fcvg_core.lines import LineMatches, draw_lines, draw_matches, interpolate_lines
from fcvg_core.standalone.media.matches_file import read_matches, write_matches

pytestmark = pytest.mark.filterwarnings("error")
KEYS = ["size", "lines0", "lines1", "scores"]
LINES = [[[0.5, 1], [20, 30.25]], [[8, 8], [-3, 70]]]
GOOD = {"size": [64, 64], "lines0": LINES, "lines1": LINES[::-1], "scores": [0.25, 1]}
SOME = torch.linspace(-9, 70, 24).reshape(2, 3, 2, 2)
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
lines = st.lists(
    st.tuples(st.tuples(numbers, numbers), st.tuples(numbers, numbers)).map(
        lambda ends: [list(end) for end in ends]
    ),
    max_size=4,
)


@given(st.data())
def test_changed_values(tmp_path, data):
    read(tmp_path / "m.json", as_json(data.draw, data.draw(changed(GOOD))))


@given(st.data())
def test_other_values(tmp_path, data):
    read(tmp_path / "m.json", as_json(data.draw, data.draw(json_values(KEYS))))


@given(st.data())
def test_damaged_files(tmp_path, data):
    write_matches(tmp_path / "m.json", LineMatches(*SOME, size=(64, 64)))
    read(tmp_path / "m.json", data.draw(damaged((tmp_path / "m.json").read_bytes())))


@given(lines, st.integers(1, 4))
def test_any_lines(tmp_path, values, width):
    """They come back bit for bit, and are drawn wherever they lie."""
    both = [torch.tensor(x, dtype=torch.float32).reshape(-1, 2, 2) for x in (values, values[::-1])]
    write_matches(tmp_path / "m.json", LineMatches(*both, size=(64, 64)))
    found = read(tmp_path / "m.json", (tmp_path / "m.json").read_bytes())
    assert torch.equal(found.lines0, both[0]) and torch.equal(found.lines1, both[1])


def read(path, content: bytes) -> LineMatches | None:
    matches = read_or_refuse(path, content, read_matches)
    if matches is not None:
        assert matches.lines0.isfinite().all() and matches.lines1.isfinite().all()
        assert all(isinstance(x, int) and 1 <= x <= MAX_SIDE for x in matches.size)
        # As large as it is in the tests; a run refuses matches of another size than its frames.
        matches = LineMatches(matches.lines0, matches.lines1, (64, 64), matches.scores)
        track = interpolate_lines(matches, torch.linspace(0, 1, 3))
        assert draw_lines(track, (64, 64), line_width=2, seed=0).shape == (3, 64, 64, 3)
        black = np.zeros((64, 64, 3), np.uint8)
        assert draw_matches(black, black, matches, seed=0).shape == (64, 128, 3)
    return matches
