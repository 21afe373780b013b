"""ComfyUI's door to the pack.

At import only the host's version is read, and no other file of the pack is imported: an old host
gets its message even if it can't load the rest, and pytest imports this file without a host.
"""

import logging
import re
import sys

OLDEST_HOST = (0, 3, 64)  # as in pyproject.toml and in fcvg_core/catalogue/packages.py
# docs/<node id>.md is what a node's help button shows; the editor loads js/.
WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    """The pack's extension, as ComfyUI asks for it."""
    from .nodes import open_extension

    return open_extension()


def _warn_of_an_old_host() -> None:
    """Log why there are no nodes: an old host ignores this pack, or fails while it loads it."""
    try:
        from comfyui_version import __version__
    except ImportError:
        __version__ = "" if "folder_paths" in sys.modules else None  # before 0.3.11, or no host
    if __version__ is None or _parse_version(__version__) >= OLDEST_HOST:
        return
    logging.error(
        "ComfyUI-FCVG needs ComfyUI %s or newer, and this one is %s: its nodes will be missing or "
        "fail. Update ComfyUI, with its requirements, and start it again.",
        ".".join(map(str, OLDEST_HOST)),
        __version__ or "older",
    )


def _parse_version(version: str) -> tuple[int, ...]:
    """ "0.3.64" -> (0, 3, 64), as fcvg_core/catalogue/packages.py reads it."""
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, release[0].split(".")[:3])) if release else ()


_warn_of_an_old_host()
