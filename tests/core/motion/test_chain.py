"""Lines and people that live on beyond a keyframe."""

import pytest
import torch

from fcvg_core.lines import LineMatches
from fcvg_core.motion import Span
from fcvg_core.motion.chain import chain_lines, chain_people
from fcvg_core.pose import Poses

SIZE = (576, 1024)


def lines(*rows: tuple[float, float, float, float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 2, 2)


def span(first: torch.Tensor, last: torch.Tensor, **more) -> Span:
    return Span(matches=LineMatches(first, last, size=SIZE, **more))


A = lines((0, 0, 50, 0), (0, 100, 50, 100), (0, 200, 50, 200))
B, C = A + 10, A + 30


class TestChainLines:
    def test_all_live_on_in_any_order(self) -> None:
        order = [2, 0, 1]
        chain = chain_lines((span(A, B), span(B[order], C[order])), SIZE)
        assert torch.equal(chain.places, torch.stack([A, B, C]))
        assert chain.moves.all() and chain.ids.tolist() == [0, 1, 2] and chain.num_matched == 3

    def test_ends_in_either_order(self) -> None:
        """The ends keep the order of the first keyframe, whichever way later ones have them."""
        chain = chain_lines((span(A, B.flip(1)), span(B.flip(1), C), span(C, B.flip(1))), SIZE)
        assert torch.equal(chain.places, torch.stack([A, B, C, B]))

    @pytest.mark.parametrize(("apart", "count"), [(2.7, 3), (2.9, 6)])
    def test_the_same_line_within_4_pixels(self, apart, count) -> None:
        """Both ends together: each end is off by `apart`, to one side."""
        chain = chain_lines((span(A, B), span(B + torch.tensor([apart, 0]), C)), SIZE)
        assert chain.places.shape[1] == count
        assert torch.equal(chain.places[1, :3], B)  # where the span before has it

    def test_the_distance_grows_with_the_frame(self) -> None:
        later = span(B + torch.tensor([3.0, 0]), C)
        assert chain_lines((span(A, B), later), (1152, 2048)).places.shape[1] == 3

    def test_one_line_continues_one_line(self) -> None:
        """Two findings of one line: the nearer lives on, the other is a line of its own."""
        twice = torch.cat([B[:1] + 0.5, B[:1]])
        chain = chain_lines((span(A[:1], B[:1]), span(twice, twice + 20)), SIZE)
        assert chain.moves.T.tolist() == [[True, True], [False, True]]
        assert torch.equal(chain.places[2, 0], B[0] + 20)

    def test_one_line_is_continued_by_one_line(self) -> None:
        """Two lines end at one finding: the nearer lives on, the other ends."""
        ends = torch.cat([B[:1], B[:1] + 0.5])
        chain = chain_lines((span(ends - 20, ends), span(B[:1], C[:1])), SIZE)
        assert chain.moves.T.tolist() == [[True, True], [True, False]]

    def test_lines_that_are_not_finite_end(self) -> None:
        ends = B.clone()
        ends[1, 0, 0] = torch.nan
        chain = chain_lines((span(A, ends), span(ends, C)), SIZE)
        assert chain.places.shape[1] == 4
        assert chain.places.isfinite().all((2, 3)).sum(0).tolist() == [3, 1, 3, 1]
        assert chain_lines((span(A, B * torch.nan), span(B, C)), SIZE).places.shape[1] == 6

    def test_lines_that_come_and_go(self) -> None:
        chain = chain_lines((span(A[:2], B[:2]), span(B[1:], C[1:])), SIZE)
        assert chain.moves.T.tolist() == [[True, False], [True, True], [False, True]]
        assert chain.places[0, 2].isnan().all() and chain.places[2, 0].isnan().all()

    def test_a_line_that_comes_back_is_another(self) -> None:
        chain = chain_lines((span(A, B), span(B[:0], C[:0]), span(C, B)), SIZE)
        assert chain.places.shape[1] == 6

    def test_ids_and_colours_stay(self) -> None:
        """A new line keeps its id unless an earlier line has it."""
        first = span(A[:2], B[:2], ids=torch.tensor([7, 3]), num_matched=40)
        later = span(B, C, ids=torch.tensor([0, 1, 7]), num_matched=9)
        chain = chain_lines((first, later), SIZE)
        assert chain.ids.tolist() == [7, 3, 0] and chain.num_matched == 40
        last = span(A + 300, A + 310, ids=torch.tensor([3, 7, 50]))
        chain = chain_lines((first, later, last), SIZE)
        assert chain.ids.tolist() == [7, 3, 0, 1, 2, 50] and chain.num_matched == 51

    def test_what_stands_still_stays_where_it_is(self) -> None:
        near = B + torch.tensor([0.5, 0])
        chain = chain_lines((span(A, B), span(near, near)), SIZE)
        assert torch.equal(chain.places[2], B)

    def test_kept_ends(self) -> None:
        kept = torch.ones(3, dtype=torch.bool)
        chain = chain_lines((span(A, B.flip(1), kept_ends=kept), span(B, C)), SIZE)
        assert torch.equal(chain.places, torch.stack([A, B.flip(1), C.flip(1)]))


def person(x: float, y: float = 0.0) -> Poses:
    keypoints = torch.stack([torch.full((134,), x), torch.linspace(0.1, 0.9, 134) + y], dim=-1)
    return Poses(keypoints[None], torch.ones(1, 134))


def together(*people: Poses) -> Poses:
    return Poses(torch.cat([x.keypoints for x in people]), torch.cat([x.scores for x in people]))


class TestChainPeople:
    def test_live_on_in_any_order(self) -> None:
        a, b, c = (together(person(x), person(x + 0.5)) for x in (0.1, 0.2, 0.3))
        chain = chain_people((Span(people=(a, b)), Span(people=(b.people([1, 0]), c))), SIZE)
        assert chain.num_rows == 2
        assert [[x.tolist() for x in rows] for rows in chain.rows] == [
            [[0, 1], [0, 1]],
            [[1, 0], [0, 1]],
        ]

    @pytest.mark.parametrize(("apart", "count"), [(15, 1), (17, 2)])
    def test_the_same_person_within_16_pixels(self, apart, count) -> None:
        later = person(0.2 + apart / 1024)
        spans = (Span(people=(person(0.1), person(0.2))), Span(people=(later, person(0.3))))
        chain = chain_people(spans, SIZE)
        assert chain.num_rows == count
        if count == 1:  # the pose of the span before, in both spans
            assert torch.equal(chain.people[1][0].keypoints, person(0.2).keypoints)

    def test_pixels_of_both_axes_are_alike(self) -> None:
        """0.02 of the height are 11.5 pixels, 0.02 of the width 20.5."""
        for later, count in ((person(0.2, 0.02), 1), (person(0.22), 2)):
            spans = (Span(people=(person(0.1), person(0.2))), Span(people=(later, later)))
            assert chain_people(spans, SIZE).num_rows == count

    def test_a_joint_that_one_span_hides(self) -> None:
        hidden = person(0.2)
        hidden.scores[0, 4] = 0
        spans = (Span(people=(person(0.1), person(0.2))), Span(people=(hidden, person(0.3))))
        (_, last), (first, _) = chain_people(spans, SIZE).people
        assert last.scores[0, 4] == first.scores[0, 4] == 0 and last.scores[0].sum() == 133
        assert spans[0].people[1].scores.all()  # what came in is as it was

    def test_pairs_by_hand(self) -> None:
        """Two people who change places, if the span says so."""
        both = together(person(0.2), person(0.7))
        crossed = torch.tensor([[0, 1], [1, 0]])
        spans = (Span(people=(both, both), pairs=crossed), Span(people=(both, both)))
        chain = chain_people(spans, SIZE)
        assert chain.rows[0][1].tolist() == [1, 0] and chain.rows[1][1].tolist() == [1, 0]

    def test_a_span_without_people(self) -> None:
        chain = chain_people((Span(people=(person(0.1), person(0.2))), Span()), SIZE)
        assert chain.num_rows == 1 and len(chain.rows[1][0]) == 0
