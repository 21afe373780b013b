"""Prompts that have more tokens than a model takes."""

import logging
from collections.abc import Callable

from ...quoting import quote


class PromptCutter:
    """Leaves out the end of prompts that are too long; a warning quotes each such end once.

    Args:
        room: tokens of a prompt that a model takes.
        decode: tokens -> text, for the warning.
    """

    def __init__(self, room: int, decode: Callable[[list[int]], str]):
        self._room, self._decode = room, decode
        self._shortened: set[str] = set()

    def __call__(self, tokens: list[int], prompt: str, name: str) -> list[int]:
        """The tokens of a prompt that a model takes.

        Args:
            prompt: the text of the tokens.
            name: of the prompt, for the warning.
        """
        left_out = tokens[self._room :]
        if left_out and prompt not in self._shortened:
            self._shortened.add(prompt)
            logging.warning(
                "The %s has %d tokens, but the model takes %d: its end, %s, is left out.",
                name,
                len(tokens),
                self._room,
                quote(self._decode(left_out)),
            )
        return tokens[: self._room]
