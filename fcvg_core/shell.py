"""Commands as text that a user can type into a terminal; nothing is run."""

import os
import shlex


def shell_words(*words: str) -> str:
    """A command with quotes where needed. No shell needs quotes around a path without spaces."""
    if os.name != "nt":
        return shlex.join(words)
    return " ".join(f'"{word}"' if " " in word or not word else word for word in words)
