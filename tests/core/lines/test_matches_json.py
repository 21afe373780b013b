"""Line matches as JSON: the form, what comes back, what is refused and why."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.json_text import parse_json
from fcvg_core.lines import (
    LineMatches,
    draw_lines,
    format_matches,
    interpolate_lines,
    match_colors,
    matches_json,
    parse_matches,
)
from fcvg_core.lines.filter import select_matches


def some(count: int) -> LineMatches:
    lines = torch.rand(2, count, 2, 2, generator=torch.Generator().manual_seed(0)) * 100
    return LineMatches(lines[0], lines[1], size=(100, 120), scores=torch.linspace(0, 1, count))


def read(text: str) -> LineMatches:
    return parse_matches(parse_json(text), name="m.json")


LINE = [[0, 1], [2, 3]]
MATCH = {"first": LINE, "last": LINE}
GOOD = {"version": 1, "size": [9, 8], "matches": [MATCH]}
OLDER = {"size": [9, 8], "lines0": [LINE], "lines1": [LINE], "scores": [1]}


class TestForm:
    def test_one_match_a_line(self) -> None:
        lines = torch.tensor([[[0.5, 1], [20, 30.25]], [[8, 8], [-3, 70]]])
        matches = LineMatches(
            lines, lines.flip(0), (576, 1024), torch.tensor([0.9, 1]), torch.tensor([7, 12])
        )
        assert format_matches(matches) == (
            '{"version": 1, "size": [1024, 576], "matches": [\n'
            '{"id": 7, "first": [[0.5, 1.0], [20.0, 30.25]], '
            '"last": [[8.0, 8.0], [-3.0, 70.0]], "score": 0.9},\n'
            '{"id": 12, "first": [[8.0, 8.0], [-3.0, 70.0]], '
            '"last": [[0.5, 1.0], [20.0, 30.25]], "score": 1.0}\n'
            "]}\n"
        )

    def test_no_match(self) -> None:
        assert json.loads(format_matches(some(0))) == GOOD | {"size": [120, 100], "matches": []}

    def test_a_line_that_is_deleted_or_added_by_hand(self) -> None:
        lines = format_matches(some(4)).splitlines()
        del lines[2]
        lines.insert(2, json.dumps(MATCH) + ",")
        assert read("\n".join(lines)).ids.tolist() == [0, 4, 2, 3]


class TestComesBack:
    @pytest.mark.parametrize("count", [0, 1, 5])
    def test_as_it_was(self, count: int) -> None:
        matches = some(count)
        found = read(format_matches(matches))
        assert found.size == (100, 120) and found.num_matched == max(count, 1)
        for name in ("lines0", "lines1", "scores", "ids"):
            assert torch.equal(getattr(found, name), getattr(matches, name))

    def test_every_number_bit_for_bit(self) -> None:
        """Of all sizes, also such as a double rounding could change."""
        bits = np.random.RandomState(0).randint(0, 2**32, 8000, dtype=np.uint64).astype(np.uint32)
        numbers = bits.view(np.float32)
        numbers = np.where(np.isfinite(numbers), numbers, 16777217.0).astype(np.float32)
        lines = torch.from_numpy(numbers).reshape(2, -1, 2, 2)
        found = read(format_matches(LineMatches(*lines, size=(9, 9))))
        assert torch.equal(found.lines0, lines[0]) and torch.equal(found.lines1, lines[1])

    def test_what_was_drawn_is_drawn_again(self) -> None:
        """Drawing cuts coordinates to whole pixels: just below one is not on it."""
        line = torch.tensor([[[9.99996, 20.0], [60.0, 29.99998]]])
        matches = LineMatches(line, line, size=(64, 64))
        frames = [
            draw_lines(
                interpolate_lines(x, torch.tensor([0.0])),
                x.size,
                line_width=1,
                colors=match_colors(x, 0),
            )
            for x in (matches, read(format_matches(matches)))
        ]
        assert frames[0].any() and np.array_equal(*frames)

    def test_ids_and_colours_after_matches_were_removed(self) -> None:
        matches = some(5)
        kept = select_matches(matches, torch.tensor([False, True, False, True, False]))
        found = read(format_matches(kept))
        assert found.ids.tolist() == [1, 3] and found.num_matched == 5
        assert np.array_equal(match_colors(found, 2), match_colors(matches, 2)[[1, 3]])
        last = select_matches(matches, torch.arange(5) == 4)
        assert "matched" not in format_matches(last)  # it follows from the largest id
        assert read(format_matches(last)).num_matched == 5

    def test_keys_of_others(self) -> None:
        """They stay, also where matches were removed."""
        text = json.dumps(
            GOOD
            | {
                "editor": {"zoom": [1, 2.5, None], "name": "\u00e9"},
                "matches": [MATCH | {"id": 3, "note": "roof"}, MATCH, MATCH | {"hidden": True}],
            }
        )
        found = read(text)
        assert found.ids.tolist() == [3, 4, 5]
        kept = select_matches(found, torch.tensor([True, True, False]))
        again = json.loads(format_matches(read(format_matches(kept))))
        assert again["editor"] == {"zoom": [1, 2.5, None], "name": "\u00e9"}
        assert again["matches"][0]["note"] == "roof" and "hidden" not in str(again)
        assert "note" not in again["matches"][1]

    def test_scores_that_are_left_out(self) -> None:
        rows = [MATCH | {"score": 0.5}, MATCH]
        assert read(json.dumps(GOOD | {"matches": rows})).scores.tolist() == [0.5, 1.0]


class TestKeptEnds:
    def test_form(self) -> None:
        matches = replace(some(3), kept_ends=torch.tensor([False, True, False]))
        values = json.loads(format_matches(matches))
        assert values["version"] == 2
        assert [row.get("ends") for row in values["matches"]] == [None, "kept", None]
        found = read(format_matches(matches))
        assert found.kept_ends.tolist() == [False, True, False] and not found.line_notes
        assert format_matches(found) == format_matches(matches)

    def test_version_2_without_kept_ends_is_written_as_version_1(self) -> None:
        assert format_matches(read(format_matches(some(2)).replace("1", "2", 1))) == format_matches(
            some(2)
        )

    def test_ends_of_version_1_are_the_key_of_another_program(self) -> None:
        text = json.dumps(GOOD | {"matches": [MATCH | {"ends": "kept"}, MATCH | {"ends": 5}]})
        found = read(text)
        assert not found.kept_ends.any() and read(format_matches(found)).line_notes[1] == {
            "ends": 5
        }
        kept = read(format_matches(replace(found, kept_ends=torch.tensor([False, True]))))
        assert kept.kept_ends.tolist() == [False, True] and not kept.line_notes

    def test_a_state_of_edit_motion(self, caplog) -> None:
        found = {"first": LINE, "last": LINE}
        rows = [
            {"id": 7, "edit": "deleted", "found": found},
            MATCH | {"id": 4, "edit": "moved", "found": found, "locked": True},
            MATCH | {"id": 99_999, "edit": "drawn", "ends": "kept"},
        ]
        state = {"matches": rows, "people": [], "paths": [{"id": 0}], "holds": [{"id": 1}]}
        caplog.set_level("INFO")
        matches = read(json.dumps(GOOD | {"version": 2} | state))
        assert matches.ids.tolist() == [4, 99_999] and matches.kept_ends.tolist() == [False, True]
        assert caplog.messages == [
            "m.json also holds paths and holds: Edit Motion reads them, here only its lines are "
            "used."
        ]
        again = json.loads(format_matches(matches))
        assert again["paths"] == [{"id": 0}] and again["holds"] == [{"id": 1}]
        assert again["matches"][0]["locked"] is True and again["matches"][0]["found"] == found

    @pytest.mark.parametrize("ends", ["swapped", None, True, ["kept"]])
    def test_other_ends(self, ends) -> None:
        rows = [{"edit": "deleted"}, MATCH | {"ends": ends}]
        with pytest.raises(UserError, match=r'ends of match 2 is .*; expected "kept", or no ends'):
            read(json.dumps(GOOD | {"version": 2, "matches": rows}))


class TestOlderForm:
    def test_by_hand(self) -> None:
        """Its coordinates are rounded to a thousandth of a pixel; its size has the height first."""
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
        found = read(text)
        assert torch.equal(found.lines0, torch.tensor([[[49.626, 76.822], [8.848, 13.203]]]))
        assert found.lines1.tolist() == [[[50.0, 77.0], [9.0, 13.0]]]
        assert found.size == (100, 120) and found.scores.tolist() == [0.5]
        assert found.ids.tolist() == [0] and found.num_matched == 1

    def test_without_scores_and_with_other_keys(self) -> None:
        older = {key: x for key, x in OLDER.items() if key != "scores"} | {"by": "hand"}
        found = read(json.dumps(older))
        assert found.scores.tolist() == [1.0]
        assert json.loads(format_matches(found))["by"] == "hand"


SIZES = ([9], [9, 9, 9], [1.5, 2], ["64", "64"], [True, True], [0, 9], [-9, 9], 9, [1, None])
SIZES = (*SIZES, [float("nan"), 9], [10**6, 10**6], [65537, 9], {"0": 9}, "99")
NO_LINES = ([0, 1, 2, 3], [[0, 1], [2]], [["0", 1], [2, 3]], [[True, 1], [2, 3]], [[None, 1], LINE])
NO_LINES = (*NO_LINES, [[[0], 1], [2, 3]], [], "text", {}, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(({"size": x}, "size is .*; expected two whole numbers of pixels") for x in SIZES),
        *(({"version": x}, "version is .*; expected 1 or") for x in (0, -1, "1", None, True, 1.5)),
        *(({"matched": x}, "matched is .*1 to 100000") for x in (0, "9", True, 10**7, 2.0)),
        *(({"matches": x}, "matches is not a list") for x in (5, "text", {"0": MATCH}, None)),
        *(({"matches": [x]}, "match 1 is a .*, not a dictionary") for x in ([], None, 5, "a")),
        ({"matches": [MATCH, {"first": LINE}]}, "match 2 lacks last"),
        ({"matches": [MATCH, {"last": LINE}]}, "match 2 lacks first"),
        *(
            ({"matches": [MATCH | {"last": x}]}, r"last of match 1 is .*, not \[\[x, y\], \[x, y")
            for x in NO_LINES
        ),
        *(
            ({"matches": [MATCH | {"first": [[x, 1], [2, 3]]}]}, "first has NaN or infinite")
            for x in (float("nan"), 1e39, -1e300)
        ),
        *(
            ({"matches": [MATCH | {"id": x}]}, "id of match 1 is .*; expected 0 to 99999")
            for x in (-1, 10**5, "7", True, None, 1.0)
        ),
        ({"matches": [MATCH | {"id": 7}, MATCH | {"id": 7}]}, "several matches have the id 7"),
        ({"matches": [MATCH | {"id": 99_999}, MATCH]}, r"ids from 0 to 99999, got 99999\.\.100000"),
        ({"matches": [MATCH | {"score": None}]}, "score is not a list of numbers"),
        ({"matches": [MATCH | {"score": True}]}, "score is not a list of numbers"),
        ({"matches": [MATCH | {"score": 1.01}]}, r"score is not always in 0\.\.1"),
        ({"matches": [MATCH | {"score": float("nan")}]}, "score has NaN or infinite numbers"),
    ],
)
def test_other_values(changes, reason) -> None:
    with pytest.raises(UserError, match=rf"m\.json does not hold line matches \(.*{reason}") as x:
        read(json.dumps(GOOD | changes))
    assert str(x.value).endswith("each with first and last [[x, y], [x, y]].")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(({"size": x}, "size is .*; expected two whole numbers of pixels") for x in SIZES),
        *(({"lines0": [x]}, r"lines0 is not a list of \[\[x, y\], \[x, y\]\]") for x in NO_LINES),
        *(({"lines1": x}, "lines1 is not a list") for x in (None, 5, "text", {"0": [LINE]})),
        *(
            ({"lines0": [[[x, 1], [2, 3]]]}, "lines0 has NaN or infinite numbers")
            for x in (float("nan"), 1e39, -1e300)
        ),
        ({"lines1": []}, "same number of lines in both keyframes, got 1 and 0"),
        ({"scores": []}, "expected scores"),
        *(({"scores": [x]}, "scores is not a list of numbers") for x in ([1], "1", True)),
        ({"scores": 1}, "scores is not a list"),
        ({"scores": [float("nan")]}, "scores has NaN or infinite numbers"),
        *(({"scores": [x]}, r"scores is not always in 0\.\.1") for x in (-0.1, 1.01)),
    ],
)
def test_other_values_in_the_older_form(changes, reason) -> None:
    with pytest.raises(UserError, match=rf"m\.json does not hold line matches \(.*{reason}"):
        read(json.dumps(OLDER | changes))


@pytest.mark.parametrize("depth", [33, 65, 500])
@pytest.mark.parametrize(
    ("good", "key"),
    [
        *((OLDER, key) for key in ("size", "lines0", "lines1", "scores")),
        *((GOOD, key) for key in ("size", "matches")),
        (GOOD | {"matches": [MATCH | {"first": "deep"}]}, "version"),
    ],
)
def test_lists_in_lists(good, key, depth) -> None:
    """Not too deep for JSON, but for an array."""
    values = good | ({} if "deep" in str(good) else {key: "deep"})
    text = json.dumps(values).replace('"deep"', "[" * depth + "1" + "]" * depth)
    with pytest.raises(UserError, match=r"m\.json does not hold line matches"):
        read(text)


@pytest.mark.parametrize("depth", [10, 500])
def test_deep_values_of_others_are_kept(depth) -> None:
    text = json.dumps(GOOD | {"deep": 0}).replace("0}", "[" * depth + "]" * depth + "}")
    assert "[" * depth in format_matches(read(text))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "it is a list"),
        (None, "it is a NoneType"),
        ({}, "it lacks lines0, lines1, size"),
        ({"size": [9, 9], "lines0": []}, "it lacks lines1"),
        ({"version": 1}, "it lacks matches, size"),
        ({"size": [9, 9], "matches": []}, "it lacks version"),
    ],
)
def test_other_forms(content, reason) -> None:
    with pytest.raises(UserError, match=rf"m\.json does not hold line matches \({reason}"):
        read(json.dumps(content))


def test_a_newer_version() -> None:
    with pytest.raises(UserError, match=r"m\.json .* version 3, .* versions up to 2: update Comfy"):
        read(json.dumps({"version": 3, "lines": "of another form"}))


@pytest.mark.parametrize(
    ("good", "name"), [(GOOD | {"matches": [MATCH] * 3}, "matches"), (OLDER, "lines0")]
)
def test_too_many_lines(monkeypatch, good, name) -> None:
    monkeypatch.setattr(matches_json, "MAX_LINES", 2)
    with pytest.raises(UserError, match=f"{name} has 3 lines, more than 2"):
        read(json.dumps(good | ({} if name == "matches" else {name: [LINE] * 3})))


@pytest.mark.parametrize("far", [1e4, 1e9, 1e30, 3e38])
def test_far_away_lines_are_drawn_in_time(far) -> None:
    match = {"first": [[-far, far], [far, -far]], "last": [[far, far], [32, 0]]}
    matches = replace(read(json.dumps(GOOD | {"matches": [match] * 50})), size=(64, 64))
    track = interpolate_lines(matches, torch.linspace(0, 1, 5))
    colors = match_colors(matches, 0)
    assert draw_lines(track, (64, 64), line_width=32, colors=colors).shape == (5, 64, 64, 3)
