"""Tracks -> frames with their boxes and labels drawn over them."""

import unicodedata

import cv2
import numpy as np

from ..errors import UserError
from ..frames import check_frames
from ..lines.draw import husl_palette
from .types import BoxTracks

FONT = cv2.FONT_HERSHEY_SIMPLEX
COLORS = 8  # a track keeps its colour when others come and go
LINE_WIDTH = 1 / 160  # of the shorter side
TEXT_HEIGHT, LEAST_HEIGHT = 1 / 24, 9  # of the shorter side; pixels
WEIGHTS = (299, 587, 114)  # of red, green and blue in brightness, in thousandths
BRIGHT = 128_000


def draw_boxes(frames: np.ndarray, tracks: BoxTracks, *, show_labels: bool = True) -> np.ndarray:
    """Frames with the boxes of each track in its colour, and its label on a plate of this colour.

    Later tracks cover earlier ones. A single frame is shown once for each box.

    Args:
        frames: [T, H, W, 3] uint8, or [1, H, W, 3].
        tracks: of T frames.

    Returns:
        [T, H, W, 3] uint8.

    Raises:
        ValueError: the frames are not [T, H, W, 3] uint8.
        UserError: there is another number of frames than boxes.
    """
    check_frames(frames)
    if len(frames) not in (1, tracks.num_frames):
        raise UserError(
            f"There are {len(frames)} frames, but boxes for {tracks.num_frames}; expected one "
            "frame, or a frame for each box: give the tracks the number of frames of the video."
        )
    drawn = np.repeat(frames, tracks.num_frames, axis=0) if len(frames) == 1 else frames.copy()
    if not drawn.size:
        return drawn
    colors = track_colors(len(tracks.tracks))
    scale = np.array(drawn.shape[2:0:-1] * 2) - 1
    for track, color in zip(tracks.tracks, colors.tolist(), strict=True):
        corners = np.round(track.boxes * scale).astype(int)
        for number in np.flatnonzero(track.present):
            _draw(
                drawn[number], corners[number].tolist(), color, track.label if show_labels else ""
            )
    return drawn


def track_colors(count: int) -> np.ndarray:
    """The colours of tracks: [count, 3] uint8 RGB; neighbours differ much."""
    order = np.arange(count) * 3 % COLORS  # 3 steps on the circle of hues
    return husl_palette(COLORS)[order]


def _draw(frame: np.ndarray, box: list[int], color: list[int], label: str) -> None:
    """Draw a box left, top, right, bottom into a frame, and its label above it if possible."""
    height, width = frame.shape[:2]
    thick = max(round(min(height, width) * LINE_WIDTH), 1)
    left, top, right, bottom = box
    cv2.rectangle(frame, (left, top), (right, bottom), color, thick)
    if not label:
        return
    tall = max(round(min(height, width) * TEXT_HEIGHT), LEAST_HEIGHT)
    stroke = max(tall // 12, 1)
    scale = cv2.getFontScaleFromHeight(FONT, tall, stroke)
    text, wide, below = _fitting(_plain(label), width, scale, stroke)
    pad = max(tall // 4, 2)
    plate = tall + below + 2 * pad
    upper = top - plate if top >= plate else top  # inside of the box, if there is no room above it
    begin = max(min(left, width - wide - 2 * pad), 0)
    cv2.rectangle(frame, (begin, upper), (begin + wide + 2 * pad, upper + plate), color, -1)
    ink = (0, 0, 0) if np.dot(WEIGHTS, color) > BRIGHT else (255, 255, 255)
    place = (begin + pad, upper + pad + tall)
    cv2.putText(frame, text, place, FONT, scale, ink, stroke, cv2.LINE_AA)


def _fitting(label: str, width: int, scale: float, stroke: int) -> tuple[str, int, int]:
    """A label cut to the width of a frame, its own width, and the depth of letters like g."""
    text = label
    while True:
        (wide, _), below = cv2.getTextSize(text, FONT, scale, stroke)
        if wide <= width or not label:
            return text, wide, below
        label = label[:-1]
        text = f"{label}.."


def _plain(label: str) -> str:
    """A label in the letters that OpenCV can draw: without accents, and ? for other letters."""
    letters = unicodedata.normalize("NFKD", " ".join(label.split()))
    letters = "".join(x for x in letters if not unicodedata.combining(x))
    return letters.encode("ascii", "replace").decode()
