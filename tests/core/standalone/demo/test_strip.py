"""The strip of control frames and frames."""

import numpy as np
import pytest

from fcvg_core.standalone.demo.strip import GAP, WIDTH, draw_strip


def grey(count: int, size: tuple[int, int], first: int = 0) -> np.ndarray:
    """Frames of one grey each: first, first + 1, ..."""
    levels = np.arange(first, first + count, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, *size, 3)).copy()


@pytest.mark.parametrize(
    ("count", "chosen"),
    [(25, [0, 6, 12, 18, 24]), (5, [0, 1, 2, 3, 4]), (2, [0, 1]), (6, [0, 1, 2, 4, 5])],
)
@pytest.mark.parametrize("size", [(64, 128), (144, 512)])
def test_chosen_frames(count, chosen, size) -> None:
    strip = draw_strip(grey(count, size, 100), grey(count, size))
    height = WIDTH * size[0] // size[1]
    assert strip.shape == (2 * height + GAP, len(chosen) * (WIDTH + GAP) - GAP, 3)
    columns = strip[:, WIDTH // 2 :: WIDTH + GAP, 0]
    assert (columns[:height] == np.add(chosen, 100)).all()
    assert (columns[height : height + GAP] == 255).all()
    assert (columns[height + GAP :] == chosen).all()
    assert (strip[:, WIDTH : WIDTH + GAP] == 255).all()


def test_thin_lines_stay_bright() -> None:
    control = np.zeros((2, 576, 1024, 3), np.uint8)
    control[:, 300, 100:900] = 255
    strip = draw_strip(control, control)
    assert strip[70:80, 100, 0].max() > 150  # a line as thin as it is would have 64


def test_narrow_frames() -> None:
    assert draw_strip(grey(2, (1, 4096)), grey(2, (1, 4096))).shape[0] == 2 + GAP


def test_of_two_sizes() -> None:
    with pytest.raises(ValueError, match=r"got \[3, 64, 64, 3\] and \[2, 64, 64, 3\]"):
        draw_strip(grey(3, (64, 64)), grey(2, (64, 64)))
