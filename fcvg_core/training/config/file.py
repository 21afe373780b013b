"""Reads and writes a training file: TOML, with a table for each part."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...files.plain_file import check_file
from ...quoting import quote
from ...standalone.spec.part import Part, to_plain
from .parts import TrainingSpec

MAX_BYTES = 2**20
EXPECTED = "a training file in TOML, see docs/training.md"
PARTS = {x.name: x.default_factory for x in fields(TrainingSpec) if "kind" not in x.metadata}
SINGLE = tuple(x.name for x in fields(TrainingSpec) if x.name not in PARTS)


def read_config(path: Path) -> TrainingSpec:
    """What a training file says; what it leaves out has its default.

    Args:
        path: a file in TOML. Its relative paths begin at its folder.

    Raises:
        UserError: the file is missing or no TOML, or has a table, a field or a value that there
            is not; the message names the table and the field.
        ModuleNotFoundError: Python is older than 3.11, and the package tomli is missing.
    """
    content = _parse(path)
    _check_names(content, (*SINGLE, *PARTS), where=str(path))
    values = {}
    for name, kind in PARTS.items():
        table = content.pop(name, {})
        where = f"{path}, table [{name}]"
        if not isinstance(table, dict):
            raise UserError(f"{path}: {name} is {quote(table)}: expected a table [{name}].")
        _check_names(table, kind.settings_by_key(), where=where)
        values[name] = _made(kind, table, where=where, folder=path.absolute().parent)
    return _made(
        TrainingSpec, {**content, **values}, where=str(path), folder=path.absolute().parent
    )


def to_tables(spec: TrainingSpec) -> dict[str, Any]:
    """Every value as JSON has it, in tables as in a training file."""
    values = {x.name: getattr(spec, x.name) for x in fields(spec)}
    return {
        name: _plain(value.options()) if isinstance(value, Part) else to_plain(value)
        for name, value in values.items()
    }


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: to_plain(value) for key, value in options.items()}


def _parse(path: Path) -> dict[str, Any]:
    """The tables and values of a file."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    check_file(path, expected=EXPECTED)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB; expected {EXPECTED}.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}); expected {EXPECTED}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8; expected {EXPECTED}.") from error
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        advice = " Write a Windows path in 'single quotes'." if "\\" in text else ""
        raise UserError(f"{path} is not TOML: {error}; expected {EXPECTED}.{advice}") from error


def _made(kind: type[Part], values: Mapping[str, Any], *, where: str, folder: Path) -> Part:
    """A part of a file, whose own paths begin at a folder."""
    try:
        part = kind(**values)
        own = (x.name for x in fields(kind) if "kind" in x.metadata)
        paths = {name: getattr(part, name) for name in own}
        return part.changed({k: folder / v for k, v in paths.items() if isinstance(v, Path)})
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _check_names(found: Iterable[str], known: Iterable[str], *, where: str) -> None:
    """Raise UserError for a name that there is not, with the name that was meant."""
    known = tuple(known)
    for name in found:
        if name in known:
            continue
        homes = [f"[{table}]" for table, kind in PARTS.items() if name in kind.settings_by_key()]
        close = get_close_matches(name, known, n=1)
        if close:
            remedy = f"Perhaps {close[0]} is meant"
        elif homes:
            remedy = f"It belongs into {' or '.join(homes)}"
        else:
            remedy = f"There is: {', '.join(known)}"
        raise UserError(f"{where}: there is no field or table {quote(name)}. {remedy}.")
