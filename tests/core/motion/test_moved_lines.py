"""Lines that a camera carries along."""

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.lines import LineMatches, interpolate_lines
from fcvg_core.lines.motion import apply_homography
from fcvg_core.motion import Camera, Motion, Span, bend_motion, lines_at, move_lines
from fcvg_core.motion.moved_lines import carry_lines

CAMERA = Camera(zoom=1.2, rotate=30, tilt=(10, 0))
SETTINGS = {"max_lines": 50, "remedy": "Take another picture."}


def box(size: tuple[int, int] = (128, 192)) -> np.ndarray:
    picture = np.full((*size, 3), 30, np.uint8)
    picture[30:90, 50:140] = 220
    return picture


class TestMoveLines:
    def test_the_lines_of_the_picture_follow_the_homography(self):
        motion = move_lines(box(), CAMERA, **SETTINGS)
        (span,) = motion.spans
        assert motion.size == span.matches.size == (128, 192)
        assert span.camera == CAMERA
        assert len(span.matches.ids) >= 4
        last = CAMERA.at(torch.ones(1), (128, 192))[0].numpy()
        moved = apply_homography(last, span.matches.lines0.double().numpy())
        assert np.allclose(span.matches.lines1.numpy(), moved, atol=1e-4)

    def test_lines_lie_on_the_moved_picture_at_every_time(self):
        camera = Camera(pan=(0.1, 0.1), zoom=0.7, rotate=120, tilt=(12, -9))
        (span,) = move_lines(box(), camera, **SETTINGS).spans
        times = torch.linspace(0, 1, 5, dtype=torch.float64)
        for way, lines in zip(camera.at(times, (128, 192)), lines_at(span, times), strict=True):
            exact = apply_homography(way.numpy(), span.matches.lines0.double().numpy())
            assert np.allclose(lines.numpy(), exact, atol=1e-3)

    def test_the_ends_of_a_line_that_turns_far_keep_their_order(self):
        (span,) = move_lines(box(), Camera(rotate=150), **SETTINGS).spans
        assert span.matches.kept_ends.all()
        last = interpolate_lines(span.matches, torch.ones(1))[0]
        assert torch.allclose(last, span.matches.lines1, atol=1e-4)
        (span,) = move_lines(box(), Camera(rotate=10), **SETTINGS).spans
        assert not span.matches.kept_ends.any()

    def test_how_many_lines_there_are_is_said(self, caplog):
        caplog.set_level("INFO")
        move_lines(box(), CAMERA, max_lines=1, remedy="Take another picture.")
        assert "1 line moves with the camera." in caplog.text
        assert "Only 1 line steers the video, which is few. Take another picture." in caplog.text

    def test_a_picture_without_lines_says_so(self, caplog):
        motion = move_lines(np.zeros((64, 64, 3), np.uint8), CAMERA, **SETTINGS)
        assert len(motion.spans[0].matches.ids) == 0
        assert "No line steers the video. Take another picture." in caplog.text

    def test_a_picture_that_is_too_small(self):
        with pytest.raises(UserError, match="lines can be matched in frames of at least 64"):
            move_lines(np.zeros((63, 64, 3), np.uint8), CAMERA, **SETTINGS)


def test_a_camera_that_does_not_move_carries_no_line():
    lines = torch.rand(5, 2, 2) * 100
    assert torch.equal(carry_lines(lines, Camera(), (128, 192)), lines)


def test_bending_keeps_the_keyframes_and_shares_the_move():
    lines = torch.rand(3, 2, 2) * 60
    span = Span(matches=LineMatches(lines, lines + 2, (64, 64)), camera=Camera(rotate=5))
    bent = bend_motion(Motion((64, 64), (span, span)), Camera(zoom=4, rotate=90))
    assert [each.camera for each in bent.spans] == [Camera(zoom=2, rotate=45)] * 2
    assert all(each.matches is span.matches for each in bent.spans)
