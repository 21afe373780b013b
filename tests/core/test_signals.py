"""Signals that end a program in order."""

import os
import signal
import threading

import pytest

from fcvg_core import signals
from fcvg_core.signals import Interrupted, signals_as_interrupts, uninterrupted

CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


def send(name: str) -> None:
    os.kill(os.getpid(), getattr(signal, name))


@pytest.fixture(autouse=True)
def undone():
    """Whatever a test does to the signals is undone."""
    numbers = [getattr(signal, name) for name in CODES]
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(params=CODES)
def name(request):
    return request.param


def test_is_an_interrupt_with_its_exit_code(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as caught, signals_as_interrupts():
        send(name)
    assert isinstance(caught.value, Interrupted)
    assert caught.value.exit_code == CODES[name]
    assert str(caught.value) == ("Interrupted." if name == "SIGINT" else f"Interrupted by {name}.")
    assert signal.getsignal(number) is before


def test_ignored_ones_stay_so(name):
    number = getattr(signal, name)
    signal.signal(number, signal.SIG_IGN)
    with signals_as_interrupts():
        send(name)
    assert signal.getsignal(number) == signal.SIG_IGN


def test_handlers_of_others_stay(name):
    seen = []
    signal.signal(getattr(signal, name), lambda *given: seen.append(given[0]))
    with signals_as_interrupts():
        send(name)
    assert seen == [getattr(signal, name)]


@pytest.mark.parametrize("second", CODES)
def test_a_second_one_does_not_break_the_clean_up(name, second):
    cleaned = False
    with pytest.raises(Interrupted) as caught, signals_as_interrupts():
        try:
            send(name)
        finally:
            send(second)
            cleaned = True
    assert cleaned and caught.value.exit_code == CODES[name]


def test_a_late_second_one_counts(monkeypatch):
    """The first may have been lost in a library, or the clean-up may hang."""
    monkeypatch.setattr(signals, "GRACE", 0.0)
    with signals_as_interrupts():
        for _ in range(2):
            with pytest.raises(Interrupted):
                send("SIGTERM")


def test_a_block_that_must_not_stop_halfway(name):
    done = []
    with pytest.raises(Interrupted) as caught, signals_as_interrupts():
        with uninterrupted():
            send(name)
            done.append("to its end")
        done.append("no more")
    assert done == ["to its end"] and caught.value.exit_code == CODES[name]
    with uninterrupted():
        pass


def test_another_thread_changes_nothing():
    before = signal.getsignal(signal.SIGTERM)
    found = []

    def run():
        with signals_as_interrupts():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]


def test_a_program_on_its_way_out_is_let_go(name):
    number = getattr(signal, name)
    signal.signal(number, signal.SIG_DFL)
    with signals_as_interrupts(to_the_end=True):
        pass
    assert signal.getsignal(number) == signal.SIG_DFL
    with pytest.raises(Interrupted), signals_as_interrupts(to_the_end=True):
        send(name)
    send(name)
