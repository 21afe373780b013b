"""The files that a user names, checked before any work."""

from ..files.plain_file import check_file
from .spec.part import Part


def check_named(*parts: Part) -> None:
    """Raise UserError for the first path of these parts that is no plain file."""
    for part in parts:
        for paths in part.paths().values():
            for path in paths:
                check_file(path)
