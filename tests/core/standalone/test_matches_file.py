import json

import pytest
import torch

from fcvg_core.lines import LineMatches
from fcvg_core.standalone.matches_file import read_matches, write_matches


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
        torch.testing.assert_close(getattr(found, name), getattr(matches, name), rtol=0, atol=6e-4)


def test_can_be_edited_line_by_line(tmp_path):
    write_matches(tmp_path / "m.json", some(3))
    text = (tmp_path / "m.json").read_text()
    assert sum(line.startswith("  [[") for line in text.splitlines()) == 6


def test_scores_may_be_left_out(tmp_path):
    line = [[[0, 1], [2, 3]]]
    (tmp_path / "m.json").write_text(json.dumps({"size": [9, 9], "lines0": line, "lines1": line}))
    assert read_matches(tmp_path / "m.json").scores.tolist() == [1.0]


@pytest.mark.parametrize(
    "content",
    [
        "", "no JSON", "[]", "{}", '{"size": [9, 9], "lines0": [], "lines1": null}',
        '{"size": [9], "lines0": [], "lines1": []}',
        '{"size": [9, 9], "lines0": [[0, 1, 2, 3]], "lines1": [[0, 1, 2, 3]]}',
        '{"size": [9, 9], "lines0": [[[0, 1], [2, 3]]], "lines1": []}',
        '{"size": [9, 9], "lines0": [], "lines1": [], "scores": [1.0]}',
    ],
)  # fmt: skip
def test_other_files(tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(ValueError, match=r"m\.json holds no line matches .* Expected is JSON"):
        read_matches(tmp_path / "m.json")


def test_numbers_that_are_none(tmp_path):
    text = '{"size": [9, 9], "lines0": [[[NaN, 1], [2, 3]]], "lines1": [[[0, 1], [2, 3]]]}'
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ValueError, match="not finite"):
        read_matches(tmp_path / "m.json")


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        read_matches(tmp_path / "m.json")
