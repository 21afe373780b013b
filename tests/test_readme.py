"""The README shows what exists; commands and files that texts and workflows name exist."""

import re
import sys
from functools import cache

from hosts import ROOT

from fcvg_core.catalogue.families import list_files
from fcvg_core.standalone.cli.commands import COMMANDS
from fcvg_core.standalone.cli.options import build_command

sys.path.append(str(ROOT / "docs"))
import help as help_pages  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    path
    for folder, names in (
        (".", "*.md"), ("docs", "*.md"), ("web/docs", "*.md"), ("workflows", "*.json"),
    )
    for path in (ROOT / folder).glob(names)
)  # fmt: skip
# A command of the pack up to the end of its line or of its code (in JSON a line ends with "\n").
COMMAND = re.compile(r"fcvg_core ([a-z][a-z-]+)((?:(?!\\n)[^\n`#|])*)")
NOT_IN_README = {"sample-frames"}  # for a first look without pictures: its --help is enough


@cache
def options_of(command: str) -> set[str]:
    return {name for action in build_command(command)._actions for name in action.option_strings}


def test_every_command_is_shown() -> None:
    shown = {name for name, _ in COMMAND.findall(README)}
    assert set(COMMANDS) - shown == NOT_IN_README


def test_every_node_is_in_the_table() -> None:
    table = README.split("\n## Nodes\n")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (.+?) \|", table, re.M) for name in row.split(", ")}
    assert {schema.display_name for schema in help_pages.read_schemas()} - named == set()


def test_every_file_that_a_node_reads_or_writes_is_in_the_security_policy() -> None:
    policy = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    of_files = {"file", "filename_prefix"}
    for schema in help_pages.read_schemas():
        if of_files & {port.name for port in schema.inputs}:
            assert f"*{schema.display_name}*" in policy


def test_every_workflow_is_linked() -> None:
    links = set(re.findall(r"\]\((workflows/[^)]+json)\)", README))
    assert {x.relative_to(ROOT).as_posix() for x in (ROOT / "workflows").rglob("*.json")} == links


def test_commands_that_are_shown_exist() -> None:
    """Their options, and the files that they download."""
    keys = {file.key for file in list_files()}
    for page in PAGES:
        for name, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
            if name not in COMMANDS:
                continue  # in a sentence
            where = f"{page.name}: {name}{rest}"
            assert set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", rest)) <= options_of(name), where
            if only := re.search(r"--only ([a-z0-9 -]+)", rest):
                assert set(only[1].split()) <= keys, where


def test_files_of_the_architecture_exist() -> None:
    """A name without a folder is a file beside the one before it."""
    rooms = [ROOT / room for room in ("", "nodes", "fcvg_core", "fcvg_core/batch")]
    rooms.append(ROOT / "fcvg_core" / "training")
    missing = []
    for row in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        for cell in row.split("|"):
            before = ROOT
            for name in re.findall(r"`([\w./-]*/[\w./-]+|\w+\.py)`", cell):
                found = [path for room in (before, *rooms) if (path := room / name).exists()]
                if found:
                    before = found[0].parent
                else:
                    missing.append(name)
    assert missing == []
