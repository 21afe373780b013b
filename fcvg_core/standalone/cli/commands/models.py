"""`models`: lists, downloads and converts the model files."""

import argparse
import json
import sys
from pathlib import Path

from ....catalogue.comfyui import known_folders
from ....catalogue.download import check_space, exclusive, fetch, server_of
from ....catalogue.download_errors import CHECK_NETWORK, DiskError, UnreachableError
from ....catalogue.families import list_files, list_modes, modes_helped_by, modes_needing
from ....catalogue.integrity import find_damage
from ....catalogue.model_files import Download, ModelFile, Roots
from ....catalogue.stand_ins import SAID, is_stand_in
from ....errors import UserError
from ....quoting import in_short
from ...spec.values import PATH
from ..option_rules import Rules

HELP = "list the model files, found and missing, or download them"
DESCRIPTION = (
    "List every model file: found or missing, where it is looked for, its size, licence and "
    "source. The folder that FCVG_MODELS names is searched first, then the model folders of the "
    "ComfyUI that this pack lies in or that COMFYUI_PATH names. Downloads go to the folder of "
    "FCVG_MODELS if this variable is set."
)
EXAMPLES = (
    "models",
    "models --get --mode inbetween",
    "models --get --mode inbetween --needed",
    "models --get --yes",
    "models --convert superpoint_v1.pth checkpoint_GlueStick_MD.tar",
)
RULES = Rules(
    pairs=(("convert", "mode"), ("convert", "needed"), ("convert", "yes"), ("json", "yes"))
)
NOWHERE = "let FCVG_MODELS name a folder, or COMFYUI_PATH a ComfyUI"
SHOWN = 10  # names in a list
Places = dict[str, Path | None]  # where each file is, by its key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--mode", choices=tuple(list_modes()), help="only the files of this mode")
    parser.add_argument(
        "--needed",
        action="store_true",
        help="leave out optional files: GlueStick, the non-commercial SuperPoint and, for "
        "inbetween, DWPose",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="with --get: download files for non-commercial use too, without a question. Where "
        "nobody can answer, such files are left out",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--get",
        action="store_true",
        help="download missing files; no file is overwritten, and an interrupted download is "
        "resumed",
    )
    what.add_argument(
        "--convert",
        nargs="+",
        type=PATH,
        metavar="FILE",
        help="write the weights of .tar, .pth, .pt, .bin or .ckpt files as .safetensors beside "
        "these files",
    )
    what.add_argument("--json", action="store_true", help="print JSON for other programs")


def prints_result(options: argparse.Namespace) -> bool:
    """Whether a list is printed, and no file is written."""
    return not (options.get or options.convert)


def run(options: argparse.Namespace) -> None:
    """List the model files (with --json for other programs), download or convert them."""
    if options.convert:
        _convert(options.convert)
        return
    if options.yes and not options.get:
        raise UserError("--yes answers the question of --get: give --get too.")
    roots = known_folders()
    modes = [options.mode] if options.mode else list(list_modes())
    files = list_files(modes, needed=options.needed)
    # Only once: the search goes deep into folders that may be on a slow disk.
    places = {file.key: file.find(roots) for file in files}
    if options.get:
        _get(files, roots, places, agreed=options.yes)
    elif options.json:
        print(json.dumps([_row(file, places[file.key]) for file in files], indent=1))
    else:
        _list(modes, options.needed, roots, places)
        if None in places.values():
            print(
                "\nTo download what is missing: python -m fcvg_core models --get"
                + (f" --mode {options.mode}" if options.mode else "")
                + (" --needed" if options.needed else "")
            )


def _list(modes: list[str], needed: bool, roots: Roots, places: Places) -> None:
    print("Looked for in:" if roots else f"Looked for nowhere: {NOWHERE}.")
    for root in dict.fromkeys(root for _, root in roots):
        print(f"  {root}{'' if root.is_dir() else ' (there is no such folder)'}")
    for mode in modes:
        print(f"\n{mode}: {list_modes()[mode]}")
        for file in list_files([mode], needed=needed):
            _print_file(file, mode, places[file.key])


