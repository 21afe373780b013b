"""ComfyUI's face of the pack: the one list of its nodes."""

import logging

from comfy_api.latest import ComfyExtension, io

from . import animate, control, controlnext, frames, inbetween, lines, pose, svd
from .host.folders import register_folders


class FcvgExtension(ComfyExtension):
    """Every node of the pack, in the order of a graph."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        rooms = (frames, lines, pose, control, svd, controlnext, inbetween, animate)
        return [node for room in rooms for node in room.NODES]


def open_extension() -> FcvgExtension:
    """Register the model folders and hand the node list to the host.

    The host reports an exception in here as one line; the log gets the whole of it.
    """
    try:
        register_folders()
        return FcvgExtension()
    except Exception:
        logging.exception("ComfyUI-FCVG could not be set up.")
        raise
