"""Tracks -> the same tracks on frames that were cropped, padded or stretched."""

import numpy as np

from ..choices import ANCHORS, PICTURE_FITS
from ..placement import place_picture
from .placing import clip_track
from .types import BoxTracks


def fit_boxes(
    tracks: BoxTracks,
    size: tuple[int, int],
    target: tuple[int, int],
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> BoxTracks:
    """The tracks after `fit_frame` has made frames of another size; what is cut off is absent.

    Args:
        size, target: (height, width) of the frames before and after, in pixels.
        fit, anchor: see `place_picture`.

    Raises:
        ValueError: see `place_picture`.
    """
    placement = place_picture(size, target, fit, anchor)
    kept, box = (np.array(x, np.float64) for x in (placement.kept, placement.box))
    before, after = (np.array([*x[::-1], *x[::-1]], np.float64) for x in (size, target))
    scale = np.tile((box[2:] - box[:2]) / (kept[2:] - kept[:2]), 2)
    first, moved = np.tile(kept[:2], 2), np.tile(box[:2], 2)
    fitted = (
        clip_track(
            track.label,
            ((track.boxes * before - first) * scale + moved) / after,
            track.present,
        )
        for track in tracks.tracks
    )
    return BoxTracks(tuple(fitted), tracks.num_frames)
