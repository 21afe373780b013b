"""Lines and people of two keyframes, drawn as they move."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from fcvg_core.control import (
    ControlFrameSettings,
    draw_keyframes,
    draw_moving_lines,
    draw_moving_people,
)
from fcvg_core.frames import overlay
from fcvg_core.lines import LineMatches, draw_lines, interpolate_lines, match_colors
from fcvg_core.motion import Motion, Span
from fcvg_core.pose import STYLES, Poses, draw_poses, interpolate_poses, nobody
from fcvg_core.timeline import inbetween_times

SIZE = (288, 512)
SETTINGS = ControlFrameSettings(
    num_frames=5,
    timing="ease-in",
    line_width=2,
    seed=3,
    pose_style=STYLES["fcvg"],
    missing_joints="hide",
    missing_people="fade",
)
TIMES = inbetween_times(5, "ease-in")


def lines(count: int) -> LineMatches:
    ends = torch.rand(2, count, 2, 2, generator=torch.Generator().manual_seed(0)) * 280
    return LineMatches(ends[0], ends[1], size=SIZE)


def person(x: float) -> Poses:
    keypoints = torch.zeros(1, 134, 2)
    keypoints[0, :, 0], keypoints[0, :, 1] = x, torch.linspace(0.1, 0.9, 134)
    return Poses(keypoints, torch.ones(1, 134))


PEOPLE = person(0.2), person(0.7)


def draw_inbetween(
    matches: LineMatches | None,
    people: tuple[Poses, Poses] | None,
    size: tuple[int, int],
    settings: ControlFrameSettings,
) -> np.ndarray:
    motion = Motion(size, (Span(matches=matches, people=people),))
    return draw_keyframes(motion, (0, settings.num_frames - 1), settings)


class TestDrawInbetween:
    @pytest.mark.parametrize("num_frames", [2, 3, 26])
    def test_as_many_as_asked_for(self, num_frames: int) -> None:
        settings = replace(SETTINGS, num_frames=num_frames, timing="reference")
        frames = draw_inbetween(lines(6), None, SIZE, settings)
        assert frames.shape == (num_frames, *SIZE, 3) and frames.dtype == np.uint8
        assert all(frame.any() for frame in frames)

    def test_people_over_lines(self) -> None:
        """Both as they are alone, fused as the official code fuses them, at the same times."""
        matches = lines(6)
        colors = match_colors(matches, 3)
        drawn = draw_lines(interpolate_lines(matches, TIMES), SIZE, line_width=2, colors=colors)
        track = interpolate_poses(*PEOPLE, TIMES, missing_joints="hide", missing_people="fade")
        people = draw_poses(track, SIZE, style=STYLES["fcvg"])
        assert drawn.any() and people.any()
        both = draw_inbetween(matches, PEOPLE, SIZE, SETTINGS)
        assert np.array_equal(both, overlay(drawn, people))
        assert np.array_equal(draw_inbetween(matches, None, SIZE, SETTINGS), drawn)
        assert np.array_equal(draw_inbetween(None, PEOPLE, SIZE, SETTINGS), people)

    def test_every_setting_counts(self) -> None:
        drawn = draw_inbetween(lines(6), PEOPLE, SIZE, SETTINGS)
        for change in (
            {"timing": "uniform"},
            {"timing": (0.0, 1.0, 0.0, 1.0, 0.0)},
            {"line_width": 5},
            {"seed": 4},
            {"pose_style": STYLES["fcvg"].scaled(3.0)},
        ):
            other = draw_inbetween(lines(6), PEOPLE, SIZE, replace(SETTINGS, **change))
            assert not np.array_equal(other, drawn), change
        alone = person(0.2), nobody()
        faded, dropped = (
            draw_inbetween(None, alone, SIZE, replace(SETTINGS, missing_people=choice))
            for choice in ("fade", "drop")
        )
        assert faded.any() and not dropped.any()

    def test_nothing_found(self, caplog) -> None:
        caplog.set_level(logging.WARNING)
        frames = draw_inbetween(lines(0), (nobody(), nobody()), SIZE, SETTINGS)
        assert frames.shape == (5, *SIZE, 3) and not frames.any()
        assert "No line is matched and no people are drawn" in caplog.text
        caplog.clear()
        draw_inbetween(lines(1), None, SIZE, SETTINGS)
        assert not caplog.text

    def test_nothing_given(self) -> None:
        with pytest.raises(ValueError, match="expected lines, people or paths"):
            draw_inbetween(None, None, SIZE, SETTINGS)

    def test_two_sizes(self) -> None:
        with pytest.raises(ValueError, match="expected lines of frames of the size"):
            draw_inbetween(lines(2), PEOPLE, (64, 64), SETTINGS)


def test_moving_lines_end_where_they_were_found() -> None:
    matches = LineMatches(
        torch.tensor([[[10.0, 20.0], [40.0, 20.0]]]),
        torch.tensor([[[10.0, 60.0], [40.0, 60.0]]]),
        size=SIZE,
    )
    frames = draw_moving_lines(matches, inbetween_times(3, "uniform"), line_width=1, seed=0)
    rows = [sorted(set(frame.any(-1).nonzero()[0].tolist())) for frame in frames]
    assert rows == [[20], [40], [60]]


def test_moving_people_come_with_their_track() -> None:
    track, frames = draw_moving_people(
        PEOPLE,
        TIMES,
        SIZE,
        style=STYLES["fcvg"],
        missing_joints="hide",
        missing_people="fade",
    )
    assert track.scores.shape == (5, 1, 134)
    assert torch.equal(track.keypoints[-1], PEOPLE[1].keypoints)
    assert np.array_equal(frames, draw_poses(track, SIZE, style=STYLES["fcvg"]))
