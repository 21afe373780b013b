"""What the pack logs while a node runs: which page is told, and what a result holds of it."""

import logging
import threading
from types import SimpleNamespace

import pytest

NODE = "7"


@pytest.fixture
def told(host, monkeypatch) -> list:
    """What is sent to the page that has started the run."""
    import server
    from comfy_execution.utils import CurrentNodeContext

    found = []
    running = SimpleNamespace(client_id="page", send_sync=lambda *message: found.append(message))
    monkeypatch.setattr(server.PromptServer, "instance", running, raising=False)
    with CurrentNodeContext("run", NODE):
        yield found


@pytest.fixture
def speak(load, caplog):
    """Run a node's `execute` with this body."""
    messages = load("nodes.messages")
    caplog.set_level(logging.INFO)

    def run(body):
        return messages.shows_log(lambda cls: body())(None)

    return run


@pytest.fixture
def log(load):
    """Log as the pack does: from one of its files, or from another file."""
    own = load("nodes.messages").__file__

    def write(level: int, text: str, file: str = own) -> None:
        logging.getLogger().handle(logging.LogRecord("root", level, file, 1, text, (), None))

    return write


def result():
    """A result of a node with a picture on it."""
    from comfy_api.latest import io, ui

    saved = ui.SavedImages([ui.SavedResult("a.png", "", io.FolderType.temp)])
    return io.NodeOutput(5, ui=saved)


class TestShowsLog:
    def test_lines_are_told_at_once_and_kept_in_the_result(self, speak, log, told):
        def body():
            log(logging.INFO, "one")
            assert told == [("fcvg.text", {"node": NODE, "lines": ["one"]}, "page")]
            log(logging.WARNING, "two")
            return result()

        output = speak(body)
        lines = ["one", "\N{WARNING SIGN} two"]
        assert told[1:] == [("fcvg.text", {"node": NODE, "lines": lines}, "page")]
        assert output.args == (5,)
        assert output.ui["fcvg_text"] == lines
        assert output.ui["images"][0]["filename"] == "a.png"

    def test_a_result_without_pictures(self, speak, told):
        """An empty list makes the editor remove what an earlier run has said."""
        from comfy_api.latest import io

        output = speak(lambda: io.NodeOutput(5))
        assert (output.args, output.ui, told) == ((5,), {"fcvg_text": []}, [])

    def test_others_are_not_heard(self, speak, log, told):
        """Neither other packs nor other threads nor what is said after the node."""

        def body():
            log(logging.INFO, "another pack", "/custom_nodes/other/nodes.py")
            other = threading.Thread(target=log, args=(logging.INFO, "another thread"))
            other.start()
            other.join()
            log(logging.DEBUG, "a detail")
            return result()

        assert speak(body).ui["fcvg_text"] == []
        log(logging.INFO, "later")
        assert told == []

    def test_a_failed_node_shows_what_this_run_has_said(self, speak, told):
        def body():
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            speak(body)
        assert told == [("fcvg.text", {"node": NODE, "lines": []}, "page")]

    def test_nobody_is_told_if_no_page_has_started_the_run(self, speak, log, told):
        import server

        server.PromptServer.instance.client_id = None
        output = speak(lambda: (log(logging.INFO, "one"), result())[1])
        assert told == []
        assert output.ui["fcvg_text"] == ["one"]


def test_every_node_shows_its_log(load, node_classes):
    """And ComfyUI, if it can, sends the texts again when it takes the node from its cache."""
    wrapped = load("nodes.messages").shows_log(lambda cls: None).__code__
    for name, node in node_classes.items():
        assert node.execute.__func__.__code__ is wrapped, name
        assert getattr(node.define_schema(), "has_intermediate_output", True), name


def test_outside_a_run_nothing_is_added(speak):
    assert speak(lambda: 5) == 5
