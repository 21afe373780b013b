import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, format_matches
from fcvg_core.standalone.media.matches_file import read_matches


def test_comes_back_as_it_was(tmp_path):
    lines = torch.rand(2, 5, 2, 2, generator=torch.Generator().manual_seed(0)) * 100
    matches = LineMatches(*lines, size=(100, 120), scores=torch.linspace(0, 1, 5))
    (tmp_path / "m.json").write_text(format_matches(matches))
    found = read_matches(tmp_path / "m.json")
    assert torch.equal(found.lines0, lines[0]) and torch.equal(found.scores, matches.scores)


@pytest.mark.parametrize("content", ["", "no JSON", "[" * 100_000, '{"size": [1e400, 9]}'])
def test_other_files(tmp_path, content):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(UserError, match=r"m\.json is (not JSON .*|empty); expected line matches"):
        read_matches(tmp_path / "m.json")


def test_other_values(tmp_path):
    (tmp_path / "m.json").write_text("[]")
    with pytest.raises(UserError, match=r"m\.json does not hold line matches \(it is a list"):
        read_matches(tmp_path / "m.json")


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        read_matches(tmp_path / "m.json")
