"""ComfyUI's door to the pack.

Nothing of the host is imported at the top: pytest imports this file too.
"""


async def comfy_entrypoint():
    """The pack's extension, as ComfyUI asks for it."""
    from .nodes import open_extension

    return open_extension()
