"""What the makers of several jobs have in common."""

import pytest

from fcvg_core.standalone.frame_maker import Opened
from fcvg_core.standalone.preview import PreviewMaker
from fcvg_core.standalone.spec import PreviewSpec


class TestOpened:
    def test_equal_keys_open_a_thing_once(self) -> None:
        opened, calls = Opened(), []
        things = [opened.get("matcher", key, lambda: calls.append(0) or object()) for key in "aab"]
        assert things[0] is things[1] is not things[2] and len(calls) == 2

    def test_kinds_do_not_meet(self) -> None:
        opened = Opened()
        assert opened.get("matcher", 1, lambda: "m") == opened.get("matcher", 1, lambda: "other")
        assert opened.get("detector", 1, lambda: None) is None
        assert opened.get("detector", 1, lambda: "other") is None  # None is a thing too

    def test_the_last_thing_goes_before_another_is_opened(self) -> None:
        opened, seen = Opened(), []
        opened.get("networks", 1, lambda: "first")
        opened.get("networks", 2, lambda: seen.append(dict(opened._things)) or "second")
        assert seen == [{}]

    def test_a_failure_is_not_kept(self) -> None:
        opened = Opened()
        opened.get("networks", 1, object)
        with pytest.raises(ZeroDivisionError):
            opened.get("networks", 2, lambda: 1 // 0)
        assert opened.get("networks", 2, lambda: "again") == "again"

    def test_forget(self) -> None:
        opened = Opened()
        opened.get("networks", 1, lambda: "first")
        opened.forget("networks")
        opened.forget("networks")
        assert opened.get("networks", 1, lambda: "second") == "second"


def test_a_maker_of_another_family_is_no_help() -> None:
    maker = PreviewMaker(PreviewSpec(machine=PreviewSpec().machine), like=object())
    other = PreviewMaker(PreviewSpec(), like=maker)
    assert other.opened is maker.opened and other.roots is maker.roots
    assert PreviewMaker(PreviewSpec()).opened is not maker.opened
