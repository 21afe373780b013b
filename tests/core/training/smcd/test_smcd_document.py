"""docs/smcd_training.md: its tables and commands are the code's."""

import re
import shlex
import sys
from dataclasses import fields

import pytest
from hosts import ROOT

from fcvg_core.standalone.cli.commands import COMMANDS
from fcvg_core.standalone.cli.options import parse_options

sys.path.append(str(ROOT / "docs"))
import training_tables  # noqa: E402

TEXT = training_tables.SMCD_PAGE.read_text(encoding="utf-8")
LINES = [
    shlex.split(line.split("fcvg_core ", 1)[1])
    for text in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    for line in text.splitlines()
]


def test_tables_of_options_are_those_of_the_code():
    parts = training_tables.SMCD_PARTS
    assert training_tables.with_tables(TEXT, parts) == TEXT, "run python docs/training_tables.py"
    for part in parts.values():
        named = " ".join(row[0] for row in training_tables.rows_of(part))
        own = {f"--{each.name}".replace("_", "-") for each in fields(part)}
        assert own <= set(re.findall(r"`(--[\w-]+)`", named))


@pytest.mark.parametrize("words", LINES, ids=lambda words: " ".join(words[:3]))
def test_commands(words):
    if words[0] not in COMMANDS:
        pytest.skip(f"there is no command {words[0]}")
    parse_options(words)
