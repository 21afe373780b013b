"""Annotations of YouTube-VIS <-> tracks of boxes.

instances.json holds `videos`, `annotations` and `categories`. An annotation is an object of a
video: `bboxes` with [x, y, width, height] in pixels, or null, for each frame.

Source: youtube-vos.org, YouTube-VIS 2021; Mingxiao-Li/Animate-Your-Motion
data/obj_track_dataset.py.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..canvas import SIDES, is_side
from ..choices import XYWH
from ..errors import UserError
from ..quoting import quote
from .placing import BoxForm, check_size, number_text, place_track, read_numbers, to_numbers
from .types import MAX_FRAMES, BoxTrack, BoxTracks, check_amount, check_label

YOUVIS_FORM = (
    "instances.json of YouTube-VIS, with lists of videos, annotations with bboxes, and categories"
)


def read_youvis(
    found: Any, video: int | str, *, name: str, size: tuple[int, int] | None = None
) -> BoxTracks:
    """The objects of a video, in the order of the file, each with the name of its category.

    A box without area is absent.

    Args:
        found: values of instances.json.
        video: its id; or its folder, or the name of one of its files.
        name: of the file, for messages.
        size: (height, width) of the frames that are there; None: they are not compared.

    Raises:
        UserError: the values have another form, there is no such video, or the frames have other
            proportions than those of the file.
    """
    categories = read_categories(found, name=name)
    entry = _find_video(read_rows(found, "videos", name=name), video)
    rows = read_rows(found, "annotations", name=name)
    try:
        known = _read_video(entry) if entry else None
    except ValueError as error:
        raise _no_annotations(name, error) from error
    if known is None:
        raise UserError(
            f"{name} holds no video {quote(video)} among its {len(found['videos'])}; expected an "
            "id, a folder or a file name of a video in it."
        )
    annotated, number, num_frames = known
    if size is not None:
        check_size(annotated, size, name)
    rows = [row for row in rows if row.get("video_id") == number]
    return _read_tracks(rows, categories, annotated, num_frames, name)


def read_categories(found: Any, *, name: str) -> dict[int, str]:
    """The name of each category, by its id, from values of instances.json.

    Raises:
        UserError: the values have another form.
    """
    rows = [(row.get("id"), row.get("name")) for row in read_rows(found, "categories", name=name)]
    return {key: word for key, word in rows if type(key) is int and isinstance(word, str)}


def read_rows(found: Any, key: str, *, name: str) -> list[dict[str, Any]]:
    """A list of dictionaries, from values of instances.json.

    Raises:
        UserError: the values have another form.
    """
    if not isinstance(found, dict):
        raise _no_annotations(name, f"it is a {type(found).__name__}, not a dictionary")
    rows = found.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        lacks = f"it lacks {key}" if rows is None else f"{key} is {quote(rows)}"
        raise _no_annotations(name, f"{lacks}, which should be a list of dictionaries")
    return rows


def read_annotations(
    rows: Any, categories: Mapping[int, str], *, name: str, level: int = logging.INFO
) -> BoxTracks:
    """The objects of the annotations of one video, as annotations_info.json of SMCD holds them.

    Args:
        rows: annotations of YouTube-VIS, at least one; the first says width, height and frames.
        categories: of `read_categories`.
        name: of the annotations, for messages.
        level: of the log, which says what is clipped.

    Raises:
        UserError: the rows have another form.
    """
    rows = read_rows({"annotations": rows}, "annotations", name=name)
    try:
        if not rows:
            raise ValueError("there are no annotations")
        sides = _sides(rows[0])
        boxes = rows[0].get("bboxes")
        num_frames = _length(len(boxes) if isinstance(boxes, list) else None)
    except ValueError as error:
        raise _no_annotations(name, error) from error
    return _read_tracks(rows, categories, sides, num_frames, name, level)


def to_youvis(
    tracks: BoxTracks,
    size: tuple[int, int],
    *,
    video_id: int = 1,
    file_names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Tracks as values of an instances.json with one video; ids count from 1.

    Args:
        size: (height, width) of the frames, in pixels.
        file_names: of the frames; None: 00000.jpg, 00001.jpg, ... in a folder that has the id.
    """
    form, (height, width) = BoxForm(XYWH, size=size), size
    if file_names is None:
        file_names = [f"{video_id}/{i:05d}.jpg" for i in range(tracks.num_frames)]
    names = list(dict.fromkeys(tracks.labels))
    sides = {"width": width, "height": height, "length": tracks.num_frames}
    annotations = [
        {
            "id": number,
            "video_id": video_id,
            "category_id": 1 + names.index(track.label),
            **sides,
            "iscrowd": 0,
            "bboxes": _boxes(track, form),
        }
        for number, track in enumerate(tracks.tracks, 1)
    ]
    return {
        "videos": [{"id": video_id, **sides, "file_names": list(file_names)}],
        "annotations": annotations,
        "categories": [{"id": i, "name": name} for i, name in enumerate(names, 1)],
    }


