"""Names in the folder of a batch, which is called OUT.

    batch.json        marks the folder as that of a batch
    results/NAME/     a whole result; its record is record.json, or records/NAME.json in a bucket
    failed/NAME.json  why a task failed
    claims/NAME...    which driver does a task now
    drivers/DRIVER    heartbeat of a driver
    runs.jsonl        what happened to each task
    hashes.jsonl      hashes of inputs that were read before
    report.html       one page that shows all results
    .partial/         results that are being made

NAME is the id of a task, a hyphen, and the first 12 digits of its content key.
"""

import json
import re
import unicodedata
from typing import Any

from ...errors import UserError
from ...json_text import parse_json
from ...quoting import in_short, quote
from ..types import Store

VERSION = 1  # of this layout
MARK = "batch.json"
RESULTS = "results"
RECORDS = "records"  # of an object store, which has no folder that appears at once
RECORD = "record.json"
FAILED = "failed"
CLAIMS = "claims"
DRIVERS = "drivers"
LEDGER = "runs.jsonl"
HASHES = "hashes.jsonl"
REPORT = "report.html"
PARTIAL = ".partial"

KEY_DIGITS = 12  # of the content key in a name: two of a million names are equal once in 500 cases
LONGEST_ID = 100  # characters
MOST_BYTES = 200  # of an id in UTF-8; a disk takes names of 255 bytes
MARKS = "._- "
RULE = (
    f"an id has 1 to {LONGEST_ID} letters, digits, dots, underscores, hyphens and, inside, spaces; "
    "its first character is no dot"
)
# Windows opens a device for these names, whatever follows a dot.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def id_fault(text: str) -> str | None:
    """What is wrong with an id, as a sentence with the remedy; None if it can name a folder."""
    if not text:
        return f"The id is empty: {RULE}."
    if len(text) > LONGEST_ID or len(text.encode(errors="replace")) > MOST_BYTES:
        return f"The id {quote(text)} has {len(text)} characters, which is too long: {RULE}."
    wrong = [c for c in dict.fromkeys(text) if not (c in MARKS or _is_letter(c))]
    if wrong:
        shown = in_short([ascii(c) for c in wrong], between=", ")
        return f"The id {quote(text)} holds {shown}: {RULE}."
    if text[0] in ". " or text[-1] == " ":
        return f"The id {quote(text)} begins with a dot or a space, or ends with a space: {RULE}."
    if _DEVICES.fullmatch(text):
        return f"The id {quote(text)} is the name of a device of Windows: choose another id."
    return None


def id_twin(text: str) -> str:
    """Equal for ids that are the same name on some disk: those ignore case and how accents are put.

    A manifest may hold only one id of a twin.
    """
    return unicodedata.normalize("NFC", text).casefold()


def _is_letter(character: str) -> bool:
    """Whether a character is a letter, a digit or an accent that is put on one."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def result_name(task_id: str, key: str) -> str:
    """Name of a task's result.

    Args:
        key: content key, in hexadecimal digits.

    Raises:
        ValueError: the id can't be the name of a folder, or the key is too short.
    """
    fault = id_fault(task_id)
    if fault or len(key) < KEY_DIGITS:
        raise ValueError(fault or f"the key {key!r} has less than {KEY_DIGITS} digits")
    return f"{task_id}-{key[:KEY_DIGITS]}"


def split_name(name: str) -> tuple[str, str]:
    """Id and head of the key of a result's name."""
    return name[: -KEY_DIGITS - 1], name[-KEY_DIGITS:]


def begin(store: Store, *, make: bool = True) -> None:
    """Make a new or empty OUT the folder of a batch, or check that it is one.

    Args:
        make: False if nothing may be written (a dry run).

    Raises:
        UserError: OUT holds something else, or was made by another version, or can't be written.
    """
    content = store.read(MARK)
    if content is None:
        _check_empty(store)
        if make:  # another driver, which begins at the same moment, writes the same
            store.write(MARK, json.dumps({"version": VERSION}).encode() + b"\n")
        return
    try:
        version: Any = parse_json(content)["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{store.address} holds a file {MARK} that is not of a batch: choose another folder "
            "with -o."
        ) from error
    if version != VERSION:
        raise UserError(
            f"{store.address} was made by another version of this program (its {MARK} has version "
            f"{quote(version)}, this program knows {VERSION}): choose another folder with -o, or "
            "use that version."
        )


def _check_empty(store: Store) -> None:
    """Raise UserError if the folder holds something; what a killed driver began does not count."""
    found = [name for name in store.names("") if not name.startswith(".")]
    if found and store.read(MARK) is None:  # otherwise another driver began meanwhile
        shown = in_short([quote(name) for name in sorted(found)], between=", ")
        raise UserError(
            f"{store.address} is not empty ({shown}), and it is not the folder of an earlier batch "
            f"(it has no {MARK}): choose a new or an empty folder with -o."
        )
