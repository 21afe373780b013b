"""What makes a run small enough for the memory of a device. Nothing needs torch here."""

from collections.abc import Callable

from . import bounds
from .canvas import in_words
from .estimate import in_gigabytes

SMALLEST_WINDOW = 8  # frames; advice names no smaller window
SMALLEST_SIDE = 256  # pixels; advice names no smaller picture

Needs = Callable[[tuple[int, int], int], int]


def advise(
    needs: Needs,
    size: tuple[int, int],
    window: int,
    usable: int,
    *,
    overlap: int,
    name: str = "window",
) -> str:
    """How a run that is too large gets small enough: "lower window to 14".

    If a smaller window or a smaller size alone does not help, both are lowered. If nothing helps,
    the advice says what the smallest run needs.

    Args:
        needs: bytes that the run needs at another size (height, width) and with another window.
        size, window: of the run, which is too large.
        usable: bytes of the device that the run may use.
        overlap: frames that windows share; an advised window is longer.
        name: what the user calls the window.
    """
    shortest = min(window, max(SMALLEST_WINDOW, overlap + 1))
    windows, sizes = range(window - 1, shortest - 1, -1), _smaller(size)
    advice = []
    if number := next((n for n in windows if needs(size, n) <= usable), None):
        advice.append(f"lower {name} to {number}")
    if found := next((s for s in sizes if needs(s, window) <= usable), None):
        advice.append(f"lower the size to {in_words(found)}")
    if not advice and (found := next((s for s in sizes if needs(s, shortest) <= usable), None)):
        advice.append(f"lower {name} to {shortest} and the size to {in_words(found)}")
    if advice:
        return ", or ".join(advice)
    smallest = sizes[-1] if sizes else size
    return (
        f"not even {shortest} frames of {in_words(smallest)} fit, which need "
        f"{in_gigabytes(needs(smallest, shortest))}; use a device with more memory"
    )


def _smaller(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes of about the same shape that a model can paint, the largest first."""
    height, width = size
    step = bounds.SIZE.step
    widths = range(width - step, 0, -step)
    heights = (max(round(height * other / width / step), 1) * step for other in widths)
    sizes = zip(heights, widths, strict=True)
    return [found for found in sizes if min(found) >= SMALLEST_SIDE]
