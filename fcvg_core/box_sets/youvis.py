"""YouTube-VIS 2021: a folder of frames for each video, and JSON files with boxes and captions.

    youvis/caption.json                             {video: what it shows}
    youvis/SPLIT/JPEGImages/VIDEO/*.jpg
    youvis/SPLIT/instances.json                     videos and categories
    youvis/SPLIT/annotations_info_with_cat_emb.json {"category_embedding": {category: [[1024
                                                    numbers]]}, video: its annotations}

Source: Mingxiao-Li/Animate-Your-Motion data/youvis_dataset.py.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..boxes import BoxTracks, read_annotations, read_categories
from ..boxes.youvis import YOUVIS_FORM, read_rows
from ..choices import YOUVIS
from ..errors import UserError
from ..quoting import quote
from .layout import (
    MOST_OBJECTS,
    PREPARE,
    find_set,
    list_frames,
    list_videos,
    pick_embeddings,
    read_values,
    to_length,
)
from .types import BoxSet, BoxVideo

FOLDERS = ("youvis",)
FRAMES = "JPEGImages"
CAPTIONS, INSTANCES = "caption.json", "instances.json"
ANNOTATIONS = "annotations_info_with_cat_emb.json"
EMBEDDINGS = "category_embedding"  # in the file of annotations


@dataclass(frozen=True, eq=False)
class Tables:
    """What the JSON files of a split say.

    Attributes:
        path: of the file of annotations.
        annotations: of each video, beside the embedded categories.
        categories: the name of each category, by its id.
        captions: what each video shows.
        instances: values of the official file.
    """

    path: Path
    annotations: Mapping[str, Any]
    categories: Mapping[int, str]
    captions: Mapping[str, Any]
    instances: Mapping[str, Any]


def open_youvis(root: Path, split: str, *, least: int) -> BoxSet:
    """The videos of a split; see `open_box_set`."""
    folder = find_set(root, FOLDERS)
    folders = list_videos(folder / split / FRAMES, least)
    path = folder / split / INSTANCES
    instances = read_values(path, YOUVIS_FORM)
    annotated = folder / split / ANNOTATIONS
    tables = Tables(
        path=annotated,
        annotations=read_values(annotated, "annotations by video", prepared_for=YOUVIS),
        categories=read_categories(instances, name=str(path)),
        captions=read_values(folder / CAPTIONS, "a caption for each video"),
        instances=instances,
    )
    return BoxSet(YOUVIS, folders, lambda video: _read_video(video, tables))


def group_annotations(found: Mapping[str, Any], *, name: str) -> dict[str, list[dict[str, Any]]]:
    """The annotations of each video, by the name of its folder, in the order of the file.

    Videos without annotations come last.

    Source: Mingxiao-Li/Animate-Your-Motion preprocess_data.py.
    Differs: the official code takes the id of a video for its place in the list.

    Args:
        found: values of instances.json.
        name: of the file, for messages.

    Raises:
        UserError: the values have another form, or a video of an annotation is missing.
    """
    folders, grouped = {}, {}
    for row in read_rows(found, "videos", name=name):
        files = row.get("file_names")
        if not isinstance(files, list) or not files or not isinstance(files[0], str):
            raise UserError(
                f"{name}: file_names of video {quote(row.get('id'))} is {quote(files)}; expected "
                f"{YOUVIS_FORM}."
            )
        folders[row.get("id")] = files[0].partition("/")[0]
    for row in read_rows(found, "annotations", name=name):
        video = row.get("video_id")
        if type(video) is not int or video not in folders:
            raise UserError(
                f"{name}: annotation {quote(row.get('id'))} is of video {quote(video)}, which is "
                f"not among the {len(folders)} videos. Download the file again."
            )
        grouped.setdefault(folders[video], []).append(row)
    for folder in folders.values():
        grouped.setdefault(folder, [])
    return grouped


def _read_video(folder: Path, tables: Tables) -> BoxVideo:
    """The video in a folder, with its first objects."""
    frames, name = list_frames(folder), f"{tables.path}, video {folder.name}"
    prompt = tables.captions.get(folder.name)
    if not isinstance(prompt, str):
        raise UserError(
            f"{CAPTIONS} holds no caption of the video {folder.name}, but {quote(prompt)}; "
            "expected a text. Add it."
        )
    size, tracks = _read_boxes(folder.name, tables, len(frames), name)
    embeddings = tables.annotations.get(EMBEDDINGS)
    return BoxVideo(
        folder.name,
        frames,
        size,
        to_length(tracks, len(frames), name),
        prompt,
        pick_embeddings(embeddings, tracks.labels, tables.path, YOUVIS),
    )


def _read_boxes(
    video: str, tables: Tables, num_frames: int, name: str
) -> tuple[tuple[int, int] | None, BoxTracks]:
    """(height, width) that the boxes of a video belong to, and its first objects."""
    rows = tables.annotations.get(video)
    if not rows and group_annotations(tables.instances, name=INSTANCES).get(video) == []:
        return None, BoxTracks((), num_frames)
    if not rows:
        raise UserError(
            f"{name} has no annotations; expected those that {INSTANCES} has: make the file anew "
            f"with {PREPARE} {YOUVIS}."
        )
    rows = rows[:MOST_OBJECTS] if isinstance(rows, list) else rows
    tracks = read_annotations(rows, tables.categories, name=name, level=logging.DEBUG)
    return (int(rows[0]["height"]), int(rows[0]["width"])), tracks
