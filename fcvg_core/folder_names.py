"""Ids that can be the names of files and folders, on every disk."""

import re
import unicodedata

from .quoting import in_short, quote

LONGEST_ID = 100  # characters
MOST_BYTES = 200  # of an id in UTF-8; a disk takes names of 255 bytes
MARKS = "._- "
RULE = (
    f"an id has 1 to {LONGEST_ID} letters, digits, dots, underscores, hyphens and, inside, spaces; "
    "its first character is no dot"
)
# Windows opens a device for these names, whatever follows a dot.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def id_fault(text: str) -> str | None:
    """What is wrong with an id, as a sentence with the remedy; None if it can name a folder."""
    if not text:
        return f"The id is empty: {RULE}."
    if len(text) > LONGEST_ID or len(text.encode(errors="replace")) > MOST_BYTES:
        return f"The id {quote(text)} has {len(text)} characters, which is too long: {RULE}."
    wrong = [c for c in dict.fromkeys(text) if not (c in MARKS or _is_letter(c))]
    if wrong:
        shown = in_short([ascii(c) for c in wrong], between=", ")
        return f"The id {quote(text)} holds {shown}: {RULE}."
    if text[0] in ". " or text[-1] == " ":
        return f"The id {quote(text)} begins with a dot or a space, or ends with a space: {RULE}."
    if _DEVICES.fullmatch(text):
        return f"The id {quote(text)} is the name of a device of Windows: choose another id."
    return None


def id_twin(text: str) -> str:
    """Equal for ids that are the same name on some disk: those ignore case and how accents are put.

    A manifest may hold only one id of a twin.
    """
    return unicodedata.normalize("NFC", text).casefold()


def _is_letter(character: str) -> bool:
    """Whether a character is a letter, a digit or an accent that is put on one."""
    return character.isalnum() or unicodedata.category(character).startswith("M")
