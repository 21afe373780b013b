"""What is said of line matches."""

import pytest
import torch

from fcvg_core.lines import LineMatches, describe_matches, report_matches
from fcvg_core.lines.report import FEW, count_touched


def some(count: int, found: tuple[int, int] | None = None) -> LineMatches:
    """Matches in the upper left part of the frame."""
    lines = torch.tensor([[[5.0, 5.0], [15.0, 5.0]]]).repeat(count, 1, 1)
    return LineMatches(lines, lines, size=(100, 200), found=found)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "No lines match, by GlueStick (8 and 9 found)"),
        (
            1,
            "1 line matches, by GlueStick (8 and 9 found), in 1 of 16 parts of the frame",
        ),
        (
            2,
            "2 lines match, by GlueStick (8 and 9 found), in 1 of 16 parts of the frame",
        ),
    ],
)
def test_counts(count, said) -> None:
    assert describe_matches(some(count, (8, 9)), "GlueStick") == said


def test_what_is_not_known_is_not_said() -> None:
    assert describe_matches(some(3)) == "3 lines match, in 1 of 16 parts of the frame"


@pytest.mark.parametrize(
    ("count", "warning"),
    [
        (0, "No line steers the video. Try this."),
        (1, "Only 1 line steers the video, which is few. Try this."),
        (FEW - 1, "Only 9 lines steer the video, which is few. Try this."),
        (FEW, None),
    ],
)
def test_few(caplog, count, warning) -> None:
    caplog.set_level("INFO")
    report_matches(some(count), remedy="Try this.")
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said[0] == ("INFO", f"{describe_matches(some(count))}.")
    assert said[1:] == ([("WARNING", warning)] if warning else [])


class TestCountTouched:
    @pytest.mark.parametrize(
        ("line", "count"),
        [
            ([[5, 5], [15, 5]], 1),
            ([[0, 5], [199, 5]], 4),
            ([[10, 10], [40, 90]], 4),
            ([[-500, 5], [-1, 5]], 0),
            ([[float("nan"), 5], [5, 5]], 0),
            ([[199.9, 99.9], [300, 300]], 1),
        ],
    )
    def test_of_one_line(self, line, count) -> None:
        assert count_touched(torch.tensor([line], dtype=torch.float32), (100, 200)) == count

    def test_of_several_lines(self) -> None:
        lines = torch.tensor([[[0.0, 5], [199, 5]], [[5, 0], [5, 99]]])
        assert count_touched(lines, (100, 200)) == 7
        assert count_touched(lines[:0], (100, 200)) == 0
