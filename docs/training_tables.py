"""Write the tables in docs/training.md and docs/smcd_training.md: python docs/training_tables.py

tests/core/training/test_training_document.py says when a table is stale.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE, SMCD_PAGE = (ROOT / "docs" / name for name in ("training.md", "smcd_training.md"))
sys.path.insert(0, str(ROOT))

from fcvg_core.standalone.spec.part import Part, to_plain  # noqa: E402
from fcvg_core.standalone.spec.values import PATH, TEXT, TWO_FILES  # noqa: E402
from fcvg_core.training.config import TrainingSpec  # noqa: E402
from fcvg_core.training.data import Item  # noqa: E402
from fcvg_core.training.smcd.spec import OFFICIAL, SmcdTrainingSpec  # noqa: E402

HEAD = ("field", "default", "values", "meaning")


def parts_of(spec: type[Part]) -> dict[str, type[Part]]:
    """The parts inside of a spec, by name."""
    inside = (each for each in fields(spec) if "kind" not in each.metadata)
    return {each.name: each.default_factory for each in inside}


# Name of a table -> the part whose fields it has.
PARTS = {"top": TrainingSpec, "manifest": Item} | parts_of(TrainingSpec)
SMCD_PARTS = parts_of(SmcdTrainingSpec)
SMCD_NAMES = {name: official for official, name in OFFICIAL.items()}
# Kinds of which messages say more than a table has room for.
WORDS = {id(PATH): "a path", id(TWO_FILES): "two paths", id(TEXT): "a text"}
HIDDEN = ("line",)  # that no user gives


def with_tables(page: str, parts: dict[str, type[Part]] = PARTS) -> str:
    """The page with a table for each part, such as a table of a training file."""
    for name, part in parts.items():
        rows = [HEAD, ("---",) * len(HEAD), *rows_of(part)]
        made = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        begin, end = f"<!-- fields {name} -->\n", "<!-- end -->"
        between = re.compile(f"(?<={begin}).*?(?={end})", re.DOTALL)
        page = between.sub(lambda _, made=made: f"{made}\n", page, count=1)
    return page


def rows_of(part: type[Part]) -> Iterator[tuple[str, ...]]:
    """A row for each field of a part; fields that are explained together share a row."""
    own = {each.name: each for each in fields(part) if "kind" in each.metadata}
    for names, meaning in _explained(part):
        found = [own[name] for name in names if name in own and name not in HIDDEN]
        if found:
            kinds = dict.fromkeys(_kind(each.metadata["kind"]) for each in found)
            defaults = dict.fromkeys(_default(each.default) for each in found)
            shown = ", ".join(_shown(each.name, part) for each in found)
            yield shown, ", ".join(defaults), "; ".join(kinds), meaning


def _shown(name: str, part: type[Part]) -> str:
    """A field as a training file names it; or an option, with its official name."""
    if part not in SMCD_PARTS.values():
        return f"`{name}`"
    names = [f"--{name.replace('_', '-')}"]
    if name in SMCD_NAMES:
        names.append(f"--{SMCD_NAMES[name]}")
    return " ".join(f"`{each}`" for each in names)


def _explained(part: type[Part]) -> Iterator[tuple[list[str], str]]:
    """The names of fields, and what the docstring says of them."""
    text = inspect.cleandoc(part.__doc__).split("Attributes:\n", 1)[1]
    for entry in re.split(r"\n    (?=\S)", f"\n{text}"):
        names, _, meaning = entry.strip().partition(": ")
        if meaning:
            yield names.split(", "), " ".join(meaning.split())


def _kind(kind: Any) -> str:
    return WORDS.get(id(kind), kind.expected)


def _default(value: Any) -> str:
    if value is None or not isinstance(value, (str, int, float, Path, tuple)):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    return f'"{to_plain(value)}"' if isinstance(value, (str, Path)) else str(value)


if __name__ == "__main__":
    for page, parts in ((PAGE, PARTS), (SMCD_PAGE, SMCD_PARTS)):
        page.write_text(with_tables(page.read_text("utf-8"), parts), "utf-8", newline="\n")
