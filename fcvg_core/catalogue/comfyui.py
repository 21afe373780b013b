"""Finds the ComfyUI of this machine and its folders of models."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .model_files import Roots

PACK = Path(__file__).resolve().parents[2]
COMFYUI_PATH, FCVG_MODELS = "COMFYUI_PATH", "FCVG_MODELS"  # environment variables
VERSION = "comfyui_version.py"
EXTRA_PATHS = "extra_model_paths.yaml"
ALWAYS_THERE = ("checkpoints", "clip_vision")  # folders in every ComfyUI's folder of models
# Old name -> new name; ComfyUI still reads the old name.
RENAMED = {"unet": "diffusion_models", "clip": "text_encoders"}


def find_comfyui() -> Path | None:
    """Folder of the ComfyUI in COMFYUI_PATH, or of the ComfyUI around this pack, or None.

    The desktop edition keeps its models and node packs apart from its code. For such a ComfyUI
    the result is the folder of models and node packs.
    """
    variable = os.environ.get(COMFYUI_PATH)
    folder = folder_of(variable) if variable else PACK.parent.parent
    apart = (folder / "custom_nodes").is_dir() and (folder / "models").is_dir()
    return folder if apart or _has_code(folder) else None


def comfyui_version(folder: Path) -> str | None:
    """Version of a ComfyUI, such as 0.3.64; empty if it has none; None if its code is elsewhere."""
    if not (folder / VERSION).is_file():
        return "" if _has_code(folder) else None
    text = (folder / VERSION).read_text(encoding="utf-8", errors="replace")
    match = re.search(r"""__version__ = ["']([\d.]+)""", text)
    return match[1] if match else ""


def _has_code(folder: Path) -> bool:
    """Whether a folder contains ComfyUI's code; before 0.3.11 there was no version file."""
    old = (folder / "main.py").is_file() and (folder / "comfy").is_dir()
    return old or (folder / VERSION).is_file()


def known_folders() -> Roots:
    """Folders of models on this machine, with the found ComfyUI; see `model_roots`."""
    return model_roots(find_comfyui())


def model_roots(comfyui: Path | None) -> Roots:
    """Folders of models, each with its layout.

    Returns:
        Pairs of layout and folder. The layout is "folder" for FCVG_MODELS, "comfyui" for
        a folder of ComfyUI's models, and "comfyui/KIND" for another folder with models of one
        kind, for example from extra_model_paths.yaml.
    """
    roots = []
    if variable := os.environ.get(FCVG_MODELS):
        named = folder_of(variable)
        # Downloads go to the first place: with ComfyUI's models, to where its nodes look.
        roots = [*(_in_comfyui(named) if is_models_folder(named) else ()), ("folder", named)]
    if comfyui is not None:
        roots += [*_in_comfyui(comfyui / "models"), *_extra_folders(comfyui / EXTRA_PATHS)]
    return list(dict.fromkeys(roots))


def is_models_folder(folder: Path) -> bool:
    """Whether a folder is ComfyUI's folder of models, by two folders that each ComfyUI has."""
    return all((folder / kind).is_dir() for kind in ALWAYS_THERE)


def folder_of(variable: str) -> Path:
    """The folder that an environment variable names."""
    return Path(os.path.expanduser(variable))


def _in_comfyui(models: Path) -> Roots:
    """A folder of ComfyUI's models, and its folders with old names."""
    old = [
        (f"comfyui/{kind}", models / name)
        for name, kind in RENAMED.items()
        if (models / name).is_dir()
    ]
    return [("comfyui", models), *old]


def _extra_folders(file: Path) -> Iterator[tuple[str, Path]]:
    """Folders in extra_model_paths.yaml, read as in ComfyUI (utils/extra_config.py)."""
    for section in _read_yaml(file).values():
        if not isinstance(section, dict):
            continue
        base = os.path.expandvars(os.path.expanduser(str(section.get("base_path") or "")))
        for kind, folders in section.items():
            if kind not in ("base_path", "is_default") and isinstance(folders, str):
                for folder in filter(None, folders.split("\n")):
                    yield f"comfyui/{RENAMED.get(kind, kind)}", file.parent / base / folder.strip()


def _read_yaml(file: Path) -> dict[str, Any]:
    """Contents of a YAML file; empty if it is missing, or (logged) if it can't be read."""
    if not file.is_file():
        return {}
    try:
        import yaml

        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except ImportError:
        logging.warning("%s is ignored, because the package pyyaml is not installed.", file)
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        logging.warning(
            "%s can't be read; ComfyUI can't read it either: %s", file, " ".join(str(error).split())
        )
        return {}
    return content if isinstance(content, dict) else {}
