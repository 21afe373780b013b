"""Files of what a person changed of a motion, as the node Edit Motion keeps it."""

from pathlib import Path

from ...files.json_file import read_json
from ...motion import Edits
from ...motion.edits_json import EDITS_FORM, edits_from


def read_edits(path: Path) -> Edits:
    """The edits in a file.

    Raises:
        UserError: the file is missing, or has another form or a newer one.
    """
    found = read_json(path, expected=f"edits of a motion: {EDITS_FORM}")
    return edits_from(found, name=str(path))
