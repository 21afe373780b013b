"""Shape checks of the types that pass between the modules of lines."""

import pytest
import torch

from fcvg_core.lines import LineMatches, LineSegments, Wireframe


class TestLineSegments:
    @pytest.mark.parametrize("count", [0, 1, 5])
    def test_any_count(self, count: int) -> None:
        segments = LineSegments(lines=torch.zeros(count, 2, 2), scores=torch.zeros(count))
        assert len(segments.lines) == count

    def test_lines_shape(self) -> None:
        with pytest.raises(ValueError, match=r"expected lines \[N, 2, 2\], got \[3, 4\]"):
            LineSegments(lines=torch.zeros(3, 4), scores=torch.zeros(3))

    def test_scores_shape(self) -> None:
        with pytest.raises(ValueError, match=r"expected scores \[3\], .* got \[2\]"):
            LineSegments(lines=torch.zeros(3, 2, 2), scores=torch.zeros(2))


class TestLineMatches:
    @pytest.mark.parametrize("count", [0, 1])
    def test_any_count(self, count: int) -> None:
        lines = torch.zeros(count, 2, 2)
        assert LineMatches(lines0=lines, lines1=lines, size=(64, 96)).size == (64, 96)

    def test_counts_differ(self) -> None:
        with pytest.raises(ValueError, match="in both keyframes, got 2 and 3"):
            LineMatches(torch.zeros(2, 2, 2), torch.zeros(3, 2, 2), (64, 64))

    def test_scores_shape(self) -> None:
        with pytest.raises(ValueError, match=r"expected scores \[2\], one per match, got \[3\]"):
            LineMatches(*torch.zeros(2, 2, 2, 2), size=(64, 64), scores=torch.zeros(3))

    @pytest.mark.parametrize("size", [(0, 64), (64,), (1.5, 64), ("64", "64"), (10**6, 64)])
    def test_size(self, size: tuple) -> None:
        with pytest.raises(ValueError, match=r"size \(height, width\) in pixels, two whole .*got "):
            LineMatches(torch.zeros(0, 2, 2), torch.zeros(0, 2, 2), size)

    def test_ids(self) -> None:
        lines = torch.zeros(2, 3, 2, 2)
        matches = LineMatches(*lines, size=(64, 64))
        assert matches.ids.tolist() == [0, 1, 2] and matches.num_matched == 3
        matches = LineMatches(*lines, size=(64, 64), ids=torch.tensor([7, 2, 0]))
        assert matches.ids.tolist() == [7, 2, 0] and matches.num_matched == 8
        assert LineMatches(*lines[:, :0], size=(64, 64)).num_matched == 1
        with pytest.raises(ValueError, match="num_matched of at least 1, got 0"):
            LineMatches(*lines, size=(64, 64), num_matched=0)

    @pytest.mark.parametrize(
        ("ids", "reason"),
        [
            (torch.arange(2), r"expected ids \[3\] int64, one per match, got \[2\]"),
            (torch.arange(3).int(), "int64, .* torch.int32"),
            (torch.tensor([4, 7, 4]), "several matches have the id 4"),
            (torch.tensor([-1, 7, 4]), "expected ids from 0 to 99999, got -1..7"),
            (torch.tensor([0, 100_000, 4]), "expected ids from 0 to 99999, got 0..100000"),
        ],
    )
    def test_other_ids(self, ids: torch.Tensor, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            LineMatches(*torch.zeros(2, 3, 2, 2), size=(64, 64), ids=ids)

    def test_frozen(self) -> None:
        matches = LineMatches(torch.zeros(0, 2, 2), torch.zeros(0, 2, 2), (64, 64))
        with pytest.raises(AttributeError):
            matches.size = (1, 1)


class TestWireframe:
    def test_shapes(self):
        good = {
            "points": torch.zeros(3, 2),
            "scores": torch.zeros(3),
            "descriptors": torch.zeros(4, 3),
            "lines": torch.zeros(1, 2, 2),
            "line_points": torch.zeros(1, 2, dtype=torch.int64),
            "line_scores": torch.zeros(1),
            "size": (80, 80),
        }
        Wireframe(**good)
        for name in good.keys() - {"size"}:
            with pytest.raises(ValueError, match=f"expected {name} "):
                Wireframe(**{**good, name: torch.zeros(7, 7, 7)})
