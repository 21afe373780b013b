"""Edits of lines, paths and regions, merged with what another run found."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fcvg_core.lines import LineMatches, match_colors
from fcvg_core.motion import Edits, Region, Span, as_payload, merge_edits, parse_edits
from fcvg_core.motion.edits import LineEdit
from fcvg_core.motion.merge_lines import free_ids
from fcvg_core.paths import Path

SIZE = (576, 1024)


def grid(count: int = 40) -> LineMatches:
    """Lines 60 pixels apart, which move to the right."""
    corners = torch.tensor([[60.0 * (i % 16) + 20, 60.0 * (i // 16) + 20] for i in range(count)])
    lines = torch.stack([corners, corners + torch.tensor([25.0, 11.0])], dim=1)
    return LineMatches(lines, lines + torch.tensor([7.0, 3.0]), SIZE, torch.rand(count))


def line_of(matches: LineMatches, row: int) -> tuple:
    return tuple(
        tuple(map(tuple, lines[row].tolist())) for lines in (matches.lines0, matches.lines1)
    )


def shifted(line: tuple, by: float = 30.0) -> tuple:
    return tuple((x + by, y) for x, y in line)


def moved(matches: LineMatches, row: int, **values) -> LineEdit:
    """The edit of a row: its line goes 30 pixels to the right in the last keyframe."""
    first, last = found = line_of(matches, row)
    number = int(matches.ids[row])
    defaults = {"id": number, "first": first, "last": shifted(last), "found": found}
    return LineEdit(**{"edit": "moved"} | defaults | values)


def merge(edits: list, found: LineMatches | None, size: tuple[int, int] = SIZE):
    return merge_edits(Edits(size, tuple(edits)), Span(matches=found), size)


def lines_of(merged) -> LineMatches | None:
    return merged.motion.spans[0].matches


def another_run(matches: LineMatches, seed: int) -> tuple[LineMatches, np.ndarray]:
    """The same lines as another seed or threshold gives them, and where each row went to."""
    random = np.random.RandomState(seed)
    order = random.permutation(len(matches.ids))
    lines = []
    for old in (matches.lines0, matches.lines1):
        new = old.numpy()[order] + random.uniform(-1.4, 1.4, (len(order), 2, 2))
        turned = random.rand(len(order)) < 0.5
        new[turned] = new[turned, ::-1]
        lines.append(torch.from_numpy(new).float())
    ids = torch.from_numpy(random.choice(90_000, len(order), replace=False))
    return LineMatches(*lines, size=matches.size, ids=ids), np.argsort(order)


class TestNothingIsChanged:
    def test_without_edits_it_is_the_found_span(self) -> None:
        found = Span(matches=grid())
        merged = merge_edits(None, found, SIZE)
        assert merged.motion.spans == (found,) and merged.found is found
        assert merged.stale == {"matches": [], "people": []}

    def test_edits_of_other_things_leave_the_lines(self) -> None:
        found = grid()
        hold = Region(3, [[0, 0], [9, 0], [9, 9]])
        merged = merge_edits(Edits(SIZE, holds=(hold,)), Span(matches=found), SIZE)
        assert lines_of(merged) is found
        assert [region.id for region in merged.motion.spans[0].holds] == [3]


class TestLines:
    def test_a_moved_line_keeps_its_id_and_colour_and_the_others_all(self) -> None:
        found = grid()
        merged = merge([moved(found, 7, kept_ends=True, score=0.25)], found)
        lines = lines_of(merged)
        assert merged.assigned["matches"] == {7: 7}
        assert lines.lines1[7].tolist() == [[x + 30, y] for x, y in found.lines1[7].tolist()]
        assert lines.kept_ends.nonzero().tolist() == [[7]] and lines.scores[7] == 0.25
        others = torch.arange(40) != 7
        for name in ("lines0", "lines1", "scores"):
            assert torch.equal(getattr(lines, name)[others], getattr(found, name)[others])
        assert torch.equal(lines.ids, found.ids)
        assert np.array_equal(match_colors(lines, 3), match_colors(found, 3))
        assert torch.equal(found.lines1, grid().lines1)

    def test_a_deleted_line(self) -> None:
        found = grid()
        lines = lines_of(merge([moved(found, 7, edit="deleted")], found))
        assert lines.ids.tolist() == [x for x in range(40) if x != 7]
        assert lines.num_matched == found.num_matched == 40

    def test_drawn_lines_follow_and_take_free_ids(self) -> None:
        found = grid()
        line = ((1.5, 2.0), (3.0, 4.0))
        drawn = [
            LineEdit(id=i, first=line, last=line, edit="drawn", score=score)
            for i, score in ((99_999, None), (7, 0.5), (50_000, 0.75))
        ]
        merged = merge(drawn, found)
        lines = lines_of(merged)
        assert lines.ids[40:].tolist() == [99_999, 99_998, 50_000]
        assert lines.scores[40:].tolist() == [1, 0.5, 0.75]
        assert lines.lines0[41].tolist() == [[1.5, 2], [3, 4]]
        assert merged.assigned["matches"] == {} and merged.stale["matches"] == []

    def test_what_is_not_found_any_more(self, caplog) -> None:
        """It is listed, but not used; what is locked counts."""
        found = grid()
        edits = [moved(found, 3), moved(found, 4, locked=True), moved(found, 5, edit="deleted")]
        edits += [moved(found, 6, edit="deleted", locked=True), moved(found, 8)]
        fewer = replace(grid(), lines0=found.lines0 + 500)
        merged = merge(edits, fewer)
        assert merged.stale["matches"] == [3, 5, 8] and merged.assigned["matches"] == {}
        lines = lines_of(merged)
        assert lines.ids.tolist() == [*range(40), 99_998]  # the stale edit 3 is shown as 99,999
        assert lines.lines0[-1].tolist() == found.lines0[4].tolist()
        assert caplog.messages == [
            "Edits of lines 3, 5, 8 do not fit what was found now: they are kept in the state, but "
            "not used. Lock an edit to use it whatever is found."
        ]

    def test_a_line_that_is_locked_as_found(self) -> None:
        found = grid()
        first, last = line_of(found, 9)
        locked = LineEdit(id=9, first=first, last=last, locked=True)
        assert torch.equal(lines_of(merge([locked], found)).lines0, found.lines0)
        nothing = LineMatches(torch.zeros(0, 2, 2), torch.zeros(0, 2, 2), SIZE)
        lines = lines_of(merge([locked], nothing))
        assert lines.ids.tolist() == [9] and torch.equal(lines.lines0, found.lines0[9:10])

    @pytest.mark.parametrize("seed", range(5))
    def test_another_run(self, seed) -> None:
        """Other ids, another order, ends the other way round, places a little off."""
        found = grid()
        again, place = another_run(found, seed)
        edits = [moved(found, i) for i in range(0, 30, 2)]
        edits += [moved(found, i, edit="deleted") for i in range(1, 30, 2)]
        merged = merge(edits, again)
        assert merged.stale["matches"] == []
        ids = again.ids.tolist()
        assert merged.assigned["matches"] == {i: ids[place[i]] for i in range(30)}
        rows = dict(zip(lines_of(merged).ids.tolist(), lines_of(merged).lines1, strict=True))
        assert len(rows) == 25
        for edit in edits[:15]:
            assert rows[ids[place[edit.id]]].tolist() == [list(x) for x in edit.last]

    def test_notes(self) -> None:
        found = replace(grid(), line_notes={7: {"by": "net", "old": 1}}, notes={"a": 2})
        line = ((0, 0), (5, 5))
        drawn = LineEdit(id=80, first=line, last=line, edit="drawn", notes={"by": "me"})
        merged = lines_of(merge([moved(found, 7, notes={"by": "hand"}), drawn], found))
        assert merged.line_notes == {7: {"by": "hand", "old": 1}, 80: {"by": "me"}}
        assert merged.notes == {"a": 2} and found.line_notes[7]["by"] == "net"


class TestWhichBelongs:
    @pytest.mark.parametrize("side", [512, 1024, 4096])
    def test_the_tolerance_grows_with_the_frame(self, side) -> None:
        size, unit = (side // 2, side), side / 1024
        found = replace(grid(1), size=size)
        for way, belongs in ((3.9, True), (4.1, False)):
            edit = moved(found, 0)
            for name in ("lines0", "lines1"):
                ends = getattr(found, name).clone()
                ends[0, 1, 0] += way * unit
                merged = merge([edit], replace(found, **{name: ends}), size)
                assert (merged.stale["matches"] == []) == belongs

    def test_all_four_ends_count(self) -> None:
        """A longer line with the same middle is another line."""
        found = grid(1)
        longer = found.lines0 + torch.tensor([[-20.0, -9.0], [20.0, 9.0]])
        assert merge([moved(found, 0)], replace(found, lines0=longer)).stale["matches"] == [0]

    def test_the_nearest_come_first_and_each_line_once(self) -> None:
        found = grid(1)
        near, far = (
            replace(moved(found, 0), id=i, found=tuple(shifted(x, by) for x in line_of(found, 0)))
            for i, by in ((5, 0.5), (6, 2.0))
        )
        merged = merge([far, near], found)
        assert merged.assigned["matches"] == {5: 0} and merged.stale["matches"] == [6]
        both = (
            torch.cat([found.lines0, found.lines0 + 1]),
            torch.cat([found.lines1, found.lines1 + 1]),
        )
        merged = merge([far, near], LineMatches(*both, size=SIZE))
        assert merged.assigned["matches"] == {5: 0, 6: 1}

    def test_of_equals_the_one_of_the_same_id(self) -> None:
        line = grid(1)
        double = LineMatches(line.lines0.expand(3, 2, 2), line.lines1.expand(3, 2, 2), SIZE)
        assert merge([moved(double, 2)], double).assigned["matches"] == {2: 2}

    def test_lines_that_are_no_numbers(self) -> None:
        found = grid(3)
        broken = found.lines0.clone()
        broken[1] = torch.nan
        merged = merge([moved(found, i) for i in range(3)], replace(found, lines0=broken))
        assert merged.assigned["matches"] == {0: 0, 2: 2} and merged.stale["matches"] == [1]


class TestNoLinesAreFound:
    LINE = ((1.0, 2.0), (3.0, 4.0))

    def test_only_drawn_and_locked_lines_are_there(self) -> None:
        drawn = [
            LineEdit(id=99_999 - i, first=self.LINE, last=self.LINE, edit="drawn") for i in range(3)
        ]
        merged = merge([moved(grid(), 0), *drawn], None)
        lines = lines_of(merged)
        assert lines.ids.tolist() == [99_999, 99_998, 99_997] and merged.stale["matches"] == [0]
        assert len(np.unique(match_colors(lines, 0), axis=0)) == 3

    def test_nothing_at_all(self) -> None:
        merged = merge([moved(grid(), 0)], None)
        assert lines_of(merged) is None and as_payload(merged)["matches"] == []


def test_another_size(caplog) -> None:
    caplog.set_level("INFO")
    found = grid()
    edits = Edits(SIZE, (moved(found, 7),))
    half = LineMatches(found.lines0 / 2, found.lines1 / 2, (288, 512))
    merged = merge_edits(edits, Span(matches=half), (288, 512))
    assert merged.assigned["matches"] == {7: 7}
    assert lines_of(merged).lines1[7].tolist() == [
        [x / 2 + 15, y / 2] for x, y in found.lines1[7].tolist()
    ]
    assert caplog.messages == [
        "The edits were made for keyframes of 1024 x 576 pixels and are scaled to 512 x 288 pixels."
    ]


def test_other_proportions(caplog) -> None:
    found = LineMatches(grid().lines0, grid().lines1, (320, 512))
    merge_edits(Edits(SIZE, ()), Span(matches=found), (320, 512))
    assert caplog.messages == [
        "The proportions of both sizes differ, so the edits may lie beside what they change: "
        "use keyframes with the proportions of 1024 x 576."
    ]


class TestPathsAndRegions:
    def test_they_are_added_with_ids_of_their_own(self) -> None:
        point = torch.tensor([[1.0, 2.0]])
        found = Span(paths=(Path(0, point), Path(4, point)), holds=(Region(1, np.eye(3)[:, :2]),))
        edits = Edits(
            SIZE,
            paths=(Path(4, point + 1), Path(99_999, point), Path(2, point)),
            holds=(Region(1, np.eye(3)[:, :2]),),
        )
        merged = merge_edits(edits, found, SIZE)
        span = merged.motion.spans[0]
        assert [path.id for path in span.paths] == [0, 4, 99_998, 99_999, 2]
        assert span.paths[2].points.tolist() == [[2, 3]]
        assert [hold.id for hold in span.holds] == [1, 99_999]
        payload = as_payload(merged)
        assert payload["paths"] == [
            {"id": i, "points": [[1, 2]], "speed": "uniform"} for i in (0, 4)
        ]


def test_free_ids() -> None:
    assert free_ids([5, 6, 7], [6, 99_999], [5, 6, 7, 99_998]) == [5, 99_997, 7]
    assert free_ids([], [1], []) == []


class TestPayload:
    def test_found_rows_come_untouched_with_few_digits(self) -> None:
        found = replace(grid(3), lines0=grid(3).lines0 + 0.1)
        edits = [moved(found, 1), replace(moved(grid(), 9), id=60)]
        merged = merge(edits, found)
        payload = json.loads(json.dumps(as_payload(merged)))
        assert payload["size"] == [1024, 576]
        assert payload["assigned"] == {"matches": {"1": 1}, "people": {}}
        assert payload["stale"] == {"matches": [60], "people": []}
        row = payload["matches"][1]
        assert row["first"] == [[80.1, 20.1], [105.1, 31.1]]
        for name, key in (("lines0", "first"), ("lines1", "last"), ("scores", "score")):
            values = torch.tensor([x[key] for x in payload["matches"]])
            assert torch.equal(values, getattr(found, name))

    def test_an_edit_of_what_the_canvas_got_is_an_exact_line(self) -> None:
        found = replace(grid(3), lines0=grid(3).lines0 + 0.1)
        row = as_payload(merge_edits(None, Span(matches=found), SIZE))["matches"][1]
        state = {"version": 2, "size": [1024, 576], "matches": [row | {"locked": True}]}
        merged = merge_edits(parse_edits(json.dumps(state), name="s"), Span(matches=found), SIZE)
        lines = lines_of(merged)
        for name in ("lines0", "lines1", "scores", "ids", "kept_ends"):
            assert torch.equal(getattr(lines, name), getattr(found, name))


def test_many_lines_in_well_under_a_second() -> None:
    generator = torch.Generator().manual_seed(0)
    lines = torch.rand(2, 3000, 2, 2, generator=generator) * 500
    found = LineMatches(*lines, size=SIZE)
    edits = [moved(found, i) for i in range(0, 3000, 10)]
    again, place = another_run(found, 0)
    start = time.perf_counter()
    merged = merge(edits, again)
    assert time.perf_counter() - start < 0.5
    assert len(merged.assigned["matches"]) == 300
    assert all(again.ids[place[i]] == j for i, j in merged.assigned["matches"].items())


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[LineEdit], LineMatches]:
    """Edits of some lines, and what is found of them later: near, far, or not at all."""
    source = grid(8)
    edits = []
    for number in draw(st.lists(st.integers(0, 12), max_size=8, unique=True)):
        locked, edit = draw(st.booleans()), draw(st.sampled_from(["moved", "deleted", "drawn"]))
        row = moved(source, draw(st.integers(0, 7)), id=number, locked=locked, edit=edit)
        edits.append(replace(row, found=None) if edit == "drawn" else row)
    rows = draw(st.lists(st.integers(0, 7), max_size=8))
    way = torch.tensor([draw(st.sampled_from([0.0, 1.0, 3.0, 9.0])) for _ in rows])[:, None, None]
    ids = torch.tensor(
        draw(st.lists(st.integers(0, 15), min_size=len(rows), max_size=len(rows), unique=True)),
        dtype=torch.int64,
    )
    lines0, lines1 = source.lines0[rows] + way, source.lines1[rows] + way
    return edits, LineMatches(lines0, lines1, SIZE, ids=ids)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_edit_is_ever_lost(case) -> None:
    edits, found = case
    merged = merge(edits, found)
    assigned, stale = merged.assigned["matches"], merged.stale["matches"]
    lines = lines_of(merged)
    ids = lines.ids.tolist()
    added = 0
    for edit in edits:
        counts = edit.locked or edit.edit == "drawn"
        alone = edit.id not in assigned
        assert (edit.id in stale) == (alone and not counts)
        added += alone and counts and edit.edit != "deleted"
        if edit.edit == "drawn":
            assert alone
    deleted = {assigned[x.id] for x in edits if x.edit == "deleted" and x.id in assigned}
    assert len(set(assigned.values())) == len(assigned)
    assert len(ids) == len(found.ids) - len(deleted) + added
    assert not deleted & set(ids) and set(found.ids.tolist()) - deleted <= set(ids)
