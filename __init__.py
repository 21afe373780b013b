"""ComfyUI's door to the pack.

Nothing of the host is imported at the top: pytest imports this file too.
"""

WEB_DIRECTORY = "./web"  # docs/<node id>.md is what a node's help button shows


async def comfy_entrypoint():
    """The pack's extension, as ComfyUI asks for it."""
    from .nodes import open_extension

    return open_extension()
