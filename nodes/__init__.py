"""ComfyUI's face of the pack: the one list of its nodes."""

import logging

from comfy_api.latest import ComfyExtension, io

from . import (
    animate,
    box_files,
    boxes,
    cache,
    camera,
    clips,
    control,
    controlnext,
    ddim,
    driving_video,
    droplet_clips,
    dropletvideo,
    dynamicrafter,
    edit_motion,
    frames,
    inbetween,
    keyframes,
    line_files,
    lines,
    mpd,
    other_models,
    paths,
    pose,
    pose_files,
    preview_motion,
    settings,
    smcd,
    story,
    svd,
)
from .host.folders import register_folders

# Modules with a list NODES, in the order of a graph. A new family adds its line here.
MODULES = [
    settings,
    frames,
    driving_video,
    lines,
    line_files,
    pose,
    pose_files,
    boxes,
    box_files,
    keyframes,
    paths,
    edit_motion,
    control,
    camera,
    preview_motion,
    svd,
    controlnext,
    cache,
    inbetween,
    mpd,
    animate,
    dynamicrafter,
    ddim,
    story,
    dropletvideo,
    droplet_clips,
    smcd,
    clips,
    other_models,
]


class FcvgExtension(ComfyExtension):
    """Every node of the pack, in the order of a graph."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The nodes of all modules."""
        return [node for module in MODULES for node in module.NODES]


def open_extension() -> FcvgExtension:
    """Register the model folders and return the extension, which has the list of nodes.

    ComfyUI reports an exception of this function in one line, so the traceback is logged here.
    """
    try:
        register_folders()
        return FcvgExtension()
    except Exception:
        logging.exception("ComfyUI-FCVG could not be set up.")
        raise
