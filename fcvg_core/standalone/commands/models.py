"""`models`: every file that each mode needs, found or missing."""

import argparse
import json

from ..catalogue import CATALOGUE, MODES, ModelFile
from ..comfyui import find_comfyui, model_roots


def run(options: argparse.Namespace) -> None:
    """List them; with --json for other programs."""
    roots = model_roots(find_comfyui())
    modes = [options.mode] if options.mode else list(MODES)
    if options.json:
        print(json.dumps([_row(file, roots) for file in CATALOGUE], indent=1))
        return
    print("Looked for in:" if roots else "Looked for nowhere: let FCVG_MODELS name a folder, or "
          "COMFYUI_PATH a ComfyUI.")  # fmt: skip
    for _, root in roots:
        print(f"  {root}")
    for mode in modes:
        print(f"\n{mode}: {MODES[mode]}")
        for file in CATALOGUE:
            if mode in file.needed + file.helps:
                _print_file(file, mode, roots)


def _print_file(file: ModelFile, mode: str, roots: list) -> None:
    found = file.find(roots)
    state = "found  " if found else "MISSING" if mode in file.needed else "not there, optional"
    print(f"  {state} {file.name}")
    if found:
        print(f"          {found}")
        return
    print(f"          about {file.size} MB from {file.source}")
    print(f"          licence: {file.licence}")
    print(f"          to models/{file.comfyui[0]}, or FCVG_MODELS/{file.folder[0]}")


def _row(file: ModelFile, roots: list) -> dict:
    found = file.find(roots)
    return {
        "name": file.name, "needed_by": file.needed, "helps": file.helps,
        "found": str(found) if found else None, "comfyui": file.comfyui, "folder": file.folder,
        "megabytes": file.size, "licence": file.licence, "source": file.source,
    }  # fmt: skip
