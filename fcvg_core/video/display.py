"""A decoded frame -> pixels that look as in a player: colours, square pixels, orientation."""

import numpy as np

# FFmpeg's number of a colour matrix -> the number in FFmpeg's scaler: BT.709, FCC, BT.601 (twice),
# SMPTE 240M and BT.2020 (twice).
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
BT601, BT709 = 5, 1
HD_HEIGHT = 720  # without a matrix in the file, BT.709 is used from this height on, as in browsers
FULL = 2  # R, G, B in 0..255
# Bicubic, full chroma interpolation, accurate rounding. Without these, colours differ by 4 levels.
EXACT = 0x4 | 0x2000 | 0x40000
MAX_ASPECT = 4  # largest aspect ratio of a pixel; a larger ratio is a mistake in the file


def square_size(frame, pixel_aspect) -> tuple[int, int]:
    """(width, height) with square pixels; one side becomes longer, so that no detail is lost.

    Args:
        frame: FFmpeg's frame.
        pixel_aspect: width / height of a pixel; None if the file does not contain it.
    """
    aspect = pixel_aspect or 1
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        aspect = 1
    return round(frame.width * max(aspect, 1)), round(frame.height / min(aspect, 1))


def show(frame, size: tuple[int, int]) -> np.ndarray:
    """FFmpeg's frame as [H, W, 3] uint8.

    Args:
        frame: FFmpeg's frame.
        size: (width, height) in pixels, before the frame is rotated.
    """
    width, height = size
    colors = {}
    if not frame.format.is_rgb:
        guess = BT709 if frame.height >= HD_HEIGHT else BT601
        matrix = MATRICES.get(frame.colorspace, guess)
        # RGB has no matrix, so any value would do here. But if both values are equal, older
        # versions of PyAV ignore both.
        other = BT709 if matrix == BT601 else BT601
        colors["src_colorspace"], colors["dst_colorspace"] = matrix, other
        colors["src_color_range"] = frame.color_range
        colors["dst_color_range"] = FULL
    rgb = frame.reformat(format="rgb24", width=width, height=height, interpolation=EXACT, **colors)
    return _upright(rgb.to_ndarray(), _display_matrix(frame))


def _display_matrix(frame) -> np.ndarray | None:
    """The rotation of a frame in its file: [3, 3], of which the upper left [2, 2] is used."""
    data = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else np.frombuffer(bytes(data), np.int32).reshape(3, 3)


def _upright(frame: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """A frame mirrored and rotated in steps of 90 degrees: (x, y) -> (x, y) @ matrix."""
    if matrix is None:
        return frame.copy()  # the memory may belong to the decoder
    (xx, xy), (yx, yy) = matrix[:2, :2].tolist()
    if abs(xx) < abs(xy):
        frame, xx, yy = frame.transpose(1, 0, 2), yx, xy
    return frame[:: -1 if yy < 0 else 1, :: -1 if xx < 0 else 1].copy()
