"""A folder of pairs as a manifest: NAME/first.* and NAME/last.* make the pair NAME."""

from ..store.layout import MARK
from .rows import Rows

WANTED = ("first", "last")


def read_pairs(folders: dict[str, list[str]], found: Rows) -> None:
    """Add a row for each folder.

    Args:
        folders: name of each folder inside -> names of the files in it. Hidden ones are left
            out, and those of batches: OUT may lie beside the pairs.
    """
    shown = {
        name: files
        for name, files in folders.items()
        if not name.startswith(".") and MARK not in files
    }
    for number, name in enumerate(sorted(shown), 1):
        files = [file for file in shown[name] if not file.startswith(".")]
        fitting = {
            role: sorted(file for file in files if file.rpartition(".")[0].lower() == role)
            for role in WANTED
        }
        paths = {role: f"{name}/{named[0]}" for role, named in fitting.items() if named}
        found.add(number, {"id": name, **paths}, fault=_fault(name, fitting))
    if not found.rows and not found.faults:
        found.faults.append(
            "it holds no pairs; expected folders, each with a picture first.* and a picture last.*"
        )


def _fault(name: str, fitting: dict[str, list[str]]) -> str:
    """Why a folder is no pair; empty if it is one."""
    for role, files in fitting.items():
        if not files:
            return f"The folder {name} has no picture {role}.*: put it there."
        if len(files) > 1:
            return f"The folder {name} has {' and '.join(files)}: leave one of them there."
    return ""
