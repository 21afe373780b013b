"""GOT-10k: a folder of frames, groundtruth.txt and meta_info.ini for each video of one object.

    got-10k/obj_embedding.json              {object: [[1024 numbers]]}
    got-10k/SPLIT/VIDEO/*.jpg
    got-10k/SPLIT/VIDEO/groundtruth.txt     x,y,w,h in pixels for each frame
    got-10k/SPLIT/VIDEO/meta_info.ini       resolution, object_class, motion_class

Source: Mingxiao-Li/Animate-Your-Motion data/got10k_dataset.py.
"""

import logging
import re
from pathlib import Path
from typing import Any

from ..boxes import BoxTracks, read_got10k
from ..canvas import SIDES, is_side
from ..choices import GOT10K
from ..errors import UserError
from ..files.plain_file import read_bytes
from ..quoting import quote
from .layout import (
    MAX_TEXT,
    find_set,
    list_frames,
    list_videos,
    pick_embeddings,
    read_values,
    to_length,
)
from .types import BoxSet, BoxVideo

FOLDERS = ("got-10k", "got10k")  # what the official code opens, and what its README names
EMBEDDINGS = "obj_embedding.json"
BOXES, ABOUT = "groundtruth.txt", "meta_info.ini"
KEYS = ("resolution", "object_class", "motion_class")
RESOLUTION = re.compile(r"[(\[]?\s*(\d{1,6})\s*[,x]\s*(\d{1,6})\s*[)\]]?")
# What the name of a video that is left out holds. The numbers are faulty videos.
FAULTY = (
    *("001665", "001849", "001858", "001867", "001898", "002446", "002449", "004419", "005912"),
    *("007610", "007643", "007645", "007788", "008628", "008630", "008721", "008917", "008925"),
    *("008931", "009027", "009031", "009032", "009058", "009059", "009065", "009094", "009102"),
    *("009210", "009211", "009214", "009274", "009302", "009320", "009323", "txt"),
)


def open_got10k(root: Path, split: str, *, least: int) -> BoxSet:
    """The videos of a split; see `open_box_set`.

    Differs: the official code looks for the numbers of faulty videos in the whole path, so that
    the name of a folder above can hide all videos; and it fails at videos with fewer frames.
    """
    folder = find_set(root, FOLDERS)
    path = folder / EMBEDDINGS
    embeddings = read_values(path, "the embedded labels of GOT-10k", prepared_for=GOT10K)
    folders = list_videos(folder / split, least, keep=is_whole)
    return BoxSet(GOT10K, folders, lambda video: _read_video(video, embeddings, path))


def is_whole(name: str) -> bool:
    """Whether the video of this name is none of the faulty ones."""
    return not any(word in name for word in FAULTY)


def read_about(path: Path) -> dict[str, str]:
    """What meta_info.ini says: its names and values.

    Raises:
        UserError: the file is missing, is no text, or lacks a name that is needed.
    """
    what = f"meta_info.ini of GOT-10k with {', '.join(KEYS)}"
    try:
        text = read_bytes(path, expected=what, most=MAX_TEXT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8; expected {what}.") from error
    pairs = (re.split("[:=]", line, maxsplit=1) for line in text.splitlines())
    values = {pair[0].strip().lower(): pair[1].strip() for pair in pairs if len(pair) == 2}
    if lacking := [key for key in KEYS if not values.get(key)]:
        raise UserError(f"{path} lacks {' and '.join(lacking)}; expected {what}.")
    return values


def _read_video(folder: Path, embeddings: dict[str, Any], path: Path) -> BoxVideo:
    """The video in a folder; `embeddings` are those of the file `path`."""
    about = read_about(folder / ABOUT)
    size = _size(about["resolution"], folder / ABOUT)
    name, frames = str(folder / BOXES), list_frames(folder)
    expected = "groundtruth.txt of GOT-10k"
    content = read_bytes(folder / BOXES, expected=expected, most=MAX_TEXT)
    track = read_got10k(content, size, label=about["object_class"], name=name, level=logging.DEBUG)
    return BoxVideo(
        folder.name,
        frames,
        size,
        to_length(BoxTracks((track,), track.num_frames), len(frames), name),
        f"A {about['object_class']} that is {about['motion_class']}. ",
        pick_embeddings(embeddings, [track.label], path, GOT10K),
    )


def _size(text: str, path: Path) -> tuple[int, int]:
    """(height, width) of "(width, height)"."""
    found = RESOLUTION.fullmatch(text)
    width, height = map(int, found.groups()) if found else (0, 0)
    if not (is_side(height) and is_side(width)):
        raise UserError(
            f"resolution in {path} is {quote(text)}; expected (width, height) of {SIDES}."
        )
    return height, width
