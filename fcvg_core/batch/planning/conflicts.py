"""What differs between a result and the task that has the same id."""

import re
from collections.abc import Mapping
from typing import Any

from ...quoting import in_short, quote
from ..types import Task
from .keys import NO_PART

SHOWN = 3  # differences of a result
MISSING = "not given"


def difference(record: Mapping[str, Any] | None, task: Task, recipe: int) -> str:
    """What differs, in words: "steps is 10 there and 25 here".

    Args:
        record: of the result; None if it can't be read.
        recipe: version of what the task makes.
    """
    if record is None:
        return "its record can't be read"
    if record.get("mode") != task.mode:
        return f"mode is {quote(record.get('mode'))} there and {quote(task.mode)} here"
    if record.get("recipe") != recipe:
        return f"it was made by version {quote(record.get('recipe'))} of {task.mode}, now {recipe}"
    inputs = record.get("inputs") or {}
    found = [*_files(inputs, task.inputs), *_options(record.get("options") or {}, inputs, task)]
    return in_short(found, most=SHOWN) if found else "its key"


def _files(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Files that differ."""
    found = []
    for name in [*here, *(name for name in there if name not in here)]:
        if name not in there:
            found.append(f"{name} is {MISSING} there")
        elif name not in here:
            found.append(f"{name} is {MISSING} here")
        elif there[name] != here[name]:
            found.append(f"{name} holds something else here")
    return found


def _options(there: Mapping[str, Any], inputs: Mapping[str, str], task: Task) -> list[str]:
    """Options that differ, but for paths: the content of their files was compared."""
    paths = {re.sub(r"[0-9]+$", "", name) for name in (*inputs, *task.inputs)}
    paths |= {*inputs, *task.inputs, *NO_PART}
    here = task.options
    return [
        f"{name} is {_said(there, name)} there and {_said(here, name)} here"
        for name in [*here, *(name for name in there if name not in here)]
        if name not in paths and there.get(name) != here.get(name)
    ]


def _said(options: Mapping[str, Any], name: str) -> str:
    return quote(options[name]) if name in options else MISSING
