"""Files of line matches, see `lines.matches_json` for their form."""

from pathlib import Path

from ...files.json_file import read_json
from ...lines import MATCHES_FORM, LineMatches, parse_matches


def read_matches(path: Path) -> LineMatches:
    """Line matches from a file.

    Raises:
        UserError: the file is missing, or has another form or a newer one.
    """
    return parse_matches(read_json(path, expected=f"line matches: {MATCHES_FORM}"), name=str(path))
