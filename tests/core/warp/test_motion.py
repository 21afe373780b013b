"""Keyframes and a motion -> frames in which the keyframes' own pixels move."""

import cv2
import numpy as np
import pytest
import torch
from warp_cases import colored, matches_of, moved_by, person, psnr, random_lines, shift, texture

from fcvg_core.motion import Camera, Motion, Region, Span, move_picture, unseen_mask
from fcvg_core.paths import Path, path_points
from fcvg_core.timeline import inbetween_times
from fcvg_core.warp import preview_keyframes, preview_motion

SIZE = (144, 256)
CURVE = torch.tensor([[50.0, 100], [75, 10], [165, 10], [200, 100]])
PATH, END = Path(0, CURVE), CURVE[-1].numpy()
PIXELS = np.indices(SIZE)[::-1].transpose(1, 2, 0)  # (x, y) of every pixel
YELLOW = (250, 230, 40)


def town(seed: int = 0) -> np.ndarray:
    frame = colored(texture(SIZE, seed=seed, sigma=6) // 2)
    frame[..., 2] += 60
    return frame


def with_disc(place, radius: int = 14) -> np.ndarray:
    frame = town()
    at = tuple(round(float(value) * 16) for value in place)
    cv2.circle(frame, at, radius * 16, YELLOW, -1, cv2.LINE_AA, 4)
    return frame


def centre(frame: np.ndarray) -> np.ndarray:
    """(x, y) of what is yellow."""
    yellow = (frame[..., :2].mean(-1) - frame[..., 2] - 100.0).clip(0)
    return (PIXELS * yellow[..., None]).sum((0, 1)) / yellow.sum()


def still_lines(count: int = 12):
    lines = random_lines(count, SIZE)
    return matches_of(lines, lines, SIZE)


def preview(keyframes, *spans: Span, at=None, timing="uniform", **given) -> np.ndarray:
    at = (0, 8) if at is None else at
    return preview_keyframes(keyframes, at, timing, Motion(keyframes[0].shape[:2], spans), **given)


class TestTwoKeyframes:
    @pytest.mark.parametrize("timing", ["reference", [0.1, 0.7]], ids=str)
    def test_as_lines_and_people_alone(self, timing) -> None:
        ends = town(), np.roll(town(), 6, axis=1)
        matches = moved_by(shift(6, 0), random_lines(12, SIZE), SIZE)
        people = person({1: (0.5, 0.3), 2: (0.3, 0.3)}), person({1: (0.6, 0.3), 2: (0.4, 0.3)})
        frames = preview(ends, Span(matches=matches, people=people), at=(0, 4), timing=timing)
        times = inbetween_times(5, timing)
        assert np.array_equal(frames, preview_motion(ends, times, matches=matches, people=people))


class TestPaths:
    @pytest.mark.parametrize("matches", [None, still_lines()], ids=["no lines", "lines beside"])
    def test_a_disc_follows_its_curve(self, matches) -> None:
        """Not the straight line, and it leaves its place."""
        places = path_points([PATH], torch.linspace(0, 1, 9))[:, 0].numpy()
        truth = [with_disc(place) for place in places]
        frames = preview((truth[0], truth[-1]), Span(matches=matches, paths=(PATH,)))
        for frame, place, wanted in zip(frames, places, truth, strict=True):
            assert np.linalg.norm(centre(frame) - centre(wanted)) < 0.6
            assert np.linalg.norm(centre(frame) - place) < 1
            assert psnr(frame, wanted) > 38

    @pytest.mark.parametrize("last", [town(), with_disc(CURVE[0])], ids=["gone", "at its place"])
    def test_what_the_last_keyframe_shows_elsewhere(self, last) -> None:
        """What lies under the point is carried, and fades into the last keyframe."""
        frames = preview((with_disc(CURVE[0]), last), Span(matches=still_lines(), paths=(PATH,)))
        place = path_points([PATH], torch.tensor([0.25]))[0, 0].numpy()
        near = np.linalg.norm(PIXELS - place, axis=-1)
        frame = frames[2].astype(int)
        assert (
            np.abs(frame[near < 8] - (0.75 * np.array(YELLOW) + 0.25 * town()[near < 8])).max() < 60
        )
        assert np.abs(frame - town())[near > 80][:, 0].max() < 200
        assert np.array_equal(frames[-1], last)

    def test_speed(self) -> None:
        """The speed curve of the path counts, on top of the video's timing."""
        path = Path(0, CURVE, speed=[0, 1, 1])
        places = path_points([path], torch.tensor([0.25, 0.5]))[:, 0].numpy()
        frames = preview((with_disc(CURVE[0]), with_disc(CURVE[-1])), Span(paths=(path,)))
        assert np.linalg.norm(centre(frames[2]) - places[0]) < 1
        assert np.linalg.norm(centre(frames[4]) - CURVE[-1].numpy()) < 1

    def test_before_a_moving_camera(self) -> None:
        camera = Camera(pan=(-0.1, 0.0))
        last = move_picture(town(), camera, 1.0, "reflect")
        cv2.circle(last, (200, 100), 14, YELLOW, -1, cv2.LINE_AA)
        frames = preview((with_disc(CURVE[0]), last), Span(camera=camera, paths=(PATH,)))
        for time in (2, 4, 6):
            place = path_points([PATH], torch.tensor([time / 8]))[0, 0].numpy()
            assert np.linalg.norm(centre(frames[time]) - place) < 1.5


class TestCamera:
    @pytest.mark.parametrize(
        "camera",
        [
            Camera(pan=(0.2, 0.1)),
            Camera(zoom=1.5),
            Camera(rotate=50),
            Camera(pan=(0.1, 0.0), zoom=1.2, tilt=(8, 4)),
        ],
        ids=["pan", "zoom", "rotate", "all"],
    )
    def test_a_moved_picture(self, camera: Camera) -> None:
        """The preview follows the homography; straight ways would turn and shrink the picture."""
        picture = town()
        frames = preview(
            (picture, move_picture(picture, camera, 1.0, "reflect")), Span(camera=camera)
        )
        for time in (2, 4, 6):
            truth = move_picture(picture, camera, time / 8, "reflect")
            seen = unseen_mask(SIZE, camera, time / 8) == 0
            assert psnr(frames[time][seen], truth[seen]) > 38


class TestHolds:
    REGION = Region(0, np.array([[20.0, 20], [90, 20], [90, 90], [20, 90]]))

    def test_first_keyframe_inside(self) -> None:
        """Until the last frame, which is the last keyframe bit for bit."""
        ends = town(1), town(2)
        moved = moved_by(shift(9, 0), random_lines(12, SIZE), SIZE)
        frames = preview(ends, Span(matches=moved, holds=(self.REGION,)))
        inside, outside = np.s_[:, 22:88, 22:88], np.s_[:, :, 110:]
        assert (frames[:-1][inside] == ends[0][22:88, 22:88]).all()
        assert np.array_equal(frames[-1], ends[1])
        plain = preview(ends, Span(matches=moved))
        assert np.array_equal(plain[0], frames[0]) and not np.array_equal(plain[4], frames[4])
        apart = np.abs(frames[outside].astype(int) - plain[outside])
        assert apart.mean() < 4

    def test_a_path_that_begins_inside_stands_still(self) -> None:
        path = Path(0, torch.tensor([[50.0, 50], [90, 100], [130, 100], [200, 50]]))
        ends = with_disc(path.points[0]), with_disc(path.points[-1])
        frames = preview(ends, Span(paths=(path,), holds=(self.REGION,)))
        assert (frames[4][30:70, 30:70] == ends[0][30:70, 30:70]).all()


class TestSeveral:
    def test_joins(self) -> None:
        """Every keyframe is exact and comes once; between two keyframes nothing else counts."""
        keyframes = town(), np.roll(town(), 6, axis=1), town(3)
        spans = (
            Span(matches=moved_by(shift(6, 0), random_lines(12, SIZE), SIZE)),
            Span(matches=still_lines(), paths=(PATH,)),
        )
        told = []
        frames = preview(
            keyframes, *spans, at=(0, 4, 9), progress=lambda *report: told.append(report)
        )
        assert told == [("preview", i + 1, 10) for i in range(10)]
        for frame, keyframe in zip((0, 4, 9), keyframes, strict=True):
            assert np.array_equal(frames[frame], keyframe)
        for begin, end, i in ((0, 4, 0), (4, 9, 1)):
            alone = preview(keyframes[i : i + 2], spans[i], at=(0, end - begin))
            assert np.array_equal(frames[begin : end + 1], alone)

    def test_messages_name_the_keyframes(self, caplog) -> None:
        keyframes = town(), town(), town(3)
        preview(keyframes, Span(matches=still_lines()), Span(), at=(0, 3, 6))
        assert caplog.messages == [
            "Keyframes 2 and 3: No line and no person is in both keyframes: the preview is a plain "
            "blend of both."
        ]


class TestErrors:
    def test_numbers(self) -> None:
        with pytest.raises(ValueError, match="motion's 2 keyframes, got 3 and 3"):
            preview((town(),) * 3, Span(), at=(0, 4, 8))

    def test_size(self) -> None:
        motion = Motion((64, 64), (Span(),))
        with pytest.raises(ValueError, match=r"motion's size \(64, 64\), got \[144, 256, 3\]"):
            preview_keyframes((town(), town()), (0, 8), "uniform", motion)
