"""Commands that people copy out of messages."""

import shlex

import pytest

from fcvg_core.shell import shell_words

WORDS = ("C:\\My Programs\\python.exe", "-m", "pip", "")


def test_windows(monkeypatch) -> None:
    monkeypatch.setattr("os.name", "nt")
    assert shell_words(*WORDS) == '"C:\\My Programs\\python.exe" -m pip ""'


@pytest.mark.parametrize("words", [WORDS, ("it's", "$HOME", "a&b")])
def test_elsewhere(monkeypatch, words) -> None:
    monkeypatch.setattr("os.name", "posix")
    assert tuple(shlex.split(shell_words(*words))) == words
