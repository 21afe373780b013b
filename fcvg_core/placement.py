"""Where a picture lies in a frame of another size: what is cut off, and what is added."""

from dataclasses import dataclass

from .canvas import in_words
from .choices import ANCHORS, CROP, PAD, PICTURE_FITS

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; as PIL has it

# Share of what is cut off, or added, that lies at the left and at the top.
SHARES = {
    "center": (0.5, 0.5),
    "top": (0.5, 0.0),
    "bottom": (0.5, 1.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
    "top-left": (0.0, 0.0),
    "top-right": (1.0, 0.0),
    "bottom-left": (0.0, 1.0),
    "bottom-right": (1.0, 1.0),
}
SAME_SHAPE = 0.01  # proportions that differ less look the same


@dataclass(frozen=True)
class Placement:
    """How a picture becomes a frame: a part of it is kept and resized to a box of the frame.

    Attributes:
        picture: (height, width) of the picture.
        frame: (height, width) of the frame.
        kept: the part of the picture that is kept.
        box: where this part lies in the frame; the rest of the frame is black.
    """

    picture: tuple[int, int]
    frame: tuple[int, int]
    kept: Box
    box: Box

    def __str__(self) -> str:
        """In words: "1280 x 720 -> 512 x 512: 280 pixels are cut off at the left and 280 ..."."""
        sizes = f"{in_words(self.picture)} -> {in_words(self.frame)}"
        if cut := _outside(self.kept, self.picture):
            return f"{sizes}: {_told(cut, 'pixel', 'cut off')}."
        if added := _outside(self.box, self.frame):
            return f"{sizes}: {_told(added, 'black pixel', 'added')}."
        if is_same_shape(self.picture, self.frame):
            return f"{sizes} pixels."
        return f"{sizes}: the proportions change, because the picture is stretched."


def place_picture(
    picture: tuple[int, int],
    frame: tuple[int, int],
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> Placement:
    """Where a picture lies in a frame.

    Args:
        picture, frame: their sizes (height, width), in pixels.
        fit: crop: the frame is filled, and what does not fit is cut off. pad: the whole picture
            is kept, with black beside it. stretch: the whole picture fills the frame.
        anchor: the part that is kept, or the side of the frame where the picture lies.

    Raises:
        ValueError: a size is not positive, or a word is not one of its list.

    Source: the crop is that of Tian-one/FCVG demo_FCVG.py crop_and_resize.
    Differs: at least one row and one column of a very long picture are kept.
    """
    if min(*picture, *frame) < 1:
        got = tuple(frame) if min(frame) < 1 else tuple(picture)
        raise ValueError(f"expected a size of at least 1 x 1 pixel, got {got}")
    for name, word, words in (("fit", fit, PICTURE_FITS), ("anchor", anchor, ANCHORS)):
        if word not in words:
            raise ValueError(f"Unknown {name} {word!r}: expected one of {', '.join(words)}.")
    rows, columns = picture
    height, width = frame
    kept, box = (0, 0, columns, rows), (0, 0, width, height)
    if fit == CROP:
        ratio = width / height  # the official code divides by this ratio too: same rounding
        if columns / rows > ratio:
            kept = _inside(picture, (rows, max(int(rows * ratio), 1)), anchor)
        else:
            kept = _inside(picture, (max(int(columns / ratio), 1), columns), anchor)
    elif fit == PAD:
        scale = min(height / rows, width / columns)
        inner = (max(round(rows * scale), 1), max(round(columns * scale), 1))
        box = _inside(frame, inner, anchor)
    return Placement(tuple(picture), tuple(frame), kept, box)


def is_same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes (height, width) have the same proportions, as far as one can see."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= SAME_SHAPE


def _inside(outer: tuple[int, int], inner: tuple[int, int], anchor: str) -> Box:
    """A box of the size `inner` in a size `outer`, both (height, width)."""
    across, down = SHARES[anchor]
    left, top = int((outer[1] - inner[1]) * across), int((outer[0] - inner[0]) * down)
    return left, top, left + inner[1], top + inner[0]


def _outside(box: Box, size: tuple[int, int]) -> list[tuple[int, str]]:
    """How many pixels of a size lie outside a box, by side; sides without any are left out."""
    left, top, right, bottom = box
    counts = {"left": left, "right": size[1] - right, "top": top, "bottom": size[0] - bottom}
    return [(count, side) for side, count in counts.items() if count]


def _told(outside: list[tuple[int, str]], noun: str, done: str) -> str:
    """In words: "280 pixels are cut off at the left and 280 at the right"."""
    (count, side), *others = outside
    amount = f"1 {noun} is" if count == 1 else f"{count} {noun}s are"
    return f"{amount} {done} at the {side}" + "".join(f" and {n} at the {x}" for n, x in others)
