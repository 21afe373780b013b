"""A tiny tokenizer in the layout of CLIP's: each character is a token."""

import json
from pathlib import Path

START, END = "<|startoftext|>", "<|endoftext|>"
LETTERS = [chr(code) for code in range(33, 127)]  # ASCII, as the tokenizer writes its bytes


def write_tokenizer(folder: Path) -> Path:
    """Write vocab.json and merges.txt, with CLIP's own first and last token; returns the folder.

    A word's last letter is a token of its own: 300 more than the letter elsewhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {letter: index for index, letter in enumerate(LETTERS)}
    vocabulary |= {f"{letter}</w>": 300 + index for index, letter in enumerate(LETTERS)}
    vocabulary |= {START: 49406, END: 49407}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    return folder
