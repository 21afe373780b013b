"""Events to the page that has started a run, and the node that runs."""

BINARY_PREVIEWS = "supports_preview_metadata"  # what an editor says of itself, other clients do not


def running_node() -> str | None:
    """The id of the node that this thread runs; None outside a run of the host."""
    from comfy_execution.utils import get_executing_context

    context = get_executing_context()
    return None if context is None else context.node_id


def send_to_page(event: str, data: dict) -> None:
    """Send an event to the page that has started the run, if there is a page.

    Other pages may show other graphs.
    """
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is not None and server.client_id is not None:
        server.send_sync(event, data, server.client_id)


def is_editor() -> bool:
    """Whether an editor has started the run, and not another program."""
    from comfy_api.feature_flags import supports_feature
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is None or server.client_id is None:
        return False
    return supports_feature(server.sockets_metadata, server.client_id, BINARY_PREVIEWS)
