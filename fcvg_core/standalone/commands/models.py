"""`models`: every file that each mode needs: found, missing, downloaded or converted."""

import argparse
import json
from pathlib import Path

from ..catalogue import CATALOGUE, MODES, ModelFile
from ..download import UnreachableError, check_space, fetch, remove_staging
from ..integrity import find_damage
from ..model_files import known_folders

NOWHERE = "let FCVG_MODELS name a folder, or COMFYUI_PATH a ComfyUI"
Roots = list[tuple[str, Path]]


def run(options: argparse.Namespace) -> None:
    """List them (with --json for other programs), download them or convert some."""
    if options.convert:
        _convert(options.convert)
        return
    roots = known_folders()
    modes = [options.mode] if options.mode else list(MODES)
    files = [file for file in CATALOGUE if set(modes) & set(file.needed + file.helps)]
    if options.get:
        _get(files, roots)
    elif options.json:
        print(json.dumps([_row(file, roots) for file in files], indent=1))
    else:
        _list(modes, roots)


def _list(modes: list[str], roots: Roots) -> None:
    print("Looked for in:" if roots else f"Looked for nowhere: {NOWHERE}.")
    for _, root in roots:
        print(f"  {root}")
    for mode in modes:
        print(f"\n{mode}: {MODES[mode]}")
        for file in CATALOGUE:
            if mode in file.needed + file.helps:
                _print_file(file, mode, roots)
    if any(file.find(roots) is None for file in CATALOGUE):
        print("\nTo download what is missing: python -m fcvg_core models --get"
              + (f" --mode {modes[0]}" if len(modes) == 1 else ""))  # fmt: skip


def _print_file(file: ModelFile, mode: str, roots: Roots) -> None:
    found = file.find(roots)
    state = "found  " if found else "MISSING" if mode in file.needed else "not there, optional"
    print(f"  {state} {file.name}")
    if found:
        print(f"          {found}")
        damage = find_damage(found)
        if damage:
            print(f"          DAMAGED, cut off or empty: move {damage} away, download it again")
        return
    print(f"          about {file.size:.0f} MB from {file.source}")
    print(f"          licence: {file.licence}")
    print(f"          to models/{file.comfyui[0]}, or FCVG_MODELS/{file.folder[0]}")


def _row(file: ModelFile, roots: Roots) -> dict:
    found = file.find(roots)
    return {
        "name": file.name, "needed_by": file.needed, "helps": file.helps,
        "found": str(found) if found else None, "comfyui": file.comfyui, "folder": file.folder,
        "megabytes": round(file.size), "licence": file.licence, "source": file.source,
        "urls": [download.url for download in file.downloads],
    }  # fmt: skip


def _get(files: list[ModelFile], roots: Roots) -> None:
    """Download what is missing into the first of the folders.

    Raises:
        ValueError: there is no folder; or what could not be downloaded, after all that could.
    """
    if not roots:
        raise ValueError(f"There is no folder to download to: {NOWHERE}.")
    kind, root = roots[0]
    wanted = [file for file in files if file.find(roots) is None]
    print(f"{len(files) - len(wanted)} of {len(files)} are there. To {root} go:" if wanted else
          "All files are there.")  # fmt: skip
    for file in wanted:
        print(f"  {file.name}: about {file.size:.0f} MB; licence: {file.licence}")
    todo = {file.name: [step for step in file.targets(kind, root) if not step[1].exists()]
            for file in wanted}  # fmt: skip
    check_space([step for steps in todo.values() for step in steps], root)
    failed = []
    for name, steps in todo.items():
        try:
            for download, target in steps:
                fetch(download, target, root)
                print(f"Downloaded {target}")
        except UnreachableError:
            raise
        except ValueError as error:
            failed.append(f"{name}: {error}")
    remove_staging(root)
    if failed:
        raise ValueError("\n".join(["Not everything could be downloaded.", *failed]))


def _convert(paths: list[Path]) -> None:
    from ..convert import convert

    for path in paths:
        target, left = convert(path)
        print(f"Wrote {target}; {path.name} is not needed any more")
        if left:
            print(f"  left out, no weights: {', '.join(left)}")
