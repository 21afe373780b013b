"""What the pack logs while one of its nodes runs, shown on this node in the editor too."""

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PACK = Path(__file__).parent.parent
MARKS = {logging.WARNING: "\N{WARNING SIGN} ", logging.ERROR: "\N{CROSS MARK} "}
# The editor ignores a text without any character.
NOTHING = " "

_with_text: set[str] = set()  # ids of nodes that show a text


def shows_log(execute: Callable) -> Callable:
    """Make a node's `execute` show on the node what the pack logs meanwhile, line by line.

    The text appears as ComfyUI's own nodes show one: it is no result, and it stays until the
    node's next run. Without an editor everything is in the log alone.
    """

    @functools.wraps(execute)
    def run(cls, *args, **kwargs):
        node_id = running_node()
        if node_id is None:
            return execute(cls, *args, **kwargs)
        lines = _NodeLines(node_id)
        logging.getLogger().addHandler(lines)
        try:
            return execute(cls, *args, **kwargs)
        finally:
            logging.getLogger().removeHandler(lines)
            if not lines.texts and node_id in _with_text:
                show_on_node(node_id, NOTHING)

    return run


def running_node() -> str | None:
    """The id of the node that this thread runs; None outside a run of the host."""
    from comfy_execution.utils import get_executing_context

    context = get_executing_context()
    return None if context is None else context.node_id


def show_on_node(node_id: str, text: str) -> None:
    """Show a text on a node of the graph, in place of the text that it showed before."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is None:
        return
    _with_text.add(node_id)
    server.send_progress_text(text, node_id)


class _NodeLines(logging.Handler):
    """Shows records of the pack, of the thread that made this handler, on a node."""

    def __init__(self, node_id: str):
        super().__init__(logging.INFO)
        self.texts: list[str] = []
        self._node_id = node_id
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread or not Path(record.pathname).is_relative_to(PACK):
            return
        self.texts.append(MARKS.get(record.levelno, "") + record.getMessage())
        show_on_node(self._node_id, "\n".join(self.texts))


@contextmanager
def shown_log() -> Iterator[None]:
    """Show on the node that runs what the pack logs meanwhile, line by line.

    This is for code that runs inside a node of the host, such as a guider. Inside a node of this
    pack it changes nothing, because `shows_log` is at work.
    """
    node_id, root = running_node(), logging.getLogger()
    at_work = {handler._node_id for handler in root.handlers if isinstance(handler, _NodeLines)}
    if node_id is None or node_id in at_work:
        yield
        return
    lines = _NodeLines(node_id)
    root.addHandler(lines)
    try:
        yield
    finally:
        root.removeHandler(lines)
        if not lines.texts and node_id in _with_text:
            show_on_node(node_id, NOTHING)
