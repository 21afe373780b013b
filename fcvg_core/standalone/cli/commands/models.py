"""`models`: lists, downloads and converts the model files."""

import argparse
import json
import sys
from pathlib import Path

from ....catalogue.comfyui import known_folders
from ....catalogue.download import check_space, exclusive, fetch, server_of
from ....catalogue.download_errors import CHECK_NETWORK, DiskError, UnreachableError
from ....catalogue.families import list_files, list_modes
from ....catalogue.integrity import find_damage
from ....catalogue.model_files import Download, ModelFile, Roots
from ....errors import UserError
from ....quoting import in_short
from ...spec.values import PATH
from ..model_list import NOWHERE, Places, describe, list_lines, say_damage
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
    "models --get --only dynamicrafter-512",
    "models --convert superpoint_v1.pth checkpoint_GlueStick_MD.tar",
)
RULES = Rules(
    pairs=(
        ("convert", "mode"),
        ("convert", "needed"),
        ("convert", "yes"),
        ("convert", "only"),
        ("json", "yes"),
        ("json", "only"),
        ("needed", "only"),
    )
)
SHOWN = 10  # names in a list


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
        "--only",
        nargs="+",
        type=lambda key: key.replace("_", "-"),
        choices=tuple(file.key for file in list_files()),
        metavar="KEY",
        help="with --get: download these files alone. The list names the key of each file that "
        "is downloaded only in this way, because it is large and not everybody needs it. CLIP's "
        "tokenizer comes with a checkpoint of DynamiCrafter",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="with --get: download files for non-commercial use too, without a question. Where "
        "nobody can answer, such files are left out; with --only this is an error",
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
    if options.only and not options.get:
        raise UserError("--only chooses what --get downloads: give --get too.")
    roots = known_folders()
    modes = [options.mode] if options.mode else list(list_modes())
    files = list_files(modes, needed=options.needed)
    if options.only:
        files = _named_files(options.only)
    # Only once: the search goes deep into folders that may be on a slow disk.
    places = {file.key: file.find(roots) for file in files}
    if options.get:
        _get(files, roots, places, agreed=options.yes, named=bool(options.only))
    elif options.json:
        print(json.dumps([describe(file, places[file.key]) for file in files], indent=1))
    else:
        for line in list_lines(modes, options.needed, roots, places):
            print(line)


def _named_files(keys: list[str]) -> list[ModelFile]:
    """The files of some keys, and the small files that they bring along."""
    named = [file for file in list_files() if file.key in keys]
    return list(dict.fromkeys([*named, *(x for file in named for x in file.companions)]))


def _get(
    files: list[ModelFile], roots: Roots, places: Places, *, agreed: bool, named: bool
) -> None:
    """Download missing files into the first of the folders.

    Args:
        agreed: whether files for non-commercial use are downloaded without a question.
        named: whether the user has named each file; otherwise files on request are left out.

    Raises:
        UserError: there is no folder, or files could not be downloaded, or the user has named a
            file that is left out; all other files were downloaded.
    """
    if not roots:
        raise UserError(f"There is no folder to download to: {NOWHERE}.")
    kind, root = roots[0]
    if not named:
        files = _without_requests(files, places)
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
        say_damage(damage)
        for file in files
        if (found := places[file.key]) and (damage := find_damage(file.files_at(found)))
    ]
    if todo:
        with exclusive(root):
            check_space([step for steps in todo.values() for step in steps])
            failed += _fetch_all(todo)
    if named:
        failed += [f"{file.name} is left out." for file in missing if file not in wanted]
    if failed:
        raise UserError("\n".join(["Not everything is there.", *failed]))


def _without_requests(files: list[ModelFile], places: Places) -> list[ModelFile]:
    """The files that need no request or are there; it is said how to get the others."""
    left_out = [file for file in files if file.on_request and places[file.key] is None]
    if left_out:
        names = ", ".join(f"{file.key} ({file.size:.0f} MB)" for file in left_out)
        print(f"Left out, because not everybody needs them: {names}.")
        print("To download one of them: python -m fcvg_core models --get --only KEY")
    return [file for file in files if file not in left_out]


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
