"""ComfyUI's door to the pack.

Nothing of the host's but its version is looked at here: pytest imports this file too.
"""

import logging
import re
import sys

OLDEST_HOST = (0, 3, 64)  # as in pyproject.toml
WEB_DIRECTORY = "./web"  # docs/<node id>.md is what a node's help button shows


async def comfy_entrypoint():
    """The pack's extension, as ComfyUI asks for it."""
    from .nodes import open_extension

    return open_extension()


def _warn_of_an_old_host() -> None:
    """Say why there are no nodes: an old host passes this pack over, or fails further on."""
    try:
        from comfyui_version import __version__
    except ImportError:
        __version__ = "" if "folder_paths" in sys.modules else None  # before 0.3.11, or no host
    if __version__ is None or _numbers(__version__) >= OLDEST_HOST:
        return
    logging.error(
        "ComfyUI-FCVG needs ComfyUI %s or newer, and this one is %s: its nodes will be missing or "
        "fail. Update ComfyUI, with its requirements, and start it again.",
        ".".join(map(str, OLDEST_HOST)),
        __version__ or "older",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


_warn_of_an_old_host()
