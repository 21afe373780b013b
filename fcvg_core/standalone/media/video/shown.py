"""A decoded frame -> pixels as a player shows them: colours, square pixels, the way up."""

import numpy as np

# FFmpeg's number of a matrix -> that of its scaler: BT.709, FCC, BT.601 (twice), SMPTE 240M and
# BT.2020 (twice).
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
BT601, BT709 = 5, 1
HD_HEIGHT = 720  # from here on a video that does not say it is BT.709, as browsers have it
FULL = 2  # R, G, B in 0..255
# Bicubic, full chroma interpolation, accurate rounding: else colours are off by 4 levels.
EXACT = 0x4 | 0x2000 | 0x40000
MAX_ASPECT = 4  # of a pixel; anything more is a mistake of the file


def square_size(frame, pixel_aspect) -> tuple[int, int]:
    """(width, height) at which pixels are square: one side grows, so that nothing is lost.

    Args:
        pixel_aspect: width of a pixel by its height; None if the file does not say it.
    """
    aspect = pixel_aspect or 1
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        aspect = 1
    return round(frame.width * max(aspect, 1)), round(frame.height / min(aspect, 1))


def show(frame, size: tuple[int, int]) -> np.ndarray:
    """A frame of FFmpeg as [H, W, 3] uint8.

    Args:
        size: (width, height) in pixels, before the frame is turned.
    """
    width, height = size
    colors = {}
    if not frame.format.is_rgb:
        guess = BT709 if frame.height >= HD_HEIGHT else BT601
        matrix = MATRICES.get(frame.colorspace, guess)
        # Pixels in R, G, B have no matrix; but where both are equal, older PyAV heeds neither.
        other = BT709 if matrix == BT601 else BT601
        colors["src_colorspace"], colors["dst_colorspace"] = matrix, other
        colors["src_color_range"] = frame.color_range
        colors["dst_color_range"] = FULL
    shown = frame.reformat(
        format="rgb24", width=width, height=height, interpolation=EXACT, **colors
    )
    return _upright(shown.to_ndarray(), _display_matrix(frame))


def _display_matrix(frame) -> np.ndarray | None:
    """How to turn a frame before it is shown: [3, 3], its upper left quarter [2, 2] counts."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return np.frombuffer(bytes(data), np.int32).reshape(3, 3)
    return None


def _upright(frame: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """A frame turned and mirrored as its matrix says, by quarters: (x, y) -> (x, y) @ matrix."""
    if matrix is None:
        return frame.copy()  # it may be the decoder's own
    (xx, xy), (yx, yy) = matrix[:2, :2].tolist()
    if abs(xx) < abs(xy):
        frame, xx, yy = frame.transpose(1, 0, 2), yx, xy
    return frame[:: -1 if yy < 0 else 1, :: -1 if xx < 0 else 1].copy()
