"""Neighbouring spans -> lines and people that live on beyond a keyframe, each as one row."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from ..pose import Poses, match_people, nobody
from ..pose.skeleton import BODY
from ..pose.types import is_seen
from .nearest import LINE_TOLERANCE, PERSON_TOLERANCE, tolerance_at
from .tracks import last_lines
from .types import Span


@dataclass(frozen=True, eq=False)
class LineChain:
    """Lines of all spans; a line that lives on is one row.

    Attributes:
        places: [K, N, 2, 2] ends (x, y) in pixels at each keyframe, each line's two ends in one
            order; NaN where the line is not known.
        moves: [K - 1, N] bool, the spans in which each line is known at both keyframes.
        ids: [N] int64. A line that comes later keeps the id of its span unless the id is taken.
        num_matched: decides the colours together with the ids, see `match_colors`.
    """

    places: Tensor
    moves: Tensor
    ids: Tensor
    num_matched: int


@dataclass(frozen=True, eq=False)
class PersonChain:
    """People of all spans; a person who lives on is one row.

    Attributes:
        people: for each span the people of its first and of its last keyframe. A person who
            lives on has the same pose in both spans of a keyframe.
        pairs: for each span [M, 2] int64, which of them are the same person.
        rows: for each span two [P] int64, the row of each of its people.
        num_rows: number of different people.
    """

    people: list[tuple[Poses, Poses]]
    pairs: list[Tensor]
    rows: list[tuple[Tensor, Tensor]]
    num_rows: int


def chain_lines(spans: Sequence[Span], size: tuple[int, int]) -> LineChain:
    """The lines of all spans, the lines of the first span first.

    A line of a keyframe that the spans before and after both have is one line: the ends of both
    findings, in either order, lie together within 4 pixels (in a frame 1024 pixels wide), and
    each finding is nearest to the other. At the keyframe the line lies where the span before has
    it. A line that stands still in a span goes on standing there.

    Args:
        spans: at least one has matches.
        size: (height, width) of the keyframes, in pixels.
    """
    empty = next(span.matches.lines0 for span in spans if span.matches is not None)[:0]
    ends = [_line_ends(span, empty) for span in spans]
    reach = tolerance_at(size, LINE_TOLERANCE)
    links = [_same_lines(last, first, reach) for (_, last), (first, _) in itertools.pairwise(ends)]
    pairs = [torch.arange(len(first))[:, None].expand(-1, 2) for first, _ in ends]
    rows, count = _number([(len(first), len(last)) for first, last in ends], pairs, links)
    places = empty.new_full((len(spans) + 1, count, 2, 2), torch.nan)
    moves = torch.zeros(len(spans), count, dtype=torch.bool)
    for number, ((first, last), (row, _)) in enumerate(zip(ends, rows, strict=True)):
        known = places[number, row]
        begin = torch.where(known.isfinite(), known, first)
        turned = (begin - first.flip(1)).norm(dim=(1, 2)) < (begin - first).norm(dim=(1, 2))
        still = (first == last).flatten(1).all(1)
        last = torch.where(turned[:, None, None], last.flip(1), last)
        places[number, row] = begin
        places[number + 1, row] = torch.where(still[:, None, None], begin, last)
        moves[number, row] = True
    return LineChain(places, moves, *_ids_of(spans, rows, count))


def chain_people(spans: Sequence[Span], size: tuple[int, int]) -> PersonChain:
    """The people of all spans.

    A person of a keyframe whom the spans before and after both have is one person: the matching
    of `match_people` pairs both findings, and the mean of the distances of the body's joints is
    at most 16 pixels (in a frame 1024 pixels wide). At the keyframe the person has the pose of
    the span before; a point that one of both spans hides is hidden.

    Args:
        spans: a span without people has nobody.
        size: (height, width) of the keyframes, in pixels.
    """
    people = [span.people or (nobody(), nobody()) for span in spans]
    pairs = [span.people_pairs for span in spans]
    links = []
    for number in range(len(people) - 1):
        (first, last), (later, end) = people[number : number + 2]
        links.append(_same_people(last, later, size))
        last, later = _agree(last, later, links[-1])
        people[number : number + 2] = (first, last), (later, end)
    counts = [tuple(frame.num_people for frame in both) for both in people]
    return PersonChain(people, pairs, *_number(counts, pairs, links))


def _line_ends(span: Span, empty: Tensor) -> tuple[Tensor, Tensor]:
    """The lines of a span's two keyframes, [N, 2, 2] each, ends in the same order."""
    found = span.matches
    if found is None:
        return empty, empty
    return found.lines0, last_lines(span)


