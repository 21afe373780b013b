"""The files that the official evaluation of SMCD writes for a video.

Source: Mingxiao-Li/Animate-Your-Motion inference_eval.py, util.py.
Differs: the GIFs play at the frame rate of the video, where the official ones last 8 milliseconds
or 8 seconds a frame; boxes are drawn in the colours of the preview, and absent objects are not
drawn; boxes.json, which says too which objects are absent, is added.
"""

from pathlib import Path

import numpy as np

from ...box_sets import BoxVideo
from ...boxes import (
    BoxReading,
    BoxTrack,
    BoxTracks,
    draw_boxes,
    format_boxes,
    stack_padded,
)
from ...boxes.box_lines import lines_of
from ...choices import PADDED, YOUVIS
from ...errors import UserError
from ...files.plain_file import read_bytes
from ...files.writing import explained, save_text
from ..media.box_file import read_tracks
from ..media.pictures import read_frame
from ..media.writing import write_frames, write_gif

WHOLE_FRAME = (0.0, 0.0, 1.0, 1.0)  # stands officially for an object of YouTube-VIS that is absent
SHOWN = ("pred", "gt")  # what a video is, in the names of its files: painted, and true
PICTURE = "{}_{{}}.png"  # of a folder's name
BOXES = "box_{}.txt"
BOXES_JSON = "boxes.json"


def write_official(
    folder: Path,
    window: BoxVideo,
    frames: np.ndarray,
    truth: np.ndarray,
    *,
    fps: float,
    dataset: str,
) -> None:
    """Write a video and the true frames, as pictures and GIFs, also with boxes drawn into them.

    Args:
        folder: of the video; it is made.
        window: which the video belongs to.
        frames, truth: [T, H, W, 3] uint8.
        dataset: got10k or youvis, whose files of boxes differ.

    Raises:
        UserError: a file can't be written.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    save_text(folder / "prompt.txt", window.prompt)
    for name, shown in zip(SHOWN, (frames, truth), strict=True):
        drawn = draw_boxes(shown, window.tracks, show_labels=False)
        write_gif(folder / f"{name}_video.gif", shown, fps)
        write_gif(folder / f"boxes_{name}.gif", drawn, fps)
        for what, pictures in ((f"{name}_img", shown), (f"{name}_box_img", drawn)):
            write_frames(folder / what, pictures, name=PICTURE.format(what))
    for number, rows in enumerate(official_boxes(window.tracks, dataset).tolist()):
        lines = "".join(f"{','.join(map(str, row))}\n" for row in rows)
        save_text(folder / BOXES.format(number), lines)
    save_text(folder / BOXES_JSON, format_boxes(window.tracks))


def read_written(folder: Path, shown: str, num_frames: int) -> np.ndarray:
    """The frames [T, H, W, 3] uint8 of a video that `write_official` has written.

    Args:
        shown: a word of SHOWN.

    Raises:
        UserError: a picture is missing or damaged.
    """
    paths = (written_picture(folder, shown, i) for i in range(num_frames))
    return np.stack([read_frame(path) for path in paths])


def written_picture(folder: Path, shown: str = SHOWN[0], number: int = 0) -> Path:
    """Where `write_official` writes a frame; for the rest see `read_written`."""
    name = f"{shown}_img"
    return folder / name / PICTURE.format(name).format(number)


def is_official(path: Path) -> bool:
    """Whether a path is the folder of a video, with its boxes."""
    return path.is_dir() and any((path / name).is_file() for name in (BOXES_JSON, BOXES.format(0)))


def read_official(folder: Path) -> BoxTracks:
    """The boxes of a folder that `write_official` or the official program has written.

    Without boxes.json, an object that has the whole frame among several counts as absent, and so
    does an object without area.

    Raises:
        UserError: a file is missing, or holds no boxes.
    """
    path = folder / BOXES_JSON
    if path.exists():
        return read_tracks(path, BoxReading())
    rows = []
    while (path := folder / BOXES.format(len(rows))).exists():
        rows.append(read_lines(path))
    boxes = _stacked(rows, folder)
    if boxes.shape[1] > 1:
        boxes[(boxes == WHOLE_FRAME).all(-1)] = 0
    used = [i for i in range(boxes.shape[1]) if boxes[:, i].any()]
    tracks = (BoxTrack(f"object {i + 1}", boxes[:, i]) for i in used)
    return BoxTracks(tuple(tracks), len(boxes))


def read_lines(path: Path) -> list[list[float]]:
    """The numbers on each line of a file of boxes; see `lines_of` for the errors."""
    content = read_bytes(path, expected="a file of boxes")
    return [row for _, row in lines_of(content, str(path))]


def _stacked(rows: list[list[list[float]]], folder: Path) -> np.ndarray:
    """Boxes [T, n, 4] of the files of a folder."""
    shapes = {(len(frame), len(row)) for frame in rows for row in frame}
    boxes = np.array(rows, np.float32) if len(shapes) == 1 else np.zeros((0, 0, 4))
    if boxes.ndim != 3 or boxes.shape[-1] != 4 or not ((boxes >= 0) & (boxes <= 1)).all():
        raise UserError(
            f"{folder} holds no boxes in {BOXES.format(0)} and so on; expected x1,y1,x2,y2 in 0..1 "
            "on a line for each object, and as many lines in each file."
        )
    return boxes


def official_boxes(tracks: BoxTracks, dataset: str) -> np.ndarray:
    """Boxes as the official files have them: [T, n, 4] float32 corners as shares of the frame.

    For YouTube-VIS n is 8: an object that is absent has the whole frame, and rows without an
    object are zeros. For GOT-10k n is 1, and an absent object is zeros.
    """
    boxes, present = stack_padded(tracks, PADDED[dataset])
    if dataset == YOUVIS:
        absent = ~present & (np.arange(boxes.shape[1]) < len(tracks.tracks))
        boxes[absent] = WHOLE_FRAME
    return boxes
