"""How long work reports how far it is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # stage, parts done, parts in all


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody sees."""
