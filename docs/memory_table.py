"""Write the table of docs/memory.md: python docs/memory_table.py

tests/core/standalone/cli/commands/test_estimate.py says when the table is stale.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "memory.md"
sys.path.insert(0, str(ROOT))

from fcvg_core.standalone.cli.commands.estimate import NOTES, table  # noqa: E402
from fcvg_core.standalone.cli.options import parse_options  # noqa: E402


def with_table(page: str) -> str:
    """The page with the table that `python -m fcvg_core estimate` prints."""
    lines = "\n".join(table(parse_options(["estimate"])))
    notes = "\n\n".join(NOTES)
    made = f"<!-- estimate -->\n{lines}\n\n{notes}\n<!-- end -->"
    return re.sub("<!-- estimate -->.*<!-- end -->", lambda _: made, page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8", newline="\n")
