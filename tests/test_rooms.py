"""The picture of the rooms."""

import sys
from graphlib import TopologicalSorter

from hosts import ROOT

sys.path.append(str(ROOT / "docs"))
import rooms  # noqa: E402


def test_the_picture_is_of_this_code():
    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.draw(), "stale: run make docs"


def test_no_room_stands_below_itself():
    below = {room: {low for high, low in rooms.arrows() if high == room} for room in rooms.rooms()}
    TopologicalSorter(below).prepare()  # raises CycleError, which names the rooms


def test_arrows_that_follow_are_left_out():
    pairs = {("a", "b"), ("b", "c"), ("a", "c")}
    assert rooms.reduced(pairs) == [("a", "b"), ("b", "c")]
