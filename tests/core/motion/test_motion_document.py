"""docs/motion.md: its example is what is written, and its numbers are those of the code."""

import re

import torch
from hosts import ROOT

from fcvg_core.ids import MAX_ID
from fcvg_core.lines.matches_json import MAX_LINES
from fcvg_core.motion import Span, format_edits, hold_still, merge_edits, parse_edits
from fcvg_core.motion.edits import EDITS
from fcvg_core.motion.edits_json import EDIT_KEYS, LINE_KEYS, LISTS, MAX_HOLDS
from fcvg_core.motion.nearest import LINE_TOLERANCE, LONGER_SIDE, PERSON_TOLERANCE
from fcvg_core.paths.paths_json import MAX_PATHS
from fcvg_core.pose.openpose import MAX_PEOPLE
from fcvg_core.timeline import EASINGS

TEXT = (ROOT / "docs" / "motion.md").read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())
(EXAMPLE,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_is_what_the_node_writes() -> None:
    edits = parse_edits(EXAMPLE, name="the example")
    assert format_edits(edits) == EXAMPLE
    assert [row.edit for row in edits.matches] == ["moved", "deleted", "drawn"]


def test_the_example_of_nothing_that_was_found() -> None:
    merged = merge_edits(parse_edits(EXAMPLE, name="the example"), Span(), (576, 1024))
    assert merged.stale == {"matches": [12], "people": []}
    span = hold_still(merged.motion.spans[0], (576, 1024))
    held = span.matches.lines0[0] if span.matches.kept_ends[0] else None
    assert torch.equal(span.matches.lines1[0], held)  # line 7 lies in the region
    assert [path.points.shape[0] for path in span.paths] == [4, 1]


def test_all_keys_and_words_are_explained() -> None:
    for word in {*LISTS, *EDIT_KEYS, *LINE_KEYS, *EDITS, *EASINGS, "size", "points", "speed"}:
        assert f"`{word}`" in TEXT, word


def test_its_numbers() -> None:
    assert f"within {LINE_TOLERANCE:.0f} pixels" in WORDS
    assert f"within {PERSON_TOLERANCE:.0f} pixels on average" in WORDS
    assert f"longer side is {LONGER_SIDE} pixels" in WORDS
    assert f"a whole number from 0 to {MAX_ID}." in WORDS
    assert MAX_PEOPLE == MAX_HOLDS
    assert f"may be {MAX_LINES:,} rows in `matches`, {MAX_PEOPLE:,} in `people`" in WORDS
    assert f"and {MAX_PATHS:,} in `paths`" in WORDS
