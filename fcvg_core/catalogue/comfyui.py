"""Where a ComfyUI is on this machine, and where it keeps its models."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACK = Path(__file__).resolve().parents[2]
COMFYUI_PATH, FCVG_MODELS = "COMFYUI_PATH", "FCVG_MODELS"  # environment variables
VERSION = "comfyui_version.py"
EXTRA_PATHS = "extra_model_paths.yaml"
RENAMED = {"unet": "diffusion_models"}  # the host still reads the old folder and the old kind


def find_comfyui() -> Path | None:
    """Folder of the ComfyUI that COMFYUI_PATH names, else of the ComfyUI around this pack.

    The desktop edition keeps its models and node packs apart from its code: then this is the
    folder of the models and node packs. None if there is no ComfyUI.
    """
    named = os.environ.get(COMFYUI_PATH)
    folder = _folder(named) if named else PACK.parent.parent
    apart = (folder / "custom_nodes").is_dir() and (folder / "models").is_dir()
    return folder if apart or _has_code(folder) else None


def comfyui_version(folder: Path) -> str | None:
    """Release of a ComfyUI, such as 0.3.64; empty if it has no number, None without its code."""
    if not (folder / VERSION).is_file():
        return "" if _has_code(folder) else None
    text = (folder / VERSION).read_text(encoding="utf-8", errors="replace")
    found = re.search(r"""__version__ = ["']([\d.]+)""", text)
    return found[1] if found else ""


def _has_code(folder: Path) -> bool:
    """Whether a folder holds ComfyUI's code; before 0.3.11 it had no file for its version."""
    old = (folder / "main.py").is_file() and (folder / "comfy").is_dir()
    return old or (folder / VERSION).is_file()


def known_folders() -> list[tuple[str, Path]]:
    """Where models are looked for: see `model_roots`."""
    return model_roots(find_comfyui())


def model_roots(comfyui: Path | None) -> list[tuple[str, Path]]:
    """Folders that hold models, each with its layout.

    Returns:
        "folder" for FCVG_MODELS, "comfyui" for ComfyUI's models folder, and "comfyui/" with a kind
        for each further folder of one kind of models, such as those of extra_model_paths.yaml.
    """
    variable = os.environ.get(FCVG_MODELS)
    roots = [("folder", _folder(variable))] if variable else []
    if comfyui is None:
        return roots
    models = comfyui / "models"
    old = [
        (f"comfyui/{kind}", models / name)
        for name, kind in RENAMED.items()
        if (models / name).is_dir()
    ]
    return [*roots, ("comfyui", models), *old, *_extra_folders(comfyui / EXTRA_PATHS)]


def _folder(name: str) -> Path:
    return Path(os.path.expanduser(name))


def _extra_folders(file: Path) -> Iterator[tuple[str, Path]]:
    """Folders that a file of extra paths names, read as the host's utils/extra_config.py does."""
    for section in _read_yaml(file).values():
        if not isinstance(section, dict):
            continue
        base = os.path.expandvars(os.path.expanduser(str(section.get("base_path") or "")))
        for kind, folders in section.items():
            if kind not in ("base_path", "is_default") and isinstance(folders, str):
                for folder in filter(None, folders.split("\n")):
                    yield f"comfyui/{RENAMED.get(kind, kind)}", file.parent / base / folder.strip()


def _read_yaml(file: Path) -> dict[str, Any]:
    """Content of a YAML file; empty without a file, and if it can't be read, which is logged."""
    if not file.is_file():
        return {}
    try:
        import yaml

        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except ImportError:
        logging.warning("%s is not read: the package pyyaml is not installed.", file)
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        logging.warning(
            "%s can't be read, so ComfyUI can't either: %s", file, " ".join(str(error).split())
        )
        return {}
    return found if isinstance(found, dict) else {}
