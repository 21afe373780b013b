import json

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, draw_lines, interpolate_lines
from fcvg_core.standalone.media import matches_file
from fcvg_core.standalone.media.matches_file import read_matches, write_matches


def some(count: int) -> LineMatches:
    lines = torch.rand(2, count, 2, 2, generator=torch.Generator().manual_seed(0)) * 100
    return LineMatches(lines[0], lines[1], size=(100, 120), scores=torch.linspace(0, 1, count))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_comes_back_as_it_was(tmp_path, count):
    matches = some(count)
    write_matches(tmp_path / "m.json", matches)
    found = read_matches(tmp_path / "m.json")
    assert found.size == (100, 120)
    for name in ("lines0", "lines1", "scores"):
        assert torch.equal(getattr(found, name), getattr(matches, name))


def test_every_number_comes_back_bit_for_bit(tmp_path):
    """Of all sizes, also such as a double rounding could change."""
    bits = np.random.RandomState(0).randint(0, 2**32, 8000, dtype=np.uint64).astype(np.uint32)
    numbers = bits.view(np.float32)
    numbers = np.where(np.isfinite(numbers), numbers, 16777217.0).astype(np.float32)
    lines = torch.from_numpy(numbers).reshape(2, -1, 2, 2)
    write_matches(tmp_path / "m.json", LineMatches(*lines, size=(9, 9)))
    found = read_matches(tmp_path / "m.json")
    assert torch.equal(found.lines0, lines[0]) and torch.equal(found.lines1, lines[1])


def test_what_was_drawn_is_drawn_again(tmp_path):
    """Drawing cuts coordinates to whole pixels: just below one is not on it."""
    line = torch.tensor([[[9.99996, 20.0], [60.0, 29.99998]]])
    matches = LineMatches(line, line, size=(64, 64))
    write_matches(tmp_path / "m.json", matches)
    frames = [
        draw_lines(interpolate_lines(x, torch.tensor([0.0])), x.size, line_width=1, seed=0)
        for x in (matches, read_matches(tmp_path / "m.json"))
    ]
    assert frames[0].any() and np.array_equal(*frames)


def test_an_older_file(tmp_path):
    """Its coordinates are rounded to a thousandth of a pixel."""
    text = """{
 "size": [100, 120],
 "lines0": [
  [[49.626, 76.822], [8.848, 13.203]]
 ],
 "lines1": [
  [[50.0, 77.0], [9.0, 13.0]]
 ],
 "scores": [
  0.5
 ]
}
"""
    (tmp_path / "m.json").write_text(text)
    found = read_matches(tmp_path / "m.json")
    assert found.lines0.tolist() == torch.tensor([[[49.626, 76.822], [8.848, 13.203]]]).tolist()
    assert found.size == (100, 120) and found.scores.tolist() == [0.5]


def test_can_be_edited_line_by_line(tmp_path):
    write_matches(tmp_path / "m.json", some(3))
    text = (tmp_path / "m.json").read_text()
    assert sum(line.startswith("  [[") for line in text.splitlines()) == 6


def test_scores_may_be_left_out(tmp_path):
    line = [[[0, 1], [2, 3]]]
    (tmp_path / "m.json").write_text(json.dumps({"size": [9, 9], "lines0": line, "lines1": line}))
    assert read_matches(tmp_path / "m.json").scores.tolist() == [1.0]


LINE = [[[0, 1], [2, 3]]]
GOOD = {"size": [9, 9], "lines0": LINE, "lines1": LINE, "scores": [1]}


