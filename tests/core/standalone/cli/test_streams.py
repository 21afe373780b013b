"""Standard streams that are closed, full or broken."""

import errno
import io
import os
import sys

import pytest

from fcvg_core.standalone.cli.streams import enduring_streams


class Broken(io.StringIO):
    """Takes some letters, then fails."""

    def __init__(self, number: int, after: int = 0):
        super().__init__()
        self.number, self.after = number, after

    def write(self, text: str) -> int:
        if self.tell() + len(text) > self.after:
            raise OSError(self.number, os.strerror(self.number))
        return super().write(text)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_failure_ends_nothing(monkeypatch, name, number):
    broken = Broken(number, after=2)
    monkeypatch.setattr(sys, name, broken)
    with enduring_streams() as output:
        for text in ("ab", "cd", "ef"):
            print(text, end="", file=getattr(sys, name), flush=True)
    assert broken.getvalue() == "ab" and getattr(sys, name) is broken
    assert (output.lost.errno if name == "stdout" else output.lost) == (
        number if name == "stdout" else None
    )


@pytest.mark.parametrize("gone", [None, "closed"])
def test_streams_that_are_not_there(monkeypatch, gone):
    for name in ("stdout", "stderr"):
        stream = io.StringIO()
        stream.close()
        monkeypatch.setattr(sys, name, stream if gone else None)
    with enduring_streams() as output:
        print("a")
        print("b", file=sys.stderr, flush=True)
        assert output.lost.errno == errno.EBADF
        assert sys.stderr.isatty() is False


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device /dev/full")
def test_a_full_device_is_not_tried_again_at_the_end(monkeypatch):
    """What is left in its buffer goes nowhere, instead of failing when Python ends."""
    full = open("/dev/full", "w")  # noqa: SIM115
    monkeypatch.setattr(sys, "stdout", full)
    with enduring_streams() as output:
        print("a")
        assert output.lost is None
    assert output.lost.errno == errno.ENOSPC
    full.close()


def test_a_terminal_that_knows_ascii_alone(monkeypatch):
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, encoding="ascii"))
    with enduring_streams() as output:
        print("\u65e5 \udcff", end="")
    assert content.getvalue() == b"\\u65e5 \\udcff" and output.lost is None
