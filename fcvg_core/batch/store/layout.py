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
from typing import Any

from ...errors import UserError
from ...folder_names import id_fault
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
