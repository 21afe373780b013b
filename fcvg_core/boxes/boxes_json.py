"""Tracks of boxes <-> JSON, which can be written by hand.

{"version": 1, "frames": 8, "tracks": [
{"label": "dog", "boxes": [[x1, y1, x2, y2], null, ...]},
{"label": "cat", "keys": [{"frame": 0, "box": [x1, y1, x2, y2]}, ...], "timing": "ease-in"},
...
]}

A box is its corners as shares of the frame, 0..1; with `size` [width, height] beside `frames` it
is in pixels of a picture of this size. `boxes` has a box, or null, for every frame. `keys` has key
boxes, in the frames from 0 on; `timing` and `between` are those of `interpolate_boxes`.
"""

import json
from typing import Any

from ..canvas import SIDES, is_side
from ..choices import BOX_FILLS, INTERPOLATED, PIXELS, SHARES
from ..errors import UserError
from ..quoting import quote
from .placing import BoxForm, check_size, place_keys, place_track, read_numbers
from .track import UNIFORM, interpolate_boxes
from .types import MAX_FRAMES, BoxTrack, BoxTracks, check_amount, check_label

VERSION = 1
FOUR = "[x1, y1, x2, y2]"
BOXES_FORM = (
    f"JSON with version {VERSION}, frames, and tracks, each with a label and boxes "
    f"[[x1, y1, x2, y2], null, ...] in {SHARES}"
)


def format_boxes(tracks: BoxTracks) -> str:
    """Tracks as a JSON text with one track a line; `parse_boxes` gives back equal numbers."""
    rows = ",\n".join(
        f'{{"label": {json.dumps(track.label)}, "boxes": [{", ".join(_texts(track))}]}}'
        for track in tracks.tracks
    )
    begin = json.dumps({"version": VERSION, "frames": tracks.num_frames}).removesuffix("}")
    return f'{begin}, "tracks": [\n{rows}\n]}}\n' if rows else f'{begin}, "tracks": []}}\n'


def parse_boxes(found: Any, *, name: str, size: tuple[int, int] | None = None) -> BoxTracks:
    """Tracks from the values of a JSON text.

    Args:
        found: values in the form of `format_boxes`.
        name: of the text, for messages.
        size: (height, width) of the frames that are there; None: they are not compared.

    Raises:
        UserError: the values have another form, or a form that is newer than this program, or
            boxes in pixels of a picture of other proportions. The message says which track and
            which box.
    """
    version = found.get("version") if isinstance(found, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise UserError(
            f"{name} holds boxes in the form of version {quote(version)}, but this program reads "
            f"version {VERSION}: update ComfyUI-FCVG."
        )
    try:
        rows, num_frames, form = _read_head(found)
    except ValueError as error:
        raise _no_boxes(name, error) from error
    if size is not None and form.size is not None:
        check_size(form.size, size, name)
    check_amount(len(rows), num_frames, name)
    tracks = []
    for place, row in enumerate(rows, 1):
        called = f"track {place} of {name}"
        try:
            tracks.append(_read_track(row, num_frames, form, called))
        except UserError:
            raise
        except ValueError as error:
            raise _no_boxes(name, f"track {place}: {error}") from error
    return BoxTracks(tuple(tracks), num_frames)


def _texts(track: BoxTrack) -> list[str]:
    """Each box as text; numpy writes the fewest digits that give back the same float32."""
    return [
        f"[{', '.join(map(str, box))}]" if there else "null"
        for box, there in zip(track.boxes, track.present, strict=True)
    ]


def _no_boxes(name: str, reason: object) -> UserError:
    return UserError(f"{name} does not hold boxes ({reason}). Expected: {BOXES_FORM}.")


def _read_head(found: Any) -> tuple[list, int, BoxForm]:
    """The rows, the number of frames, and what numbers mean; ValueError says what is wrong."""
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, not a dictionary")
    if missing := [key for key in ("version", "frames", "tracks") if key not in found]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    if found["version"] is True or found["version"] != VERSION:
        raise ValueError(f"version is {quote(found['version'])}; expected {VERSION}")
    frames, rows, size = found["frames"], found["tracks"], found.get("size")
    if type(frames) is not int or not 1 <= frames <= MAX_FRAMES:
        raise ValueError(f"frames is {quote(frames)}; expected a number from 1 to {MAX_FRAMES}")
    if not isinstance(rows, list):
        raise ValueError(f"tracks is {quote(rows)}, not a list")
    if size is None:
        return rows, frames, BoxForm(unit=SHARES)
    if not isinstance(size, list) or len(size) != 2 or not all(map(is_side, size)):
        raise ValueError(f"size is {quote(size)}; expected {SIDES}")
    return rows, frames, BoxForm(unit=PIXELS, size=(int(size[1]), int(size[0])))


def _read_track(row: Any, num_frames: int, form: BoxForm, name: str) -> BoxTrack:
    """A track of a row; ValueError says what is wrong."""
    if not isinstance(row, dict):
        raise ValueError(f"it is {quote(row)}, not a dictionary")
    if "label" not in row:
        raise ValueError("it lacks label")
    check_label(row["label"], name)
    if ("boxes" in row) == ("keys" in row):
        raise ValueError("expected either boxes or keys")
    if "keys" in row:
        return _read_keys(row, num_frames, form, name)
    if not isinstance(row["boxes"], list) or len(row["boxes"]) != num_frames:
        given = row["boxes"]
        count = f"has {len(given)} boxes" if isinstance(given, list) else f"is {quote(given)}"
        raise ValueError(
            f"boxes {count}; expected {num_frames}, one box or null for each of the frames. For "
            "fewer boxes use keys"
        )
    return place_track(row["label"], *read_numbers(row["boxes"], FOUR), form, name=name)


def _read_keys(row: dict[str, Any], num_frames: int, form: BoxForm, name: str) -> BoxTrack:
    """A track of a row with key boxes."""
    keys, timing = row["keys"], row.get("timing", UNIFORM)
    between = row.get("between", INTERPOLATED)
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError(f'keys is {quote(keys)}; expected [{{"frame": 0, "box": [...]}}, ...]')
    frames = [key.get("frame") for key in keys]
    if not all(type(frame) is int for frame in frames):
        raise ValueError(f"the frames of keys are {quote(frames)}; expected whole numbers")
    if between not in BOX_FILLS:
        raise ValueError(f"between is {quote(between)}; expected one of {', '.join(BOX_FILLS)}")
    numbers = isinstance(timing, list) and all(type(x) in (int, float) for x in timing)
    if not numbers and not isinstance(timing, str):
        raise ValueError(f"timing is {quote(timing)}; expected a name, or numbers in {SHARES}")
    placed = read_numbers([key.get("box") for key in keys], FOUR)
    boxes = place_keys(row["label"], frames, *placed, form, name=name)
    try:
        return interpolate_boxes(boxes, num_frames, timing=timing, between=between)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error