def _print_file(file: ModelFile, mode: str, found: Path | None) -> None:
    if found:
        stand_in = is_stand_in(found, file.parts)
        print(f"  {'STAND-IN' if stand_in else 'found  '} {file.name}")
        print(f"          {found}")
        if stand_in:
            print(f"          {SAID}")
        if damage := find_damage(found, file.parts):
            print(f"          {_damaged(damage)}")
        return
    print(f"  {'MISSING' if mode in modes_needing(file) else 'not there, optional'} {file.name}")
    print(f"          about {file.size:.0f} MB from {file.source}")
    print(f"          licence: {file.licence}")
    print(f"          to models/{file.comfyui[0]}, or FCVG_MODELS/{file.folder[0]}")


def _row(file: ModelFile, found: Path | None) -> dict:
    damage = find_damage(found, file.parts) if found else None
    return {
        "key": file.key,
        "name": file.name,
        "damaged": str(damage) if damage else None,
        "stand_in": bool(found and is_stand_in(found, file.parts)),
        "needed_by": modes_needing(file),
        "helps": modes_helped_by(file),
        "found": str(found) if found else None,
        "comfyui": file.comfyui,
        "folder": file.folder,
        "megabytes": round(file.size),
        "licence": file.licence,
        "non_commercial": file.non_commercial,
        "source": file.source,
        "urls": [download.url for download in file.downloads],
    }


def _damaged(path: Path) -> str:
    return f"{path} is DAMAGED, incomplete or empty: move it away, then download it with --get."


def _get(files: list[ModelFile], roots: Roots, places: Places, *, agreed: bool) -> None:
    """Download missing files into the first of the folders.

    Args:
        agreed: whether files for non-commercial use are downloaded without a question.

    Raises:
        UserError: there is no folder, or files could not be downloaded; all other files were.
    """
    if not roots:
        raise UserError(f"There is no folder to download to: {NOWHERE}.")
    kind, root = roots[0]
    missing = [file for file in files if places[file.key] is None]
    print(f"{len(files) - len(missing)} of {len(files)} are there.")
    wanted = [file for file in missing if agreed or not file.non_commercial or _agrees_to(file)]
    if wanted:
        print(f"To {root} go:")
    for file in wanted:
        print(f"  {file.name}: about {file.size:.0f} MB; licence: {file.licence}")
    todo = {
        file.name: [step for step in file.targets(kind, root) if not step[1].exists()]
        for file in wanted
    }
    failed = [
        _damaged(damage)
        for file in files
        if (found := places[file.key]) and (damage := find_damage(found, file.parts))
    ]
    if todo:
        with exclusive(root):
            check_space([step for steps in todo.values() for step in steps])
            failed += _fetch_all(todo)
    if failed:
        raise UserError("\n".join(["Not everything is there.", *failed]))


def _agrees_to(file: ModelFile) -> bool:
    """Whether the user wants a file for non-commercial use; if not, it is said what is left out."""
    agrees = False
    if sys.stdin is not None and sys.stdin.isatty():
        print(f"{file.name}: {file.licence}. Download it? [y/N] ", end="", flush=True)
        agrees = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not agrees:
        print(f"{file.name} is left out ({file.licence}); --yes downloads it without a question.")
    return agrees


def _fetch_all(todo: dict[str, list[tuple[Download, Path]]]) -> list[str]:
    """Fetch one file after the other; returns a line for each file that failed, then advice."""
    failed, unreachable = [], {}
    for name, steps in todo.items():
        for download, target in steps:
            server = server_of(download)
            try:
                if server in unreachable:
                    raise unreachable[server]
                fetch(download, target)
            except DiskError as error:
                return [*failed, str(error)]
            except ValueError as error:
                failed.append(f"{name}: {error}")
                if isinstance(error, UnreachableError):
                    unreachable[server] = error
                break
            else:
                print(f"Downloaded {target}")
    return [*failed, CHECK_NETWORK] if unreachable else failed


def _convert(paths: list[Path]) -> None:
    """Convert each file; failures are reported at the end.

    Raises:
        UserError: one or more files can't be converted.
    """
    from ...networks.convert import convert

    failed = []
    for path in paths:
        try:
            target, left = convert(path)
        except ValueError as error:
            failed.append(str(error))
            continue
        print(f"Wrote {target}")
        if left:
            names = in_short(left, most=SHOWN, between=", ")
            print(f"  left out, and still in {path.name} alone: {names}")
        else:
            print(f"  it holds all that is in {path.name}")
    if failed:
        raise UserError("\n".join(failed))
