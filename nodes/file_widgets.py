"""Widgets of the nodes that load and save JSON files."""

from comfy_api.latest import io


def file_input(kind: str) -> io.Input:
    """The list of .json files in the input folder, under which the editor adds a button to upload.

    `web/js/upload_json.js` knows this widget by its name and its node.

    Args:
        kind: what the file holds, for the tooltip.
    """
    from .host.json_files import list_json_files

    return io.Combo.Input(
        "file",
        options=list_json_files(),
        tooltip=f"A .json file with {kind} in ComfyUI's input folder. The button below copies a "
        "file from your computer into this folder.",
    )


def prefix_input(default: str) -> io.Input:
    """The beginning of the name under which a file is saved."""
    return io.String.Input(
        "filename_prefix",
        default=default,
        tooltip="Beginning of the file's name in ComfyUI's output folder; a / makes a subfolder. A "
        "number is added, so that no file is overwritten.",
    )
