"""People of a driving video and a picture, drawn for the picture."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from fcvg_core.control import draw_driven_people
from fcvg_core.errors import UserError
from fcvg_core.pose import STYLES, Poses, draw_poses, nobody
from fcvg_core.settings import DrivingSettings

SETTINGS = DrivingSettings(one_person=True, smoothing=0.0, pose_width=1.0, pose_colors="fcvg")
SIZES = {"driving_size": (90, 160), "size": (128, 64)}


def person(x: float) -> Poses:
    random = torch.rand(134, 2, generator=torch.Generator().manual_seed(0)) * 0.3 + 0.2
    return Poses((random + torch.tensor([x, 0.0]))[None], torch.ones(1, 134))


VIDEO = [person(0.06), person(0.0), person(0.08)]  # jitter, to be smoothed


@pytest.mark.parametrize(("reference_first", "count"), [(True, 4), (False, 3)])
def test_the_picture_moves_as_the_video(reference_first: bool, count: int) -> None:
    reference = person(0.15)
    track, frames = draw_driven_people(
        VIDEO, reference, SETTINGS, reference_first=reference_first, **SIZES
    )
    assert len(track.scores) == count and frames.shape == (count, 128, 64, 3)
    style = STYLES["controlnext-svd-v2"]
    assert np.array_equal(frames, draw_poses(track, (128, 64), style=style))
    if reference_first:
        assert torch.allclose(track.keypoints[0], reference.keypoints)
    steps = track.keypoints[-2:, 0, :18, 0].mean(-1).diff()
    assert steps > 0  # to the right, as the video's person goes


def test_every_setting_counts() -> None:
    two = [Poses(torch.cat([a.keypoints] * 2), torch.ones(2, 134)) for a in VIDEO]
    draw = {"reference_first": True, **SIZES}
    _, frames = draw_driven_people(two, person(0.15), SETTINGS, **draw)
    for change in ({"pose_width": 4.0}, {"smoothing": 2.0}, {"pose_colors": "white"}):
        _, other = draw_driven_people(two, person(0.15), replace(SETTINGS, **change), **draw)
        assert not np.array_equal(other, frames), change
    track, _ = draw_driven_people(two, person(0.15), replace(SETTINGS, one_person=False), **draw)
    assert track.scores.shape[1] == 2


def test_frames_without_anybody_are_counted(caplog) -> None:
    caplog.set_level(logging.WARNING)
    video = [VIDEO[0], nobody(), VIDEO[2]]
    draw_driven_people(video, person(0.0), SETTINGS, reference_first=True, **SIZES)
    assert "Nobody is found in 1 of the video's 3 frames." in caplog.text
    with pytest.raises(UserError, match="have no joint in common"):
        draw_driven_people([nobody()], person(0.0), SETTINGS, reference_first=True, **SIZES)
