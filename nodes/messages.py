"""What the pack logs while one of its nodes runs, shown on this node in the editor too.

`web/js/texts.js` shows the texts. A text reaches the editor twice: as an event while the node runs,
and as a part of the node's result. The editor keeps results when the user turns to another graph,
and ComfyUI sends some of them again for a node from its cache.
"""

import functools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from comfy_api.latest import io

from .host.page import running_node, send_to_page

PACK = Path(__file__).parent.parent
MARKS = {logging.WARNING: "\N{WARNING SIGN} ", logging.ERROR: "\N{CROSS MARK} "}
# Names in texts.js: of the event, and of the part of a result.
EVENT = "fcvg.text"
RESULT = "fcvg_text"


def shows_log(execute: Callable) -> Callable:
    """Make a node's `execute` show on the node what the pack logs meanwhile, line by line.

    The text stays until the node's next run. Without an editor everything is in the log, and in the
    outputs that ComfyUI's history lists.
    """

    @functools.wraps(execute)
    def run(cls, *args, **kwargs):
        node_id = running_node()
        if node_id is None:
            return execute(cls, *args, **kwargs)
        with _logged_lines(node_id) as lines:
            try:
                return _with_texts(execute(cls, *args, **kwargs), lines)
            except BaseException:
                show_on_node(node_id, "\n".join(lines))  # not what an earlier run has said
                raise

    return run


def show_on_node(node_id: str, text: str) -> None:
    """Show a text on a node of the graph, in place of the text that it showed before."""
    send_to_page(EVENT, {"node": node_id, "lines": text.splitlines()})


def _with_texts(output: io.NodeOutput, texts: list[str]) -> io.NodeOutput:
    """A node's result with the texts. An empty list makes the editor remove an earlier text.

    Every result has the list, because ComfyUI joins the results of a node that runs once for each
    entry of a list, and expects the same parts in all of them.
    """
    shown = output.ui if output.ui is None or isinstance(output.ui, dict) else output.ui.as_dict()
    output.ui = {**(shown or {}), RESULT: texts}
    return output


def display_below_log() -> Callable[[Sequence[str]], None] | None:
    """A function that shows lines on the node that runs now, below what its log says.

    The function may be called later, while another node runs: a guider is made by its own node, and
    works inside the node that samples. None outside a run of the host.

    Only an `execute` with `shows_log` may ask for it.
    """
    node_id = running_node()
    if node_id is None:
        return None
    logged = _lines_of(node_id)

    def show(lines: Sequence[str]) -> None:
        # A line that was logged on this node is there already.
        more = [line for line in lines if line not in logged]
        show_on_node(node_id, "\n".join([*logged, *more]))

    return show


@contextmanager
def _logged_lines(node_id: str) -> Iterator[list[str]]:
    """The lines that the pack logs meanwhile, each of which is shown on a node at once."""
    handler = _NodeLines(node_id)
    logging.getLogger().addHandler(handler)
    try:
        yield handler.texts
    finally:
        logging.getLogger().removeHandler(handler)


def _lines_of(node_id: str) -> list[str] | None:
    """The lines of a node whose log is shown now; None if the log is not shown."""
    handlers = [x for x in logging.getLogger().handlers if isinstance(x, _NodeLines)]
    return next((x.texts for x in handlers if x.node_id == node_id), None)


class _NodeLines(logging.Handler):
    """Shows records of the pack, of the thread that made this handler, on a node."""

    def __init__(self, node_id: str):
        super().__init__(logging.INFO)
        self.texts: list[str] = []
        self.node_id = node_id
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread or not Path(record.pathname).is_relative_to(PACK):
            return
        # A console may not know the circles of a traffic light, so no message holds them.
        mark = getattr(record, "light", MARKS.get(record.levelno, ""))
        self.texts.append(mark + record.getMessage())
        show_on_node(self.node_id, "\n".join(self.texts))


@contextmanager
def shown_log() -> Iterator[None]:
    """Show on the node that runs what the pack logs meanwhile, line by line.

    This is for code that runs inside a node of the host, such as a guider. Inside a node of this
    pack it changes nothing, because `shows_log` is at work.
    """
    node_id = running_node()
    if node_id is None or _lines_of(node_id) is not None:
        yield
        return
    with _logged_lines(node_id) as lines:
        try:
            yield
        finally:
            if not lines:
                show_on_node(node_id, "")  # not what an earlier run has said
