"""Sizes in pixels: in words, and the largest on which lines or people of a file may be placed."""

from numbers import Real

# Pixels of a side. This limits what is read. The sizes that are drawn have smaller limits.
MAX_SIDE = 65_536
SIDES = f"two whole numbers of pixels from 1 to {MAX_SIDE}"


def in_words(size: tuple[int, int]) -> str:
    """A size (height, width) as text: "640 x 480" (width x height)."""
    return f"{size[1]} x {size[0]}"


def is_side(length: object) -> bool:
    """Whether a value is a valid height or width: a whole number of pixels from 1 to 65536."""
    return (
        isinstance(length, Real)
        and not isinstance(length, bool)
        and 1 <= length <= MAX_SIDE  # NaN fails here
        and length == int(length)
    )
