"""Boxes drawn over frames."""

import numpy as np
import pytest

from fcvg_core.boxes import BoxTrack, BoxTracks, draw_boxes, track_colors
from fcvg_core.errors import UserError

DOG = BoxTrack("dog", [[0.25, 0.5, 0.75, 0.9], [0, 0, 0, 0], [0, 0, 1, 1]])
TRACKS = BoxTracks((DOG, BoxTrack("cat", np.array([[0.1, 0.2, 0.2, 0.3]] * 3))), 3)


def test_boxes_in_their_colours() -> None:
    frames = np.full((3, 101, 201, 3), 90, np.uint8)
    drawn = draw_boxes(frames, TRACKS, show_labels=False)
    colors = track_colors(2)
    assert drawn.shape == frames.shape and (frames == 90).all()
    assert (drawn[0, [50, 70, 90], [100, 50, 150]] == colors[0]).all()
    assert (drawn[0, 80, 100] == 90).all()  # inside
    assert (drawn[:, 25, 20] == colors[1]).all()
    assert (drawn[2, [0, 100, 60], [100, 7, 200]] == colors[0]).all()
    only = np.zeros((101, 201), bool)
    only[19:32, 19:42] = True
    assert (drawn[1][~only] == 90).all()  # the dog is absent


def test_one_picture_for_all_boxes() -> None:
    picture = np.zeros((1, 64, 64, 3), np.uint8)
    drawn = draw_boxes(picture, TRACKS)
    assert drawn.shape == (3, 64, 64, 3) and drawn.any(axis=(1, 2, 3)).all() and not picture.any()
    assert draw_boxes(picture, BoxTracks((), 3)).shape == (3, 64, 64, 3)


def test_labels_are_whole_and_readable() -> None:
    """A plate of the box's colour bears dark or light letters, above the box or inside of it."""
    color = track_colors(1)[0].astype(int)
    for box in ([0.5, 0.5, 0.9, 0.9], [0.9, 0, 1, 1], [0, 0, 1, 1]):
        track = BoxTracks((BoxTrack("brown dog", [box]),), 1)
        plain, named = (
            draw_boxes(np.full((1, 256, 256, 3), 90, np.uint8), track, show_labels=show)[0]
            for show in (False, True)
        )
        rows, columns = (plain != named).any(axis=-1).nonzero()
        assert 50 < np.ptp(columns) < 180 and 14 < np.ptp(rows) < 24
        part = named[rows.min() : rows.max(), columns.min() : columns.max()].astype(int)
        ink = np.abs(part - color).sum(axis=-1) > 250
        assert 0.08 < ink.mean() < 0.5
        if box[1]:
            assert rows.max() < 128


@pytest.mark.parametrize("label", ["\u732b", "caf\u00e9\n au\tlait", "x" * 200, "\x00"])
@pytest.mark.parametrize("size", [(8, 8), (300, 20), (20, 300)])
def test_any_label_on_any_frame(label: str, size: tuple[int, int]) -> None:
    tracks = BoxTracks((BoxTrack(label, [[0.1, 0.1, 0.101, 0.9]]),), 1)
    assert draw_boxes(np.zeros((1, *size, 3), np.uint8), tracks).any()


def test_errors() -> None:
    with pytest.raises(UserError, match="2 frames, but boxes for 3; expected one frame, or"):
        draw_boxes(np.zeros((2, 64, 64, 3), np.uint8), TRACKS)
    with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
        draw_boxes(np.zeros((3, 64, 64)), TRACKS)


def test_neighbours_differ() -> None:
    colors = track_colors(9).astype(int)
    apart = np.abs(colors[:8, None] - colors[None, :8]).sum(-1) + 999 * np.eye(8)
    assert apart.min() > 40 and (colors[8] == colors[0]).all()
    assert np.abs(np.diff(colors, axis=0)).sum(1).min() > 150
