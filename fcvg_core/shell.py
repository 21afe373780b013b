"""Commands as text that a user can type into a terminal; nothing is run."""

import os
import shlex


def shell_words(*words: str) -> str:
    """A command with quotes where needed; a path without spaces needs none, also in PowerShell."""
    if os.name != "nt":
        return shlex.join(words)
    return " ".join(f'"{word}"' if " " in word or not word else word for word in words)
