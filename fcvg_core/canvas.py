"""How large what lines and people are placed on may be."""

from numbers import Real

# Of either side, in pixels. Nothing is drawn that large: what draws has bounds of its own.
MAX_SIDE = 65_536
SIDES = f"two whole numbers of pixels from 1 to {MAX_SIDE}"


def is_side(length: object) -> bool:
    """Whether this is a height or a width: a whole number of pixels from 1 to 65536."""
    return (
        isinstance(length, Real)
        and not isinstance(length, bool)
        and 1 <= length <= MAX_SIDE  # not a number fails here
        and length == int(length)
    )
