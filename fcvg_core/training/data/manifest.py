"""The list of clips: a JSON object a line, or a list in ControlNeXt-SVD's form."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...failures import explain_disk
from ...files.plain_file import MAX_BYTES, check_file
from ...folder_names import LONGEST_ID, id_fault, id_twin
from ...json_text import parse_json
from ...quoting import quote
from .item import Item
from .official_list import official_values

EXAMPLE = 'such as {"id": "walk", "video": "walk.mp4"}'
FIELDS = tuple(name for name in Item.settings_by_key() if name != "line")
SHOWN = 20  # faults in a message


def read_manifest(path: Path) -> list[Item]:
    """All clips of a manifest, in its order.

    A clip without an id gets the name of its file; a second clip of the file has a number too.

    Args:
        path: of the file; relative paths in it begin at its folder.

    Raises:
        UserError: the file is missing or no manifest, names no clip or an id twice, or lines of it
            are wrong: the message names up to 20 of them.
    """
    text = _read(path)
    is_list = text.lstrip().startswith("[")
    items, faults = [], []
    for line, row in _list_rows(text, path) if is_list else _line_rows(text):
        try:
            values = official_values(row) if is_list else _parse(row)
            items.append(_make_item(values, line, path.absolute().parent))
        except ValueError as error:  # a UserError too
            faults.append(f"line {line}: {error}" if not is_list else f"object {line}: {error}")
    faults += _check_ids(items)
    if faults:
        raise UserError(_told(path, faults))
    if not items:
        raise UserError(f"The manifest {path} names no clip; expected an object a line, {EXAMPLE}.")
    return _with_ids(items)


def _read(path: Path) -> str:
    check_file(path, expected="a manifest of clips")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB, too much for a manifest.")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(explain_disk(error, path)) from error
    except UnicodeDecodeError as error:
        raise UserError(f"The manifest {path} is not UTF-8: save it as UTF-8.") from error


def _list_rows(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    try:
        rows = parse_json(text)
    except ValueError as error:
        raise UserError(
            f"The manifest {path} begins like a list, but it is not JSON: {error}."
        ) from error
    return enumerate(rows, 1)


def _line_rows(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank. `splitlines` would cut texts that hold other line ends."""
    return ((number, row) for number, row in enumerate(text.split("\n"), 1) if row.strip())


def _parse(row: str) -> Any:
    try:
        return parse_json(row)
    except ValueError as error:
        raise UserError(f"this is not JSON ({error}).") from error


def _make_item(values: Any, line: int, folder: Path) -> Item:
    """A clip; its id is empty if the manifest gives none."""
    if not isinstance(values, dict):
        raise UserError(f"it is {quote(values)}; expected an object, {EXAMPLE}.")
    for name in values:
        if name not in FIELDS:
            close = get_close_matches(name, FIELDS, n=1)
            meant = f"perhaps {close[0]}" if close else f"expected {', '.join(FIELDS)}"
            raise UserError(f"there is no field {quote(name)}; {meant}.")
    given = {name: value for name, value in values.items() if value is not None}
    own = given.get("id", "")
    given["id"] = str(own) if type(own) is int else own
    item = Item(line=line, **given)
    if "id" in values and (fault := id_fault(item.id)):
        raise UserError(fault)
    if (item.video is None) == (item.frames is None):
        raise UserError('a clip has either a "video" or "frames" (a folder); give one of the two.')
    return item.changed({name: _below(value, folder) for name, value in item.options().items()})


def _below(value: Any, folder: Path) -> Any:
    """A value, whose paths begin at a folder if they are relative."""
    if isinstance(value, tuple):
        return tuple(folder / path for path in value)
    return folder / value if isinstance(value, Path) else value


def _check_ids(items: list[Item]) -> list[str]:
    """Faults of ids that are given twice."""
    lines, faults = {}, []
    for item in items:
        first = lines.setdefault(id_twin(item.id), item.line) if item.id else item.line
        if first != item.line:
            faults.append(
                f"line {item.line}: the id {quote(item.id)} is that of line {first} too; ids must "
                "differ in more than case."
            )
    return faults


def _with_ids(items: list[Item]) -> list[Item]:
    """The clips, each with an id; given ids stay."""
    taken = {id_twin(item.id) for item in items}
    named = []
    for item in items:
        if not item.id:
            item = replace(item, id=_free_id(item.source.stem, taken))
            taken.add(id_twin(item.id))
        named.append(item)
    return named


def _free_id(name: str, taken: set[str]) -> str:
    """An id like a name, which no other clip has."""
    shape = "".join(c if not id_fault(f"a{c}a") else "-" for c in name)
    shape = shape.strip(". ")[: LONGEST_ID // 2] or "clip"
    if id_fault(shape):  # a device's name, or many bytes
        shape = f"clip-{shape[:20]}"
    numbered = (f"{shape}-{number}" for number in itertools.count(2))
    return next(x for x in itertools.chain([shape], numbered) if id_twin(x) not in taken)


def _told(path: Path, faults: list[str]) -> str:
    shown = [f"  {fault}" for fault in faults[:SHOWN]]
    more = [f"  and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return "\n".join([f"The manifest {path} has {count}. Correct it:", *shown, *more])
