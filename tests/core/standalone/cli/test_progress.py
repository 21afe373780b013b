"""Progress bars, and what is logged while they are shown."""

import logging
import sys

from fcvg_core.standalone.cli.progress import Bars


def test_bars(capsys) -> None:
    with Bars() as bars:
        for done in range(3):
            bars("painting", done, 2)
    shown = capsys.readouterr().err
    assert "painting:   0%" in shown and "painting: 100%" in shown and "2/2" in shown


def test_lines_of_their_own(capsys) -> None:
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
