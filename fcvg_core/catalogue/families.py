"""The one list of families; their modes, files and ComfyUI's folders follow from it."""

from collections.abc import Iterable

from .controlnext_svd import CONTROLNEXT_SVD
from .fcvg import FCVG
from .model_files import Family, ModelFile, Roots

# A new family adds its line here.
FAMILIES: list[Family] = [
    FCVG,
    CONTROLNEXT_SVD,
]


def list_modes() -> dict[str, str]:
    """Purpose of each mode, by the mode's word: "inbetween" -> "the frames between two frames"."""
    return {family.mode: family.purpose for family in FAMILIES}


def list_files(modes: Iterable[str] | None = None, *, needed: bool = False) -> list[ModelFile]:
    """Model files, each once: first the files that a family needs, then the files that only help.

    Args:
        modes: words of modes; None for all families.
        needed: leave out the files that only help.
    """
    chosen = [family for family in FAMILIES if modes is None or family.mode in modes]
    files = [file for family in chosen for file in family.needed]
    if not needed:
        files += [file for family in chosen for file in family.helpful]
    return list(dict.fromkeys(files))


def modes_needing(file: ModelFile) -> list[str]:
    """Modes that can't do without a file."""
    return [family.mode for family in FAMILIES if file in family.needed]


def modes_helped_by(file: ModelFile) -> list[str]:
    """Modes that a file makes better."""
    return [family.mode for family in FAMILIES if file in family.helpful]


def list_kinds() -> list[str]:
    """ComfyUI's folders of models that the files of all families go to."""
    return list(
        dict.fromkeys(place.partition("/")[0] for file in list_files() for place in file.comfyui)
    )


def missing(mode: str, roots: Roots) -> list[ModelFile]:
    """Files that a mode can't do without and that are in none of the folders."""
    return [file for file in list_files([mode], needed=True) if file.find(roots) is None]
