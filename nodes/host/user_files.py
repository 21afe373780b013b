"""Text files of the user in the host's folders: listed, found and saved.

Nodes that load list the input folder, as Load Image does. Nodes that save write into the output
folder, as Save Image does.
"""

import logging
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path

import folder_paths
from comfy_api.latest import io, ui

from ...fcvg_core.errors import UserError

JSON = (".json",)
NONE = "(no {} file in ComfyUI's input folder)"


def list_user_files(endings: Sequence[str] = JSON) -> list[str]:
    """Names for a drop-down list: files of the input folder and of its subfolders.

    If there is no file, the list has one line that says so.

    Args:
        endings: of the names, in small letters with a dot.
    """
    base = Path(folder_paths.get_input_directory())
    names = [
        Path(folder, name).relative_to(base).as_posix()
        for folder, _, names in os.walk(base)
        for name in names
        if name.lower().endswith(tuple(endings))
    ]
    return sorted(names) or [NONE.format(" or ".join(endings))]


def find_user_file(name: str) -> Path:
    """Full path of a file in the input folder.

    Args:
        name: as in `list_user_files`. As with Load Image, "x.json [output]" and "x.json [temp]"
            name a file of another folder.

    Raises:
        UserError: there is no such file, or it lies outside the folder.
    """
    plain, base = folder_paths.annotated_filepath(name)
    folder = Path(base or folder_paths.get_input_directory()).resolve()
    if "\0" not in plain:
        # Links are followed first: a link may lead out of the folder.
        path = Path(folder, plain).resolve()
        if path.is_relative_to(folder) and path.is_file():
            return path
    raise UserError(
        f"{plain!r} is not in {folder}: choose a file of the list, or upload one with the button "
        "on the node."
    )


def fingerprint_user_file(name: str | None) -> str:
    """Changes if a file is replaced; then the host runs the node again.

    Args:
        name: as in `find_user_file`; None if it is not known before the graph runs.
    """
    if name is None:
        return ""
    path = find_user_file(name)
    found = path.stat()
    return repr((str(path), found.st_size, found.st_mtime_ns))


def save_user_file(text: str, prefix: str, ending: str = JSON[0]) -> dict[str, str]:
    """Save a text in the output folder as PREFIX_00001_.json, or with the next free number.

    The log says as which file.

    Args:
        prefix: beginning of the name, with a subfolder or words such as %year%, as in Save Image.
        ending: of the name, with a dot.

    Raises:
        UserError: the file can't be written.
    """
    from ...fcvg_core.files.writing import save_text

    base = folder_paths.get_output_directory()
    folder, stem, number, subfolder, _ = folder_paths.get_save_image_path(prefix, base)
    path = Path(folder, f"{stem}_{number:05}_{ending}")
    save_text(path, text)
    logging.info("Saved as output/%s.", posixpath.join(subfolder, path.name))
    return ui.SavedResult(path.name, subfolder, io.FolderType.output)
