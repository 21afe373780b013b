"""What a manifest consists of."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ...errors import UserError
from ...folder_names import id_fault, id_twin
from ...quoting import quote

SHOWN = 20  # faults in a message


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of a manifest, or whatever else its mode takes.

    Attributes:
        line: of the manifest, from 1; in a folder of pairs the number of the pair.
        id: unlike any other id of the manifest, also for a disk that ignores case.
        mode: the command that does it; None: the one that is chosen for all rows.
        table: its options by their names, as compact JSON.
        fault: why it can't be done; empty if nothing is known.
    """

    line: int
    id: str
    mode: str | None
    table: bytes
    fault: str = ""

    def options(self) -> dict[str, Any]:
        """Its options by their names, as the manifest has them."""
        return json.loads(self.table)


@dataclass(frozen=True)
class Manifest:
    """All rows of a manifest.

    Attributes:
        source: file, folder or URL that was read.
        folder: path or URL that relative paths of the rows begin at.
        typed: whether values are texts, as in CSV, and not values of JSON.
        rows: in the order of the manifest.
    """

    source: str
    folder: str
    typed: bool
    rows: list[Row]


class ManifestError(UserError):
    """A manifest can't be used.

    Attributes:
        faults: all that is wrong, each with its line.
        manifest: the rows in which nothing of the kind is wrong, so that a dry run can go on.
    """

    def __init__(self, faults: list[str], manifest: Manifest):
        self.faults, self.manifest = tuple(faults), manifest
        shown = [f"  {fault}" for fault in faults[:SHOWN]]
        more = [f"  and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        head = f"The manifest {manifest.source} has {count}; nothing was done. Correct it:"
        super().__init__("\n".join([head, *shown, *more]))


class Rows:
    """Gathers the rows and the faults of a manifest while it is read."""

    def __init__(self, modes: Collection[str] | None = None) -> None:
        """Begin with none.

        Args:
            modes: names of the modes that a row can have; None: any.
        """
        self._modes = modes
        self.rows: list[Row] = []
        self.faults: list[str] = []
        self._lines: dict[str, int] = {}  # id, as a disk may see it -> line

    def add(self, line: int, values: Mapping[str, Any], *, fault: str = "") -> None:
        """Add a row.

        Args:
            line: of the manifest.
            values: of its columns, `id` and `mode` among them; None is a value that is not given.
            fault: why the row can't be done, if it is known already.
        """
        table = {name: value for name, value in values.items() if value is not None}
        own, mode = table.pop("id", None), table.pop("mode", None)
        if type(own) is int:
            own = str(own)
        wrong = [_check_id(own), *([] if mode is None else [_check_mode(mode, self._modes)])]
        if any(wrong):
            self.faults += [f"line {line}: {said}" for said in wrong if said]
            return
        first = self._lines.setdefault(id_twin(own), line)
        if first != line:
            self.faults.append(
                f"line {line}: the id {quote(own)} is that of line {first} too; some disks ignore "
                "case, so ids must differ in more than case."
            )
            return
        packed = json.dumps(table, separators=(",", ":")).encode()
        self.rows.append(Row(line, own, mode, packed, fault))

    def refuse(self, line: int, said: str, *, column: int | None = None) -> None:
        """Note a line that can't be read."""
        where = f"line {line}" if column is None else f"line {line}, column {column}"
        self.faults.append(f"{where}: {said}")


def _check_id(own: Any) -> str:
    """What is wrong with an id; empty if nothing is."""
    if own is None:
        return "it has no id: give each row an id of its own."
    if not isinstance(own, str):
        return f"the id is {quote(own)}; expected a text or a whole number."
    return id_fault(own) or ""


def _check_mode(mode: Any, modes: Collection[str] | None) -> str:
    """What is wrong with the name of a mode; empty if nothing is."""
    if not isinstance(mode, str):
        return f"mode is {quote(mode)}; expected the name of a mode."
    if modes is None or mode in modes:
        return ""
    close = get_close_matches(mode, modes, n=1)
    meant = f"perhaps {close[0]}" if close else f"expected one of {', '.join(modes)}"
    return f"there is no mode {quote(mode)}; {meant}."