@pytest.mark.parametrize("content", ["", "no JSON", "[" * 100_000, '{"size": [1e400, 9]}'])
def test_other_files(tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(UserError, match=r"m\.json is (not JSON .*|empty); expected line matches"):
        read_matches(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(
            ({"size": size}, "expected two whole numbers of pixels from 1 to 65536")
            for size in (
                [9],
                [9, 9, 9],
                [1.5, 2],
                ["64", "64"],
                [True, True],
                [0, 9],
                [-9, 9],
                9,
                [float("nan"), 9],
                [10**6, 10**6],
                [65537, 9],
                [None, 9],
                {"0": 9},
                "99",
            )
        ),
        *(
            ({"lines0": lines}, r"lines0 is not a list of \[\[x, y\], \[x, y\]\]")
            for lines in (
                [[0, 1, 2, 3]],
                [[[0, 1], [2]]],
                [[["0", 1], [2, 3]]],
                [[[True, 1], [2, 3]]],
                [[[None, 1], [2, 3]]],
                [[[[0], 1], [2, 3]]],
                [[]],
                ["text"],
                [{}],
                [None],
            )
        ),
        *(({"lines1": lines}, "lines1 is not a list") for lines in (None, 5, "text", {"0": LINE})),
        *(
            ({"lines0": [[[x, 1], [2, 3]]]}, "lines0 has NaN or infinite numbers")
            for x in (float("nan"), 1e39, -1e300)
        ),
        ({"lines1": []}, "same number of lines in both keyframes, got 1 and 0"),
        ({"scores": []}, "expected scores"),
        ({"scores": [[1]]}, "scores is not a list of numbers"),
        ({"scores": ["1"]}, "scores is not a list of numbers"),
        ({"scores": 1}, "scores is not a list"),
        ({"scores": [True]}, "scores is not a list of numbers"),
        ({"scores": [float("nan")]}, "scores has NaN or infinite numbers"),
        ({"scores": [-0.1]}, r"scores are not all in 0\.\.1"),
        ({"scores": [1.01]}, r"scores are not all in 0\.\.1"),
    ],
)
def test_other_values(tmp_path, changes, reason):
    (tmp_path / "m.json").write_text(json.dumps(GOOD | changes))
    with pytest.raises(UserError, match=rf"m\.json does not hold .* \(.*{reason}") as caught:
        read_matches(tmp_path / "m.json")
    assert str(caught.value).endswith("each a list of [[x, y], [x, y]].")


@pytest.mark.parametrize("depth", [33, 65, 500])
@pytest.mark.parametrize("key", ["size", "lines0", "lines1", "scores"])
def test_lists_in_lists(tmp_path, key, depth):
    """Not too deep for JSON, but for an array."""
    text = json.dumps(GOOD | {key: "deep"}).replace('"deep"', "[" * depth + "1" + "]" * depth)
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UserError, match=rf"m\.json does not hold line matches \({key} is"):
        read_matches(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "it is a list"),
        (None, "it is a NoneType"),
        ({}, "it lacks lines0, lines1, size"),
        ({"size": [9, 9], "lines0": []}, "it lacks lines1"),
    ],
)
def test_other_forms(tmp_path, content, reason):
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"m\.json does not hold line matches \({reason}"):
        read_matches(tmp_path / "m.json")


def test_too_many_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(matches_file, "MAX_LINES", 2)
    (tmp_path / "m.json").write_text(json.dumps(GOOD | {"lines0": LINE * 3}))
    with pytest.raises(UserError, match="lines0 has 3 lines, more than 2"):
        read_matches(tmp_path / "m.json")


@pytest.mark.parametrize("far", [1e4, 1e9, 1e30, 3e38])
def test_far_away_lines_are_drawn_in_time(tmp_path, far):
    line = [[[-far, far], [far, -far]]]
    content = {"size": [64, 64], "lines0": line * 50, "lines1": [[[far, far], [32, 0]]] * 50}
    (tmp_path / "m.json").write_text(json.dumps(content))
    track = interpolate_lines(read_matches(tmp_path / "m.json"), torch.linspace(0, 1, 5))
    assert draw_lines(track, (64, 64), line_width=32, seed=0).shape == (5, 64, 64, 3)


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        read_matches(tmp_path / "m.json")
