"""Checks of the places where models are: ComfyUI, the folder of FCVG_MODELS, the files."""

from pathlib import Path

from .comfyui import (
    COMFYUI_PATH,
    FCVG_MODELS,
    comfyui_version,
    folder_of,
    is_models_folder,
)
from .families import (
    list_files,
    missing,
    missing_beside,
    missing_choice,
    missing_for_command,
    ways_without,
)
from .finding import OK, PROBLEM, WARNING, Finding
from .integrity import find_damage
from .model_files import ModelFile, Roots
from .packages import OLDEST_COMFYUI, parse_version, version_text
from .stand_ins import SAID, is_stand_in


def check_comfyui(folder: Path | None, named: str = "") -> Finding:
    """ComfyUI, if there is one, has to be 0.3.64 or newer; `named` is COMFYUI_PATH."""
    if folder is None and named:
        return Finding(
            WARNING,
            f"{COMFYUI_PATH} is {named}, which is not a ComfyUI: set it to the folder with "
            "ComfyUI's main.py, or to the folder with models and custom_nodes",
        )
    if folder is None:
        return Finding(
            OK, "no ComfyUI around this folder or in COMFYUI_PATH; the command line works without"
        )
    version = comfyui_version(folder)
    if version is None:
        return Finding(
            OK,
            f"ComfyUI's models and node packs at {folder}; its code is elsewhere, so its version "
            "is unknown",
        )
    if parse_version(version) < OLDEST_COMFYUI:
        return Finding(
            PROBLEM,
            f"ComfyUI {version or '(unknown)'} at {folder} is too old: "
            f"{version_text(OLDEST_COMFYUI)} or newer is needed",
        )
    return Finding(OK, f"ComfyUI {version} at {folder}")


def check_named_folder(named: str) -> Finding:
    """FCVG_MODELS has to name a folder; how its files are laid out decides where downloads go."""
    folder = folder_of(named)
    if not folder.is_dir():
        return Finding(WARNING, f"{FCVG_MODELS} is {folder}: there is no such folder yet")
    if is_models_folder(folder / "models"):
        return Finding(
            WARNING,
            f"{FCVG_MODELS} is {folder}, a ComfyUI, and no model is looked for there: set it to "
            f"{folder / 'models'}, or unset it and let {COMFYUI_PATH} name the ComfyUI",
        )
    if is_models_folder(folder):
        return Finding(
            OK,
            f"{FCVG_MODELS} is {folder}, a folder of ComfyUI's models: files are looked for in its "
            "sub-folders too, and downloads go there",
        )
    return Finding(OK, f"{FCVG_MODELS} is {folder}: downloads go there, and ComfyUI does not look")


def check_models(mode: str, roots: Roots) -> Finding:
    """The files that a mode needs have to exist and be complete."""
    names = [file.name for file in missing(mode, roots)]
    remedy = f"To download missing files: python -m fcvg_core models --get --mode {mode}"
    if names:
        text = f"{mode}: missing: {'; '.join(names)}. {remedy}"
        return Finding(WARNING, ". ".join([text, *ways_without(mode)]))
    if choice := missing_choice(mode, roots):
        return Finding(WARNING, f"{mode}: {_say_choice(choice, roots)}")
    if lacking := missing_beside(mode, roots):
        keys = " ".join(file.key for file in lacking)
        return Finding(
            WARNING,
            f"{mode}: missing: {'; '.join(file.name for file in lacking)}. To download: "
            f"python -m fcvg_core models --get --only {keys}",
        )
    found = [(file, path) for file in list_files([mode]) if (path := file.find(roots))]
    for file, path in found:
        if damage := find_damage(file.files_at(path)):
            again = f"Then: {file.download_command}" if file.on_request else remedy
            return Finding(
                PROBLEM, f"{mode}: {damage} is damaged, incomplete or empty: move it away. {again}"
            )
    files = {file.name: file.files_at(path) for file, path in found}
    if stand_ins := [name for name, paths in files.items() if any(map(is_stand_in, paths))]:
        return Finding(WARNING, f"{mode}: {'; '.join(stand_ins)}: {SAID}")
    if lacking := missing_for_command(mode, roots):
        return Finding(
            WARNING,
            f"{mode}: for the command line {' and '.join(file.name for file in lacking)} is "
            f"missing; ComfyUI's nodes work without it. {remedy}",
        )
    return Finding(OK, f"{mode}: all models are there")


def _say_choice(choice: list[ModelFile], roots: Roots) -> str:
    """What is missing of files of which one is enough, and how to get the first."""
    for file in choice:
        if path := file.find_lacking(roots):
            return f"{path} is missing. To download what is missing: {file.download_command}"
    if len(choice) == 1:
        return f"missing: {choice[0].name}. To download it: {choice[0].download_command}"
    keys = ", ".join(file.key for file in choice)
    return f"missing: one of {keys}. Begin with the first: {choice[0].download_command}"
