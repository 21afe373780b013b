"""Paths <-> tracks of other models."""

import json
import logging

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.paths import (
    Path,
    from_tracks,
    path_points,
    to_ati_json,
    to_tracks,
    to_wan_move_json,
)
from fcvg_core.timeline import inbetween_times

STRAIGHT = Path(3, torch.tensor([[0, 0], [20, 0], [40, 0], [60.0, 30]]))
STILL = Path(5, torch.tensor([[7.123456, 8.0]]))


def test_there_and_back() -> None:
    times = inbetween_times(17, "uniform")
    points = path_points([STRAIGHT, STILL], times)
    tracks = to_tracks(points, (480, 832))
    assert tracks["track_path"].shape == (17, 2, 2)
    assert tracks["track_path"].dtype == torch.float32
    assert tracks["track_visibility"].shape == (17, 2) and tracks["track_visibility"].all()
    again = path_points(from_tracks(tracks, "tracks", max_error=0), times)
    assert torch.allclose(again, tracks["track_path"].double(), atol=1e-9, rtol=0)


def test_a_point_that_the_first_frame_does_not_show_is_hidden(caplog) -> None:
    caplog.set_level(logging.INFO)
    points = torch.tensor([[[-1.0, 5], [5, 5], [20, 5], [5, 9.5]], [[5, 5]] * 4])
    seen = torch.tensor([[True] * 4, [True, False, True, True]])
    tracks = to_tracks(points, (10, 20), seen)
    assert tracks["track_visibility"].tolist() == [
        [False, True, False, True],
        [False, False, False, True],
    ]
    assert caplog.messages == [
        "Hidden, because the first frame does not show where they begin: 2 of 4 points."
    ]


def test_tracks_without_visibility_of_one_frame() -> None:
    (path,) = from_tracks({"track_path": torch.tensor([[[4, 5]]])}, "tracks", max_error=0)
    assert path.points.tolist() == [[4, 5]]


def test_hidden_tracks_are_said(caplog) -> None:
    caplog.set_level(logging.INFO)
    seen = torch.tensor([[True, False, True], [True, False, False]])
    tracks = {"track_path": torch.rand(2, 3, 2), "track_visibility": seen}
    assert [path.id for path in from_tracks(tracks, "tracks", max_error=0)] == [0, 2]
    assert caplog.messages == [
        "Hidden in a part of the frames: 1 tracks. Paths are always shown.",
        "Never visible, so left out: 1 tracks.",
    ]


def test_visibility_of_frames_as_a_mask_gives_it() -> None:
    tracks = {"track_path": torch.rand(2, 3, 2), "track_visibility": torch.ones(2, 1).bool()}
    assert len(from_tracks(tracks, "tracks", max_error=0)) == 3


GOOD = torch.zeros(2, 3, 2)


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        (None, "there is no tensor track_path"),
        ({"track_path": [[0, 0]]}, "there is no tensor track_path"),
        ({"track_path": torch.zeros(2, 3)}, r"track_path is \[2, 3\], not \[frames, tracks, 2\]"),
        ({"track_path": torch.zeros(0, 3, 2)}, r"track_path is \[0, 3, 2\]"),
        ({"track_path": torch.zeros(1, 3001, 2)}, "there are 3001 tracks, more than 3000"),
        ({"track_path": torch.zeros(1025, 1, 2)}, "each track has 1025 points, more than 1024"),
        ({"track_path": GOOD / 0}, "a place is not from -1048576 to 1048576 pixels"),
        ({"track_path": GOOD, "track_visibility": 1}, r"track_visibility is int, not \[2, 3\]"),
        (
            {"track_path": GOOD, "track_visibility": torch.ones(5, 3)},
            r"track_visibility is \[5, 3\], not \[2, 3\]",
        ),
    ],
)
def test_nonsense_in_words(tracks, message: str) -> None:
    with pytest.raises(UserError, match=f"tracks does not hold tracks .*{message}"):
        from_tracks(tracks, "tracks", max_error=0)


def test_json_of_wan_move_has_a_place_for_each_frame() -> None:
    points = path_points([STRAIGHT, STILL], inbetween_times(5, "uniform"))
    tracks = json.loads(to_wan_move_json(points))
    assert [len(track) for track in tracks] == [5, 5]
    assert tracks[0][0] == {"x": 0, "y": 0} and tracks[0][-1] == {"x": 60, "y": 30}
    assert tracks[1][2] == {"x": 7.12, "y": 8}


@pytest.mark.parametrize(
    ("num_frames", "picked"),
    [(81, [0, 1, 3, 4, 6]), (61, [0, 2, 4, 6, 8]), (17, [0, 1, 9, 16, 24])],
)
def test_json_of_ati_has_121_places(num_frames: int, picked: list[int]) -> None:
    """Those that the node picks are the places of the frames."""
    times = inbetween_times(num_frames, "ease-in")
    (track,) = json.loads(to_ati_json([STRAIGHT], times))
    assert len(track) == 121
    found = [[track[at]["x"], track[at]["y"]] for at in picked]
    expected = path_points([STRAIGHT], times)[:5, 0]
    assert torch.allclose(torch.tensor(found).double(), expected, atol=0.006)


def test_json_of_ati_for_more_frames_than_places() -> None:
    (track,) = json.loads(to_ati_json([STRAIGHT], inbetween_times(161, "uniform")))
    assert len(track) == 121 and track[-1] == {"x": 60, "y": 30}
