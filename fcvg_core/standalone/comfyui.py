"""Where a ComfyUI is on this machine, and where it keeps its models."""

import logging
import os
import re
from pathlib import Path

OLDEST = (0, 3, 64)
PACK = Path(__file__).resolve().parents[2]


def find_comfyui() -> Path | None:
    """The ComfyUI that this pack lies in, else the one that COMFYUI_PATH names, else none."""
    named = os.environ.get("COMFYUI_PATH")
    places = [PACK.parents[1], *([Path(named).expanduser()] if named else [])]
    return next((place for place in places if (place / "comfyui_version.py").is_file()), None)


def comfyui_version(folder: Path) -> str:
    """Release of a ComfyUI, as 0.3.64; empty where its file says none."""
    text = (folder / "comfyui_version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([\d.]+)', text)
    return found[1] if found else ""


def model_roots(comfyui: Path | None) -> list[tuple[str, Path]]:
    """Folders that hold models: "folder" for FCVG_MODELS, "comfyui" for what ComfyUI reads.

    Those of extra_model_paths.yaml are read as far as their kinds lie side by side, as is usual.
    """
    variable = os.environ.get("FCVG_MODELS")
    roots = [("folder", Path(variable).expanduser())] if variable else []
    if comfyui is None:
        return roots
    roots.append(("comfyui", comfyui / "models"))
    return [*roots, *(("comfyui", path) for path in _extra_paths(comfyui))]


def _extra_paths(comfyui: Path) -> list[Path]:
    """Base folders, and models folders below them, of extra_model_paths.yaml."""
    file = comfyui / "extra_model_paths.yaml"
    if not file.is_file():
        return []
    try:
        import yaml

        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except ImportError:
        logging.warning("%s is not read: the package pyyaml is not installed.", file)
        return []
    except (OSError, ValueError, yaml.YAMLError) as error:
        logging.warning("%s can't be read: %s", file, str(error).splitlines()[0])
        return []
    paths = []
    for section in found.values() if isinstance(found, dict) else ():
        base = section.get("base_path") if isinstance(section, dict) else None
        if isinstance(base, str):
            base = comfyui / os.path.expandvars(os.path.expanduser(base))
            paths += [base, base / "models"]
    return paths
