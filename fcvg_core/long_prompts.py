"""Prompts that have more tokens than a model takes."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from .quoting import quote

T = TypeVar("T")


def cut_prompt(
    tokens: Sequence[T],
    room: int,
    decode: Callable[[Sequence[T]], str],
    *,
    name: str,
    model: str = "the model",
) -> Sequence[T]:
    """The tokens that a model takes; a warning quotes the end that is left out.

    Args:
        tokens: of a prompt.
        room: how many tokens the model takes.
        decode: tokens -> text, for the warning.
        name, model: of the prompt and of the model, for the warning.
    """
    if len(tokens) > room:
        logging.warning(
            "The %s has %d tokens, but %s takes %d: its end, %s, is left out.",
            name,
            len(tokens),
            model,
            room,
            quote(decode(tokens[room:])),
        )
    return tokens[:room]


class PromptCutter:
    """Cuts prompts as `cut_prompt` does, but warns of each prompt once.

    Args:
        room, decode: see `cut_prompt`.
    """

    def __init__(self, room: int, decode: Callable[[Sequence[int]], str]):
        self._room, self._decode = room, decode
        self._shortened: set[str] = set()

    def __call__(self, tokens: Sequence[int], prompt: str, name: str) -> Sequence[int]:
        """The tokens of a prompt that the model takes.

        Args:
            prompt: the text of the tokens.
            name: of the prompt, for the warning.
        """
        if prompt in self._shortened:
            return tokens[: self._room]
        if len(tokens) > self._room:
            self._shortened.add(prompt)
        return cut_prompt(tokens, self._room, self._decode, name=name)
