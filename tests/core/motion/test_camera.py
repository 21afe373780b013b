"""A camera's move: homographies of points, and a picture that is moved by them."""

import math

import numpy as np
import pytest
import torch

from fcvg_core import bounds
from fcvg_core.choices import BORDERS, CAMERA_MOVES
from fcvg_core.errors import UserError
from fcvg_core.lines.motion import apply_homography
from fcvg_core.motion import Camera, move_picture, preset_camera, unseen_mask

SIZE = (96, 160)
CENTRE = np.array([80.0, 48.0])
EVERYTHING = Camera(pan=(0.2, -0.1), zoom=1.3, rotate=25, tilt=(8, -5))
ALONE = (Camera(pan=(0.3, -0.2)), Camera(zoom=1.7), Camera(rotate=70), Camera(tilt=(20, -12)))


def homography(camera: Camera, time: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    return camera.at(torch.tensor([time]), size)[0].numpy()


def moved(camera: Camera, time: float, *point: float) -> np.ndarray:
    return apply_homography(homography(camera, time), np.array(point))


def drawn(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A smooth picture, so that interpolation is nearly exact."""
    y, x = np.indices(size) + 0.5
    return shades(x, y)


def shades(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    waves = (np.sin(x / 9) + np.cos(y / 11), np.cos((x + y) / 13), np.sin((x - 2 * y) / 17))
    return np.stack([np.uint8((wave / 2 * 100 + 128).round()) for wave in waves], axis=-1)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """Largest difference of two pictures, in levels."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


class TestCamera:
    def test_nothing_moves_at_time_0(self):
        for camera in (EVERYTHING, *ALONE):
            assert torch.equal(camera.at(torch.zeros(1), (97, 161))[0], torch.eye(3).double())

    def test_nothing_moves_without_a_move(self):
        times = torch.linspace(0, 1, 7)
        assert torch.equal(Camera().at(times, SIZE), torch.eye(3).double().expand(7, 3, 3))

    def test_points_by_hand(self):
        assert np.allclose(moved(Camera(pan=(0.5, -0.25)), 1, 10, 20), (90, -4))
        assert np.allclose(moved(Camera(zoom=2), 1, 90, 40), (100, 32))
        assert np.allclose(moved(Camera(rotate=90), 1, 90, 48), (80, 58))  # clockwise
        # A camera that turns to the right by 30 degrees: the centre moves to the left.
        tan = 160 * math.tan(math.radians(30))
        assert np.allclose(moved(Camera(tilt=(30, 0)), 1, 80, 48), (80 - tan, 48))
        assert np.allclose(moved(Camera(tilt=(0, 30)), 1, 80, 48), (80, 48 - tan))
        assert np.allclose(moved(Camera(tilt=(30, 0)), 1, 80 + tan, 48), CENTRE)

    def test_pan_comes_last_and_tilt_first(self):
        steps = (Camera(tilt=(8, -5)), Camera(rotate=25), Camera(zoom=1.3), Camera(pan=(0.2, -0.1)))
        whole = np.eye(3)
        for camera in steps:
            whole = homography(camera, 1) @ whole
        assert np.allclose(homography(EVERYTHING, 1), whole)

    @pytest.mark.parametrize("camera", ALONE)
    def test_equal_steps_move_equally(self, camera):
        fifth = homography(camera, 0.2)
        assert np.allclose(np.linalg.matrix_power(fifth, 5), homography(camera, 1))
        assert np.allclose(np.linalg.matrix_power(fifth, 3), homography(camera, 0.6))

    @pytest.mark.parametrize("camera", ALONE)
    def test_part_ends_where_the_whole_is_at_this_time(self, camera):
        assert np.allclose(homography(camera.part(0.3), 1), homography(camera, 0.3))

    def test_plus_multiplies_zooms_and_adds_the_rest(self):
        both = EVERYTHING.plus(Camera(pan=(0.1, 0.1), zoom=2, rotate=-5, tilt=(1, 1)))
        assert (both.zoom, both.rotate, both.tilt) == (2.6, 20, (9, -4))
        assert both.pan == pytest.approx((0.3, 0.0))

    @pytest.mark.parametrize("size", [(64, 64), (64, 512), (512, 64)])
    def test_all_of_the_first_keyframe_stays_before_the_camera(self, size):
        corners = np.array([(0, 0, 1), (size[1], 0, 1), (0, size[0], 1), (size[1], size[0], 1)])
        ends = [(low, high) for low in (-30.0, 30.0) for high in (-30.0, 30.0)]
        for tilt in ends:
            camera = Camera(tilt=tilt, zoom=bounds.ZOOM.maximum, pan=(2.0, 2.0))
            assert (corners @ homography(camera, 1, size)[2] > 0.2).all()

    @pytest.mark.parametrize(
        ("numbers", "words"),
        [
            ({"zoom": 0.0}, "zoom of the camera is 0, but it must be from 0.1 to 10"),
            ({"zoom": math.nan}, "zoom of the camera is nan"),
            ({"pan": (0.0, 2.5)}, "pan of the camera is 2.5, but it must be from -2 to 2"),
            ({"rotate": 361.0}, "rotate of the camera is 361"),
            ({"tilt": (-31.0, 0.0)}, "tilt of the camera is -31, but it must be from -30 to 30"),
        ],
    )
    def test_numbers_out_of_bounds(self, numbers, words):
        with pytest.raises(UserError, match=words):
            Camera(**numbers)

    def test_times_of_another_shape(self):
        with pytest.raises(ValueError, match=r"expected times \[T\], got \[1, 2\]"):
            Camera().at(torch.zeros(1, 2), SIZE)


class TestPresets:
    def test_each_moves_the_picture_where_its_name_says(self):
        x, y = CENTRE
        ways = {
            "pan-left": moved(preset_camera("pan-left", 0.1), 1, x, y) - CENTRE,
            "tilt-left": moved(preset_camera("tilt-left", 0.1), 1, x, y) - CENTRE,
        }
        for way in ways.values():
            assert way[0] > 1 and way[1] == pytest.approx(0)
        for name in ("pan", "tilt"):
            assert (moved(preset_camera(f"{name}-right", 0.1), 1, x, y) - CENTRE)[0] < -1
            assert (moved(preset_camera(f"{name}-up", 0.1), 1, x, y) - CENTRE)[1] > 1
            assert (moved(preset_camera(f"{name}-down", 0.1), 1, x, y) - CENTRE)[1] < -1
        assert np.allclose(moved(preset_camera("zoom-in", 1), 1, x + 10, y), (x + 20, y))
        assert np.allclose(moved(preset_camera("zoom-out", 1), 1, x + 10, y), (x + 5, y))
        assert np.allclose(moved(preset_camera("rotate-clockwise", 1), 1, x + 10, y), (x, y + 10))
        turned = moved(preset_camera("rotate-counterclockwise", 1), 1, x + 10, y)
        assert np.allclose(turned, (x, y - 10))

    def test_every_move_takes_every_amount(self):
        for move in CAMERA_MOVES:
            assert preset_camera(move, 0.0) == Camera()
            assert (preset_camera(move, 1.0) == Camera()) == (move == "none")

    def test_bad_input(self):
        with pytest.raises(UserError, match="amount of the camera's move is 1.5"):
            preset_camera("zoom-in", 1.5)
        with pytest.raises(ValueError, match="expected one of zoom-in, .* got 'dolly'"):
            preset_camera("dolly", 0.5)


class TestMovePicture:
    @pytest.mark.parametrize("border", BORDERS)
    def test_time_0_is_exact(self, border):
        assert np.array_equal(move_picture(drawn(), EVERYTHING, 0, border), drawn())

    def test_follows_the_homography(self):
        camera = Camera(pan=(0.05, 0.02), zoom=1.4, rotate=17, tilt=(5, 4))
        rows, columns = np.indices(SIZE) + 0.5
        back = np.linalg.inv(homography(camera, 0.7))
        places = apply_homography(back, np.stack([columns, rows], axis=-1))
        seen = unseen_mask(SIZE, camera, 0.7) == 0
        shown = move_picture(drawn(), camera, 0.7, "black")
        assert apart(shown[seen], shades(places[..., 0], places[..., 1])[seen]) <= 3
        assert (shown[~seen] == 0).all()

    def test_a_drawn_point_lies_where_the_homography_carries_it(self):
        picture = np.zeros((*SIZE, 3), np.uint8)
        picture[30:33, 50:53] = 255
        shown = move_picture(picture, EVERYTHING, 1, "black")[..., 0].astype(float)
        y, x = np.indices(SIZE) + 0.5
        middle = np.array([(shown * x).sum(), (shown * y).sum()]) / shown.sum()
        assert np.allclose(middle, moved(EVERYTHING, 1, 51.5, 31.5), atol=0.1)

    def test_reflection_is_the_mirrored_picture(self):
        shown = move_picture(drawn(), Camera(pan=(0.25, 0.5)), 1, "reflect")
        top = np.concatenate([drawn()[:48][::-1], drawn()[:48]])
        assert np.array_equal(shown, np.concatenate([top[:, :40][:, ::-1], top[:, :120]], axis=1))
        twice = move_picture(drawn(), Camera(pan=(2.0, 0.0)), 1, "reflect")
        assert np.array_equal(twice, drawn())

    def test_black_shows_nothing_beyond_the_border(self):
        shown = move_picture(drawn(), Camera(pan=(0.25, 0.0)), 1, "black")
        assert (shown[:, :40] == 0).all()
        assert np.array_equal(shown[:, 40:], drawn()[:, :120])

    def test_a_shrunk_picture_keeps_its_brightness_without_patterns(self):
        board = np.zeros((*SIZE, 3), np.uint8)
        board[::2, ::2] = board[1::2, 1::2] = 255
        grey = move_picture(board, Camera(zoom=0.45), 1, "reflect")
        rows, columns = (np.int64(np.arange(side) / 0.45) % 90 for side in SIZE)
        exact = board[rows][:, columns]
        assert grey.std() < exact.std() / 3
        assert abs(grey.mean() - 127.5) < 3

    def test_what_lies_behind_the_camera_is_black(self):
        camera = Camera(zoom=0.1, tilt=(30, 30))
        shown = move_picture(np.full((*SIZE, 3), 200, np.uint8), camera, 1, "reflect")
        assert (shown[0, 0] == 200).all() != (shown[-1, -1] == 200).all()

    def test_bad_input(self):
        with pytest.raises(ValueError, match="one of the borders reflect, black, got 'repeat'"):
            move_picture(drawn(), Camera(), 1, "repeat")
        with pytest.raises(ValueError, match="expected a frame"):
            move_picture(drawn()[None], Camera(), 1, "black")


class TestUnseenMask:
    def test_a_pan_uncovers_one_side(self):
        mask = unseen_mask(SIZE, Camera(pan=(0.25, 0.0)), 0.5)
        assert mask.dtype == np.float32 and mask.shape == SIZE
        assert (mask[:, :20] == 1).all() and (mask[:, 20:] == 0).all()

    def test_nothing_is_uncovered_at_first_or_by_a_zoom_in(self):
        assert not unseen_mask(SIZE, EVERYTHING, 0).any()
        assert not unseen_mask(SIZE, Camera(zoom=2), 1).any()

    def test_a_zoom_out_uncovers_a_frame_around_the_picture(self):
        mask = unseen_mask(SIZE, Camera(zoom=0.5), 1)
        assert (mask[24:72, 40:120] == 0).all() and mask.sum() == 96 * 160 - 48 * 80
