"""The one list of families; their modes, files and ComfyUI's folders follow from it."""

from collections.abc import Iterable

from .controlnext_svd import CONTROLNEXT_SVD
from .dropletvideo import DROPLETVIDEO
from .dynamicrafter import DYNAMICRAFTER
from .fcvg import FCVG
from .model_files import Family, ModelFile, Roots
from .smcd import SMCD_FAMILY

# A new family adds its line here.
FAMILIES: list[Family] = [
    FCVG,
    CONTROLNEXT_SVD,
    DYNAMICRAFTER,
    DROPLETVIDEO,
    SMCD_FAMILY,
]


def list_modes() -> dict[str, str]:
    """Purpose of each mode, by the mode's word: "inbetween" -> "the frames between two frames"."""
    return {family.mode: family.purpose for family in FAMILIES}


def list_files(modes: Iterable[str] | None = None, *, needed: bool = False) -> list[ModelFile]:
    """Model files, each once: first the files that a family needs, then the files that only help.

    Alternatives, of which a family needs one, and files for the command count as needed here.

    Args:
        modes: words of modes; None for all families.
        needed: leave out the files that only help.
    """
    chosen = [family for family in FAMILIES if modes is None or family.mode in modes]
    files = [
        file
        for family in chosen
        for file in (*family.needed, *family.alternatives, *family.for_command)
    ]
    if not needed:
        files += [file for family in chosen for file in family.helpful]
    return list(dict.fromkeys(files))


def modes_needing(file: ModelFile) -> list[str]:
    """Modes that can't do without a file."""
    return [family.mode for family in FAMILIES if file in family.needed]


def modes_choosing(file: ModelFile) -> list[str]:
    """Modes that need one of several files, of which this file is one."""
    return [family.mode for family in FAMILIES if file in family.alternatives]


def modes_helped_by(file: ModelFile) -> list[str]:
    """Modes that a file makes better, or whose command needs it."""
    return [family.mode for family in FAMILIES if file in (*family.helpful, *family.for_command)]


def modes_with_command(file: ModelFile) -> list[str]:
    """Modes whose command can't do without a file."""
    return [family.mode for family in FAMILIES if file in family.for_command]


def list_kinds() -> list[str]:
    """ComfyUI's folders of models that the files of all families go to."""
    return list(
        dict.fromkeys(place.partition("/")[0] for file in list_files() for place in file.comfyui)
    )


def missing(mode: str, roots: Roots) -> list[ModelFile]:
    """Files that a mode can't do without and that are in none of the folders."""
    files = (file for file in list_files([mode], needed=True) if mode in modes_needing(file))
    return [file for file in files if file.find(roots) is None]


def missing_for_command(mode: str, roots: Roots) -> list[ModelFile]:
    """Files that are in none of the folders, and without which a mode's command does not work."""
    families = (family for family in FAMILIES if family.mode == mode)
    files = (file for family in families for file in family.for_command)
    return [file for file in files if file.find(roots) is None]


def missing_choice(mode: str, roots: Roots) -> list[ModelFile]:
    """The alternatives of a mode, if none of them is in the folders."""
    files = [file for file in list_files([mode]) if mode in modes_choosing(file)]
    return [] if any(file.find(roots) for file in files) else files


def missing_beside(mode: str, roots: Roots) -> list[ModelFile]:
    """Files without which none of a mode's alternatives in the folders works; else empty."""
    there = [x for x in list_files([mode]) if mode in modes_choosing(x) and x.find(roots)]
    lacking = [[file for file in one.needs if file.find(roots) is None] for one in there]
    return min(lacking, key=len, default=[])


def ways_without(mode: str) -> list[str]:
    """What can be done in a mode without some of the files that it needs, as sentences."""
    return [family.otherwise for family in FAMILIES if family.mode == mode and family.otherwise]