def _boxes(track: BoxTrack, form: BoxForm) -> list[list[float] | None]:
    rows = zip(to_numbers(track, form), track.present, strict=True)
    return [[float(number_text(x)) for x in box] if there else None for box, there in rows]


def _find_video(rows: list[dict[str, Any]], video: int | str) -> dict[str, Any] | None:
    """The entry of a video; a name that is only digits may be an id as well."""
    if isinstance(video, str):
        wanted = video.strip("/")
        for row in rows:
            files = row.get("file_names")
            files = files if isinstance(files, list) else []
            folder = str(files[0]).rpartition("/")[0] if files else None
            if wanted in files or wanted == folder:
                return row
        video = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 20 else -1
    return next((row for row in rows if type(row.get("id")) is int and row["id"] == video), None)


def _read_video(entry: dict[str, Any]) -> tuple[tuple[int, int], int, int]:
    """Size, id and number of frames of a video; ValueError says what is wrong."""
    files, number = entry.get("file_names"), entry.get("id")
    length = len(files) if isinstance(files, list) else entry.get("length")
    if type(number) is not int:
        raise ValueError(f"id of a video is {quote(number)}, not a whole number")
    return _sides(entry), number, _length(length)


def _sides(row: dict[str, Any]) -> tuple[int, int]:
    """(height, width) of a video or an annotation."""
    sides = [row.get("height"), row.get("width")]
    if not all(map(is_side, sides)):
        raise ValueError(f"height and width are {quote(sides)}, not {SIDES}")
    return int(sides[0]), int(sides[1])


def _length(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_FRAMES:
        raise ValueError(f"a video has {quote(value)} frames, not 1 to {MAX_FRAMES}")
    return value


def _no_annotations(name: str, error: ValueError | str) -> UserError:
    return UserError(f"{name}: {error}; expected {YOUVIS_FORM}.")


def _read_tracks(
    rows: list[dict[str, Any]],
    categories: Mapping[int, str],
    size: tuple[int, int],
    num_frames: int,
    name: str,
    level: int = logging.INFO,
) -> BoxTracks:
    """The objects of a video from its annotations; `size` is (height, width) of its frames."""
    check_amount(len(rows), num_frames, name)
    form, tracks = BoxForm(XYWH, size=size), []
    for row in rows:
        called = f"annotation {quote(row.get('id'))} of {name}"
        try:
            tracks.append(_read_track(row, categories, num_frames, form, called, level))
        except UserError:
            raise
        except ValueError as error:
            raise _no_annotations(called, error) from error
    return BoxTracks(tuple(tracks), num_frames)


def _read_track(
    row: dict[str, Any],
    categories: Mapping[int, str],
    num_frames: int,
    form: BoxForm,
    name: str,
    level: int,
) -> BoxTrack:
    category, boxes = row.get("category_id"), row.get("bboxes")
    label = categories.get(category) if isinstance(category, int) else None
    if label is None:
        raise ValueError(f"its category {quote(category)} has no name")
    check_label(label, name)
    if not isinstance(boxes, list) or len(boxes) != num_frames:
        count = f"{len(boxes)} boxes" if isinstance(boxes, list) else quote(boxes)
        raise ValueError(f"bboxes is {count}, but the video has {num_frames} frames")
    numbers, present = read_numbers(boxes, "[x, y, width, height]")
    return place_track(label, numbers, present, form, name=name, strict=False, level=level)
