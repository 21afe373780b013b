"""Commands as they are typed into a terminal: in remedies, nothing is run."""

import os
import shlex


def shell_words(*words: str) -> str:
    """A command as it is typed; a path without spaces stays as it is, for PowerShell too."""
    if os.name != "nt":
        return shlex.join(words)
    return " ".join(f'"{word}"' if " " in word or not word else word for word in words)
