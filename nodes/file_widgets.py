"""Widgets of the nodes that load and save text files."""

from comfy_api.latest import io


def file_input(kind: str, endings: tuple[str, ...] = (".json",)) -> io.Input:
    """The list of such files in the input folder, under which the editor adds a button to upload.

    `web/js/upload_texts.js` knows this widget by its name and its node.

    Args:
        kind: what the file holds, for the tooltip.
        endings: of the files' names.
    """
    from .host.user_files import list_user_files

    return io.Combo.Input(
        "file",
        options=list_user_files(endings),
        tooltip=f"A {' or '.join(endings)} file with {kind} in ComfyUI's input folder. The button "
        "below copies a file from your computer into this folder; a file that you drop on the node "
        "is copied too.",
    )


def prefix_input(default: str) -> io.Input:
    """The beginning of the name under which a file is saved."""
    return io.String.Input(
        "filename_prefix",
        default=default,
        tooltip="Beginning of the file's name in ComfyUI's output folder; a / makes a subfolder. A "
        "number is added, so that no file is overwritten.",
    )
