"""Handles signals that end the program in the same way as Ctrl+C, so that all clean-up runs."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # not every system has all of them
# Closing a terminal, or pressing Ctrl+C twice, sends several signals. A signal that comes within
# this time after another signal is ignored, so that the clean-up can finish.
GRACE = 10.0  # seconds


class Interrupted(KeyboardInterrupt):
    """A signal has asked the program to end.

    Attributes:
        number: number of the signal.
    """

    def __init__(self, number: int):
        super().__init__()
        self.number = number

    @property
    def exit_code(self) -> int:
        """Exit code of a program ended by the signal, as in a shell: 130, 143 or 129."""
        return 128 + self.number

    def __str__(self) -> str:
        name = signal.Signals(self.number).name
        return "Interrupted." if self.number == signal.SIGINT else f"Interrupted by {name}."


class _Held:
    """The signal that arrived inside an `uninterrupted` block."""

    waiting = False  # whether an `uninterrupted` block is running
    number: int | None = None  # number of the signal


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay a signal until the end of the block. Used for short blocks that must be whole."""
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

    A signal that is ignored (by nohup, or by a shell's &) or that has another handler is not
    changed. The old handlers are restored after the block. Outside the main thread nothing is
    changed, because Python allows no handlers there.

    Args:
        to_the_end: whether the program ends after the block. If a signal has ended the block,
            further signals are ignored while the program exits.
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
            elif number != signal.SIGINT:  # Ctrl+C still works during the exit
                signal.signal(number, signal.SIG_IGN)


_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)
