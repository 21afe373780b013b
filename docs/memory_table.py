"""Write the tables of docs/memory.md: python docs/memory_table.py

tests/core/standalone/cli/commands/test_estimate.py says when a table is stale.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "memory.md"
sys.path.insert(0, str(ROOT))

from fcvg_core.choices import DROPLETVIDEO, DYNAMICRAFTER, SMCD  # noqa: E402
from fcvg_core.standalone.cli.commands.estimate import NOTES, table  # noqa: E402
from fcvg_core.standalone.cli.options import parse_options  # noqa: E402


def with_tables(page: str) -> str:
    """The page with the tables that `python -m fcvg_core estimate` prints for four families."""
    for family, notes in (("fcvg", NOTES), (DYNAMICRAFTER, ()), (DROPLETVIDEO, ()), (SMCD, ())):
        lines = table(parse_options(["estimate", "--family", family]))
        made = "\n\n".join(["\n".join(lines), *notes])
        begin, end = f"<!-- estimate {family} -->\n", "<!-- end -->"
        between = re.compile(f"(?<={begin}).*?(?={end})", re.DOTALL)
        page = between.sub(lambda _, made=made: f"{made}\n", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8", newline="\n")
