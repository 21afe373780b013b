"""A small picture that shows a result: five frames of its video."""

import io
import logging
from pathlib import Path

from ...errors import UserError
from ...files.writing import write_aside

STRIP = "strip.jpg"
COLUMNS = 5
WIDTH, GAP = 92, 5  # of a tile and between tiles, in pixels: 480 in all
WHITE = 255
QUALITY = 85  # of the JPEG


def write_strip(folder: Path) -> bool:
    """Write strip.jpg, about 480 pixels wide, beside the first video of a folder.

    Returns:
        False if there is no video, or if it can't be read: the result is whole without a strip.

    Raises:
        UserError: the picture can't be written.
    """
    videos = sorted(folder.glob("*.mp4"))
    if not videos:
        return False
    try:
        content = draw_strip(videos[0])
    except UserError as error:
        logging.warning("No strip can be drawn of %s: %s", videos[0].name, error)
        return False
    with write_aside(folder / STRIP) as part:
        part.write_bytes(content)
    return True


def draw_strip(video: Path) -> bytes:
    """A JPEG with five frames of a video side by side, evenly chosen, the first and last too.

    Raises:
        UserError: the video can't be read.
    """
    import numpy as np  # these modules take a while, and not every result has a video
    from PIL import Image

    from ...files.video_file import open_video
    from ...standalone.media.video import read_every_frame

    with open_video(video) as (_, stream):
        count = stream.frames
    count = count or sum(1 for _ in read_every_frame(video))  # the file does not say it
    chosen = set(np.linspace(0, count - 1, min(COLUMNS, count)).round().astype(int).tolist())
    tiles = [
        _tile(Image.fromarray(frame))
        for number, frame in enumerate(read_every_frame(video))
        if number in chosen
    ]
    size = (len(tiles) * (WIDTH + GAP) - GAP, max(tile.height for tile in tiles))
    strip = Image.new("RGB", size, (WHITE,) * 3)
    for column, tile in enumerate(tiles):
        strip.paste(tile, (column * (WIDTH + GAP), 0))
    content = io.BytesIO()
    strip.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def _tile(frame):
    """A frame as a small picture of Pillow's."""
    height = max(round(frame.height * WIDTH / frame.width), 1)
    return frame.resize((WIDTH, height), reducing_gap=2.0)