def _same_lines(last: Tensor, first: Tensor, reach: float) -> Tensor:
    """Lines of one keyframe that two spans have: [L, 2] int64 rows of [N, 2, 2] and [M, 2, 2]."""
    rows0, rows1 = (lines.isfinite().flatten(1).all(1).nonzero()[:, 0] for lines in (last, first))
    if not len(rows0) or not len(rows1):
        return torch.zeros(0, 2, dtype=torch.int64)
    last, first = last[rows0], first[rows1]
    before = last.flatten(1).double().numpy()
    after = torch.cat([first, first.flip(1)]).flatten(1).double().numpy()
    apart, nearest = map(torch.from_numpy, cKDTree(after).query(before))
    nearest = nearest % len(first)
    _, back = cKDTree(before).query(after)
    back = torch.from_numpy(back)
    rows = torch.arange(len(before))
    mutual = (back[nearest] == rows) | (back[nearest + len(first)] == rows)
    kept = (apart <= reach) & mutual
    return torch.stack([rows0[kept], rows1[nearest[kept]]], dim=1)


def _same_people(last: Poses, first: Poses, size: tuple[int, int]) -> Tensor:
    """People of one keyframe whom two spans have: [L, 2] int64 rows of both."""
    pairs = match_people(last, first)
    one, other = last.people(pairs[:, 0]), first.people(pairs[:, 1])
    pixels = one.keypoints.new_tensor(size[::-1])
    apart = ((one.keypoints - other.keypoints) * pixels).norm(dim=-1)[:, BODY]
    shared = (is_seen(one) & is_seen(other))[:, BODY]
    mean = (apart * shared).sum(1) / shared.sum(1)  # of no joint it is NaN: not the same
    return pairs[mean <= tolerance_at(size, PERSON_TOLERANCE)]


def _agree(last: Poses, first: Poses, links: Tensor) -> tuple[Poses, Poses]:
    """The people of one keyframe in two spans, the same people with the same pose."""
    scores = torch.minimum(last.scores[links[:, 0]], first.scores[links[:, 1]])
    agreed = []
    for people, rows in ((last, links[:, 0]), (first, links[:, 1])):
        parts = [x.clone() for x in (people.keypoints, people.scores, people.brightness)]
        parts[0][rows], parts[1][rows] = last.keypoints[links[:, 0]], scores
        parts[2][rows] = last.brightness[links[:, 0]]
        agreed.append(Poses(*parts))
    return agreed[0], agreed[1]


def _number(
    counts: Sequence[tuple[int, int]], pairs: Sequence[Tensor], links: Sequence[Tensor]
) -> tuple[list[tuple[Tensor, Tensor]], int]:
    """A row for everything that lives on, and how many rows there are.

    Args:
        counts: for each span how many things its first and its last keyframe have.
        pairs: for each span [M, 2] int64, which of them are the same.
        links: for each two neighbouring spans [L, 2] int64, which of the last keyframe of the
            earlier and of the first keyframe of the later are the same.

    Returns:
        For each span the rows [N] int64 of the things of its first and of its last keyframe.
    """
    rows, total = [], 0
    last = torch.zeros(0, dtype=torch.int64)
    links = [torch.zeros(0, 2, dtype=torch.int64), *links]
    for (num_first, num_last), same, link in zip(counts, pairs, links, strict=True):
        first, total = _continue(last, link, num_first, total)
        last, total = _continue(first, same, num_last, total)
        rows.append((first, last))
    return rows, total


def _continue(before: Tensor, links: Tensor, count: int, total: int) -> tuple[Tensor, int]:
    """Rows of things, those of `before` for all that are linked, and new rows for the others."""
    rows = torch.full((count,), -1)
    rows[links[:, 1]] = before[links[:, 0]]
    new = rows < 0
    added = int(new.sum())
    rows[new] = torch.arange(total, total + added)
    return rows, total + added


def _ids_of(
    spans: Sequence[Span], rows: Sequence[tuple[Tensor, Tensor]], count: int
) -> tuple[Tensor, int]:
    """An id for each row, and the number that decides the colours."""
    ids, taken, num_matched = [-1] * count, set(), 1
    free = itertools.count()
    for span, (own, _) in zip(spans, rows, strict=True):
        if span.matches is None:
            continue
        num_matched = max(num_matched, span.matches.num_matched)
        for row, number in zip(own.tolist(), span.matches.ids.tolist(), strict=True):
            if ids[row] >= 0:
                continue
            if number in taken:
                number = next(x for x in free if x not in taken)
                num_matched = max(num_matched, number + 1)
            ids[row] = number
            taken.add(number)
    return torch.tensor(ids, dtype=torch.int64), num_matched
