"""Displacement of frames, against moves that are known, and the FPS that it gives."""

import cv2
import numpy as np
import pytest

from fcvg_core.measures import clip_displacement, fps_to_try, mean_displacement

SIZE = (96, 160)  # (height, width)


def moved(x: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A smooth picture, moved to the left by a share of its diagonal."""
    height, width = size
    levels = np.random.RandomState(0).randint(0, 256, (12, 80, 3)).astype(np.uint8)
    wide = cv2.resize(levels, (width * 4, height), interpolation=cv2.INTER_CUBIC)
    start = round(x * np.hypot(height, width))
    return wide[:, start : start + width]


class TestMeanDisplacement:
    @pytest.mark.parametrize("share", [0.02, 0.06])
    @pytest.mark.parametrize("scale", [1, 3])
    def test_a_pan(self, share, scale) -> None:
        """The figure does not depend on the size of the frames."""
        size = (SIZE[0] * scale, SIZE[1] * scale)
        found = mean_displacement(moved(0, size), moved(share, size))
        assert found == pytest.approx(share, rel=0.1)

    def test_no_move(self) -> None:
        flat = np.full((*SIZE, 3), 90, np.uint8)
        assert mean_displacement(moved(0), moved(0)) < 1e-6
        assert mean_displacement(flat, flat) == 0

    @pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 2)])
    def test_very_small_frames(self, size) -> None:
        frames = np.random.RandomState(0).randint(0, 256, (2, *size, 3)).astype(np.uint8)
        assert 0 <= mean_displacement(*frames) < 1

    def test_other_arrays_are_refused(self) -> None:
        with pytest.raises(ValueError, match="frames of one shape"):
            mean_displacement(moved(0), moved(0, (160, 96)))
        with pytest.raises(ValueError, match=r"a frame \[H, W, 3\] uint8"):
            mean_displacement(moved(0), moved(0) / 255)


def test_the_way_of_a_clip() -> None:
    """There and back is a way, though the ends are the same."""
    frames = [moved(share) for share in (0, 0.02, 0.04, 0.02, 0)]
    assert clip_displacement(iter(frames)) == pytest.approx(0.08, rel=0.1)
    assert clip_displacement(frames[:1]) == clip_displacement([]) == 0


class TestFpsToTry:
    @pytest.mark.parametrize(
        ("displacement", "fps"),
        [(0, 32), (0.085, 32), (0.148, 16), (0.208, 8), (0.211, 4), (5, 4), (float("inf"), 4)],
    )
    def test_of_the_samples(self, displacement, fps) -> None:
        assert fps_to_try(displacement, 85) == pytest.approx(fps, abs=1)

    def test_a_shorter_video_moves_more_from_frame_to_frame(self) -> None:
        found = [fps_to_try(0.08, frames) for frames in (85, 61, 45, 41, 33)]
        assert found == sorted(found, reverse=True) and len(set(found)) > 3
