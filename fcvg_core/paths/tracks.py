"""Paths <-> tracks of other video models: a place for every point in every frame."""

import json
import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from .paths_json import FARTHEST, MAX_PATHS
from .samples import check_samples, path_through
from .track import path_points
from .types import Path

PLACES, SEEN = "track_path", "track_visibility"  # keys of ComfyUI's TRACKS
ATI_SAMPLES = 121  # of each track, whatever the length of the video
DECIMALS = 2  # of coordinates in JSON


def to_tracks(
    points: Tensor, size: tuple[int, int], seen: Tensor | None = None
) -> dict[str, Tensor]:
    """Points of every frame as ComfyUI's TRACKS.

    A point that the first frame does not show is hidden in all frames, which is logged: the node
    would move another part of the picture, because it takes what it moves from the first frame.

    Args:
        points: [T, M, 2] (x, y) in pixels.
        size: (height, width) of the video.
        seen: [T, M] bool, the frames that show each point; None: all do.

    Returns:
        `track_path` [T, M, 2] float32, and `track_visibility` [T, M] bool.

    Source: ComfyUI comfy_extras/nodes_wanmove.py WanMoveTracksFromCoords, replace_feature.
    """
    if seen is None:
        seen = torch.ones(points.shape[:2], dtype=torch.bool)
    limits = points.new_tensor(size[::-1])
    begins = seen[0] & ((points[0] >= 0) & (points[0] < limits)).all(dim=-1)
    if not begins.all():
        logging.info(
            "Hidden, because the first frame does not show where they begin: %d of %d points.",
            int((~begins).sum()),
            len(begins),
        )
    return {PLACES: points.float(), SEEN: seen & begins}


def from_tracks(tracks: Any, name: str, *, max_error: float) -> tuple[Path, ...]:
    """Paths from ComfyUI's TRACKS: each passes through its places, frame by frame.

    A path is always visible: a track that is hidden in a part of the frames becomes a path through
    all of its places, which is logged, and a track that is never visible is left out.

    Args:
        tracks: `track_path` [T, M, 2], and `track_visibility` [T, M] or [T, 1], which may be
            missing.
        name: of the tracks, for messages.
        max_error: see `path_through`.

    Raises:
        UserError: the tracks have another form.
    """
    try:
        places, seen = _read_tracks(tracks)
    except ValueError as error:
        raise UserError(
            f"{name} does not hold tracks ({error}). Expected: TRACKS, for example of Generate "
            "Video Tracks."
        ) from error
    visible = seen.any(dim=0)
    partly = int((visible & ~seen.all(dim=0)).sum())
    if partly:
        logging.info("Hidden in a part of the frames: %d tracks. Paths are always shown.", partly)
    if not visible.all():
        logging.info("Never visible, so left out: %d tracks.", int((~visible).sum()))
    tracks = enumerate(places.unbind(1))
    return tuple(path_through(number, x, max_error) for number, x in tracks if visible[number])


def to_wan_move_json(points: Tensor) -> str:
    """Points [T, M, 2] of every frame as the text that core's WanMoveTracksFromCoords reads.

    The text holds a list for each track, with one {"x", "y"} in pixels for each frame.
    """
    places = points.transpose(0, 1).tolist()
    return json.dumps([[_place(point) for point in track] for track in places])


def to_ati_json(paths: Sequence[Path], progress: Tensor) -> str:
    """Paths as the text that core's WanTrackToVideo reads, for ATI.

    The node takes 121 places of each track, whatever the length of the video: with fewer the point
    would vanish. For each frame it picks one of them. So the picked places are those of the frames,
    and the others lie between.

    Args:
        progress: [T] of each frame, 0..1, from `inbetween_times`.

    Source: ComfyUI comfy_extras/nodes_wan.py pad_pts, process_tracks.
    """
    steps = len(progress) - 1
    repeated = steps // math.gcd(steps, ATI_SAMPLES - 1)
    stride = (ATI_SAMPLES - 1) // math.gcd(steps, ATI_SAMPLES - 1)
    # Frames of a long video share a place: the last of these frames decides.
    known = {
        1 + (1 + stride * step) // repeated: float(progress[step + 1]) for step in range(steps)
    }
    known[0] = float(progress[0])
    at = sorted(known)
    times = np.interp(np.arange(ATI_SAMPLES), at, [known[x] for x in at])
    return to_wan_move_json(path_points(paths, torch.from_numpy(times)))


def _place(point: list[float]) -> dict[str, float]:
    x, y = point
    return {"x": round(x, DECIMALS), "y": round(y, DECIMALS)}


def _read_tracks(tracks: Any) -> tuple[Tensor, Tensor]:
    """Places [T, M, 2] and where they are seen [T, M]; ValueError says what is wrong."""
    places = tracks.get(PLACES) if isinstance(tracks, dict) else None
    if not isinstance(places, Tensor):
        raise ValueError(f"there is no tensor {PLACES}")
    places = places.detach().cpu().to(torch.float64)
    if places.ndim != 3 or places.shape[2] != 2 or not len(places):
        raise ValueError(f"{PLACES} is {list(places.shape)}, not [frames, tracks, 2]")
    if places.shape[1] > MAX_PATHS:
        raise ValueError(f"there are {places.shape[1]} tracks, more than {MAX_PATHS}")
    check_samples(len(places), "each track")
    if not (places.abs() <= FARTHEST).all():  # NaN fails here as well
        raise ValueError(f"a place is not from -{FARTHEST:.0f} to {FARTHEST:.0f} pixels")
    seen = tracks.get(SEEN)
    if seen is None:
        return places, torch.ones(places.shape[:2], dtype=torch.bool)
    wanted = [list(places.shape[:2]), [len(places), 1]]
    if not isinstance(seen, Tensor) or list(seen.shape) not in wanted:
        found = list(seen.shape) if isinstance(seen, Tensor) else type(seen).__name__
        raise ValueError(f"{SEEN} is {found}, not {wanted[0]}")
    return places, seen.detach().cpu().bool().expand(places.shape[:2])
