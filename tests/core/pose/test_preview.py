"""People over their own frame."""

import numpy as np
import pytest
import torch

from fcvg_core.pose import STYLES, Poses, draw_on_frame, nobody


def test_people_stand_out() -> None:
    frame = np.full((288, 512, 3), 200, np.uint8)
    keypoints = torch.zeros(1, 134, 2)
    keypoints[0, :, 0], keypoints[0, :, 1] = 0.5, torch.linspace(0.1, 0.9, 134)
    drawn = draw_on_frame(frame, Poses(keypoints, torch.ones(1, 134)), style=STYLES["fcvg"])
    assert drawn.shape == frame.shape and (drawn[:, :20] == 80).all()
    assert drawn[:, 250:260].max() > 200 and (frame == 200).all()


def test_nobody() -> None:
    frame = np.full((1, 1, 3), 100, np.uint8)
    assert draw_on_frame(frame, nobody(), style=STYLES["fcvg"]).tolist() == [[[40, 40, 40]]]


def test_no_frame() -> None:
    with pytest.raises(ValueError, match="expected a frame"):
        draw_on_frame(np.zeros((8, 8)), nobody(), style=STYLES["fcvg"])
