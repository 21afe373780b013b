"""A manifest as a table in CSV: the first line names the columns."""

import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from ...quoting import quote
from .rows import Rows

SEPARATORS = ",;\t"  # some programs write ; where a comma is the decimal point
HINT = "sep="  # tells Excel the separator, in a line before the names of the columns


def read_csv(texts: Iterable[str], found: Rows) -> None:
    """Add each line after the first to `found` as a row or as a fault.

    An empty cell is an option that is not given. Rows and columns of empty cells are left out.
    """
    texts = iter(texts)
    first = []  # up to the names of the columns
    for text in texts:
        text = "\n" if text.lower().startswith(HINT) else text
        first.append(text)
        if text.strip():
            break
    separator = max(SEPARATORS, key="".join(first).count)
    reader = csv.reader(itertools.chain(first, texts), strict=True, delimiter=separator)
    reading = (row for row in _cells(reader, found) if row[1])
    columns = [name.strip() for name in next(reading, (1, []))[1]]
    if not _check_head(columns, found):
        return
    for line, cells in reading:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            found.refuse(
                line, f"expected a cell for each of the {len(columns)} columns, got {len(cells)}."
            )
            continue
        given = ((name, cell.strip()) for name, cell in zip(columns, cells, strict=True))
        found.add(line, {name: cell or None for name, cell in given if name or cell})


def _check_head(columns: list[str], found: Rows) -> bool:
    """Whether the columns' names can be used; what is wrong becomes a fault."""
    if found.faults:  # the first line is no text
        return False
    if not columns:
        found.refuse(1, "there are no columns; expected their names, such as id,first,last.")
    elif "id" not in columns:
        found.refuse(1, f"there is no column id, only {', '.join(map(quote, columns[:10]))}.")
    for name, count in Counter(columns).items():
        if name and count > 1:
            found.refuse(1, f"the column {quote(name)} is there {count} times.")
    return not found.faults


def _cells(reader, found: Rows) -> Iterator[tuple[int, list[str]]]:
    """The first line of each row, and its cells. Nothing can be read after a broken quote."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found.refuse(line, f"the row that begins here is not CSV ({error}): check its quotes.")
            return
        yield line, cells
