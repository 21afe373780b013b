"""Progress in a terminal and in a file, and what is logged while it is shown."""

import logging
import sys

from fcvg_core.standalone.cli import progress
from fcvg_core.standalone.cli.progress import Bars


def test_bars(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Bars() as bars:
        for done in range(3):
            bars("painting", done, 2)
    shown = capsys.readouterr().err
    assert "painting:   0%" in shown and "painting: 100%" in shown and "2/2" in shown


def test_lines_of_their_own(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    root = logging.getLogger()
    level, handler = root.level, logging.StreamHandler(sys.stderr)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with Bars() as bars:
            bars("painting", 0, 2)
            logging.info("164 lines match.")
            bars("painting", 2, 2)
        assert handler in root.handlers
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "164 lines match." in [line.strip() for line in lines]


def test_a_file_gets_a_line_at_the_end_of_a_stage(capsys) -> None:
    with Bars() as bars:
        for stage in ("loading", "painting"):
            for done in range(4):
                bars(stage, done, 3)
        bars("painting", 3, 3)
        for total in (5, 2):  # a video that turns out to be shorter
            bars("poses", 2, total)
    shown = capsys.readouterr().err
    assert shown.splitlines() == [
        "loading: 100% (3 of 3) after 0 s",
        "painting: 100% (3 of 3) after 0 s",
        "poses: 100% (2 of 2) after 0 s",
    ]


def test_a_file_gets_a_line_a_minute(capsys, monkeypatch) -> None:
    """So that the log of a long run shows that it goes on."""
    now = iter(range(0, 1000, 25))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with Bars() as bars:
        for done in range(5):
            bars("painting", done, 8)
    assert capsys.readouterr().err == "painting: 25% (2 of 8) after 75 s\n"
