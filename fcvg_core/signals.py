"""Signals that ask the program to end: all of them as Ctrl+C, so that every clean-up runs."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those that the system has
# Whoever closes a terminal or presses Ctrl+C twice sends several. Of those that come this soon
# after another one only the first counts: a clean-up takes less.
GRACE = 10.0  # seconds


class Interrupted(KeyboardInterrupt):
    """A signal has asked the program to end.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int):
        super().__init__()
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell makes of a program that the signal ended: 130, 143, 129."""
        return 128 + self.number

    def __str__(self) -> str:
        name = signal.Signals(self.number).name
        return "Interrupted." if self.number == signal.SIGINT else f"Interrupted by {name}."


class _Held:
    """What has come while signals had to wait."""

    waiting = False  # whether they have to now
    number: int | None = None  # of the signal that came


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a signal wait for the end of the block, which must not stop halfway and is short."""
    _Held.waiting = True
    try:
        yield
    finally:
        _Held.waiting = False
        number, _Held.number = _Held.number, None
    if number is not None:
        raise Interrupted(number)


@contextmanager
def signals_as_interrupts(*, to_the_end: bool = False) -> Iterator[None]:
    """Raise `Interrupted` in the main thread where a signal would end the program at once.

    A signal that is ignored (as nohup and a shell's & have it) or handled by somebody else stays
    so. Afterwards all is as before. In another thread, where Python allows no handlers, nothing
    is changed.

    Args:
        to_the_end: the program ends after the block. If a signal has ended that, the program is
            on its way out, and others do not count any more.
    """
    last = -GRACE

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before < GRACE:
            return
        if not _Held.waiting:
            raise Interrupted(number)
        _Held.number = number

    handlers = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for name in NAMES:
                number = getattr(signal, name, None)
                if number and signal.getsignal(number) in _DEFAULTS:
                    handlers[number] = signal.signal(number, interrupt)
        yield
    finally:
        leaving = to_the_end and last != -GRACE
        for number, handler in handlers.items():
            if not leaving:
                signal.signal(number, handler)
            elif number != signal.SIGINT:  # a person may still want to hurry
                signal.signal(number, signal.SIG_IGN)


_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)
