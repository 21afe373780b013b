"""The list of model files: found or missing, for people and for other programs."""

from collections.abc import Iterator
from pathlib import Path

from ...catalogue.families import (
    list_files,
    list_modes,
    missing_choice,
    modes_choosing,
    modes_helped_by,
    modes_needing,
    modes_with_command,
)
from ...catalogue.integrity import find_damage
from ...catalogue.model_files import ModelFile, Roots
from ...catalogue.stand_ins import SAID, is_stand_in

NOWHERE = "let FCVG_MODELS name a folder, or COMFYUI_PATH a ComfyUI"
Places = dict[str, Path | None]  # where each file is, by its key


def list_lines(modes: list[str], needed: bool, roots: Roots, places: Places) -> Iterator[str]:
    """The list for people: the folders, the files of some modes, and how to get what is missing.

    Args:
        needed: leave out the files that only help.
        roots: the folders that were searched.
    """
    yield "Looked for in:" if roots else f"Looked for nowhere: {NOWHERE}."
    for root in dict.fromkeys(root for _, root in roots):
        yield f"  {root}{'' if root.is_dir() else ' (there is no such folder)'}"
    first = []
    for mode in modes:
        yield f"\n{mode}: {list_modes()[mode]}"
        if choice := missing_choice(mode, roots):
            if len(choice) > 1:
                yield f"  MISSING one of these: {', '.join(file.key for file in choice)}"
                yield f"          begin with {choice[0].key}"
            first.append(choice[0])
        for file in list_files([mode], needed=needed):
            yield from _file_lines(file, mode, places[file.key])
    yield from _command_lines(modes, needed, places, first)


def _command_lines(
    modes: list[str], needed: bool, places: Places, first: list[ModelFile]
) -> Iterator[str]:
    """The commands that download what is missing.

    Args:
        first: of each mode that lacks all its alternatives, the file to begin with.
    """
    brought = {file.key for one in first for file in (one, *one.companions)}
    missing = (x for x in list_files(modes, needed=needed) if places[x.key] is None)
    if any(not file.on_request and file.key not in brought for file in missing):
        yield (
            "\nTo download what is missing: python -m fcvg_core models --get"
            + (f" --mode {modes[0]}" if len(modes) == 1 else "")
            + (" --needed" if needed else "")
        )
    for file in first:
        yield f"\nTo download {file.name}: {file.download_command}"


def _file_lines(file: ModelFile, mode: str, found: Path | None) -> Iterator[str]:
    if found:
        stand_in = any(map(is_stand_in, file.files_at(found)))
        yield f"  {'STAND-IN' if stand_in else 'found  '} {file.name}"
        yield f"          {found}"
        if stand_in:
            yield f"          {SAID}"
        if damage := find_damage(file.files_at(found)):
            yield f"          {say_damage(damage)}"
        return
    yield f"  {_need(file, mode)} {file.name}"
    yield f"          about {file.size:.0f} MB from {file.source}"
    yield f"          licence: {file.licence}"
    yield f"          to models/{file.comfyui[0]}, or FCVG_MODELS/{file.folder[0]}"
    if mode not in modes_needing(file):
        yield f"          to download it: {file.download_command}"


def _need(file: ModelFile, mode: str) -> str:
    """What it means for a mode that a file is not there."""
    if mode in modes_needing(file):
        return "MISSING"
    if mode in modes_choosing(file):
        return "not there, one is enough:"
    if mode in modes_with_command(file):
        return "MISSING for the command line:"
    return "not there, optional:"


def describe(file: ModelFile, found: Path | None) -> dict:
    """A file, and where it is, as a table for other programs."""
    damage = find_damage(file.files_at(found)) if found else None
    return {
        "key": file.key,
        "name": file.name,
        "damaged": str(damage) if damage else None,
        "stand_in": bool(found and any(map(is_stand_in, file.files_at(found)))),
        "needed_by": modes_needing(file),
        "one_is_needed_by": modes_choosing(file),
        "helps": modes_helped_by(file),
        "found": str(found) if found else None,
        "comfyui": file.comfyui,
        "folder": file.folder,
        "megabytes": round(file.size),
        "licence": file.licence,
        "non_commercial": file.non_commercial,
        "on_request": file.on_request,
        "source": file.source,
        "urls": [download.url for download in file.downloads],
    }


def say_damage(path: Path) -> str:
    """A sentence about a damaged file."""
    return f"{path} is DAMAGED, incomplete or empty: move it away, then download it with --get."
