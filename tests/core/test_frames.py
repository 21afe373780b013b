"""Frames: the two doors between uint8 and float, the crop, the overlay."""

from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays

from fcvg_core.choices import ANCHORS, PAD, PICTURE_FITS, STRETCH
from fcvg_core.frames import (
    crop_resize,
    fit_frame,
    fit_mask,
    overlay,
    resize_linear,
    side_by_side,
    to_gray,
    to_image,
    to_uint8,
)


def random_frame(height: int, width: int) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (height, width, 3)).astype(np.uint8)


class TestToGray:
    def test_luma_by_hand(self) -> None:
        frame = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
        assert to_gray(frame).tolist() == [[76, 150, 29, 255]]

    def test_formula(self) -> None:
        frame = random_frame(40, 50)
        red, green, blue = np.moveaxis(frame.astype(np.int64), -1, 0)
        expected = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
        assert (to_gray(frame) == expected).all()

    @pytest.mark.parametrize("frame", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))])
    def test_error(self, frame: np.ndarray) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8, got \[4, 4"):
            to_gray(frame)


class TestToUint8:
    def test_rounds_and_clamps(self) -> None:
        image = torch.tensor([-1.0, 0.0, 0.499 / 255, 0.501 / 255, 1.0, 7.0]).reshape(1, 2, 3)
        assert to_uint8(image).ravel().tolist() == [0, 0, 0, 1, 255, 255]

    def test_gray_is_repeated_and_alpha_dropped(self) -> None:
        assert to_uint8(torch.ones(2, 4, 5, 1)).shape == (2, 4, 5, 3)
        image = torch.cat([torch.ones(4, 5, 3), torch.zeros(4, 5, 1)], dim=-1)
        assert (to_uint8(image) == 255).all()

    def test_there_and_back(self) -> None:
        frames = random_frame(6, 8)[None]
        assert (to_uint8(to_image(frames)) == frames).all()

    def test_result_is_ours(self) -> None:
        image = torch.zeros(4, 5, 3)
        to_uint8(image)[:] = 9
        assert (image == 0).all()

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_not_finite(self, bad: float) -> None:
        with pytest.raises(ValueError, match="NaN or infinite"):
            to_uint8(torch.full((2, 2, 3), bad))

    def test_wrong_channels(self) -> None:
        with pytest.raises(ValueError, match=r"got \[4, 4, 2\]"):
            to_uint8(torch.zeros(4, 4, 2))

    @pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
    def test_other_kinds_of_numbers(self, dtype: torch.dtype) -> None:
        with pytest.raises(ValueError, match=f"floating-point numbers in 0..1, got {dtype}"):
            to_uint8(torch.zeros(4, 4, 3, dtype=dtype))


class TestToImage:
    def test_values(self) -> None:
        image = to_image(np.full((2, 3, 4, 3), 51, np.uint8))
        assert image.shape == (2, 3, 4, 3) and image.dtype == torch.float32
        assert torch.allclose(image, torch.tensor(0.2))

    def test_error(self) -> None:
        with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
            to_image(np.zeros((2, 3, 4, 3)))


class TestCropResize:
    def test_golden(self, golden: Path) -> None:
        cases = load_arrays(golden / "dwpose" / "crop_and_resize.npz")
        names = [key[:-3] for key in cases if key.endswith("_in")]
        assert names
        for name in names:
            width, height = cases[f"{name}_size_wh"].tolist()
            result = crop_resize(cases[f"{name}_in"], (height, width))
            assert (result == cases[f"{name}_out"]).all(), name

    @pytest.mark.parametrize("shape", [(2, 400), (400, 2)])
    def test_very_long_frame(self, shape: tuple[int, int]) -> None:
        assert crop_resize(random_frame(*shape), (1, 300)).shape == (1, 300, 3)
        assert crop_resize(random_frame(*shape), (300, 1)).shape == (300, 1, 3)

    def test_error(self) -> None:
        with pytest.raises(ValueError, match=r"at least 1 x 1 pixel, got \(0, 5\)"):
            crop_resize(random_frame(4, 4), (0, 5))


class TestFitFrame:
    @pytest.mark.parametrize("size", [(448, 576), (64, 128)])
    def test_right_size_is_left_alone(self, size: tuple[int, int]) -> None:
        """The official code's crop would take a row of 448 x 576."""
        frame = random_frame(*size)
        assert np.array_equal(fit_frame(frame, size), frame)

    def test_another_size(self) -> None:
        frame = random_frame(40, 50)
        assert np.array_equal(fit_frame(frame, (64, 128)), crop_resize(frame, (64, 128)))

    def test_error(self) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            fit_frame(np.zeros((64, 128, 3)), (64, 128))

    @pytest.mark.parametrize("anchor", ANCHORS)
    def test_crop_keeps_the_part_at_the_anchor(self, anchor: str) -> None:
        """Where the part keeps its size, its pixels stay the same."""
        frame = random_frame(40, 100)
        left = {"left": 0, "right": 60}.get(anchor.split("-")[-1], 30)
        assert np.array_equal(fit_frame(frame, (40, 40), anchor=anchor), frame[:, left:][:, :40])
        top = {"top": 0, "bottom": 60}.get(anchor.split("-")[0], 30)
        upright = frame.swapaxes(0, 1)
        assert np.array_equal(fit_frame(upright, (40, 40), anchor=anchor), upright[top:][:40])

    @pytest.mark.parametrize("anchor", ANCHORS)
    def test_pad_keeps_everything(self, anchor: str) -> None:
        frame = random_frame(40, 100)
        padded = fit_frame(frame, (100, 100), PAD, anchor)
        top = {"top": 0, "bottom": 60}.get(anchor.split("-")[0], 30)
        assert np.array_equal(padded[top:][:40], frame)
        assert not padded[:top].any() and not padded[top + 40 :].any()
        left = {"left": 0, "right": 60}.get(anchor.split("-")[-1], 30)
        padded = fit_frame(frame.swapaxes(0, 1), (100, 100), PAD, anchor)
        assert np.array_equal(padded[:, left:][:, :40], frame.swapaxes(0, 1))

    def test_stretch_fills_the_frame_with_everything(self) -> None:
        frame = np.zeros((40, 100, 3), np.uint8)
        frame[:20], frame[20:, :50] = 90, 180
        stretched = fit_frame(frame, (200, 100), STRETCH, "top")
        assert (stretched[:90] == 90).all()
        assert (stretched[110:, :45] == 180).all() and not stretched[110:, 55:].any()

    @pytest.mark.parametrize("fit", PICTURE_FITS)
    def test_one_shape_is_only_resized(self, fit: str) -> None:
        frame = random_frame(40, 80)
        assert np.array_equal(fit_frame(frame, (64, 128), fit), crop_resize(frame, (64, 128)))


class TestResizeLinear:
    def test_between_centres(self) -> None:
        frame = np.zeros((2, 2, 3), np.uint8)
        frame[:, 1] = 200
        wide = resize_linear(frame, (1, 4))
        assert wide.shape == (1, 4, 3) and wide[0, :, 0].tolist() == [0, 50, 150, 200]

    def test_without_antialiasing(self) -> None:
        frame = np.zeros((8, 8, 3), np.uint8)
        frame[0, 0] = 255  # of each 4 x 4 pixels the 4 in the middle are seen
        assert not resize_linear(frame, (2, 2)).any()
        assert resize_linear(frame, (8, 8)).any()

    def test_no_frame(self) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            resize_linear(np.zeros((4, 4)), (2, 2))


class TestFitMask:
    @pytest.mark.parametrize("fit", PICTURE_FITS)
    @pytest.mark.parametrize("anchor", ["center", "top-left", "bottom-right"])
    @pytest.mark.parametrize("size", [(64, 64), (128, 64), (64, 192)])
    def test_lies_on_the_frame_as_before(self, fit: str, anchor: str, size) -> None:
        mask = np.zeros((90, 160), np.float32)
        mask[20:60, 20:130] = 1
        frame = (mask * 255).astype(np.uint8)[..., None].repeat(3, -1)
        fitted, picture = fit_mask(mask, size, fit, anchor), fit_frame(frame, size, fit, anchor)
        assert fitted.shape == size and fitted.dtype == np.float32
        assert fitted.min() >= 0 and fitted.max() <= 1
        white = picture[..., 0] > 127
        assert ((fitted > 0.5) != white).mean() < 0.01  # the two filters differ at corners
        assert 0.05 < white.mean() < 0.95

    def test_right_size_is_left_alone(self) -> None:
        mask = np.random.RandomState(0).rand(448, 576).astype(np.float32)
        assert np.array_equal(fit_mask(mask, (448, 576)), mask)


class TestOverlay:
    def test_golden(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "fusion.npz")
        assert (overlay(case["lines"], case["poses"]) == case["fused"]).all()

    def test_channel_by_channel(self) -> None:
        below, above = np.uint8([[[1, 2, 3]]]), np.uint8([[[0, 9, 0]]])
        assert overlay(below, above).tolist() == [[[1, 9, 3]]]
        assert below.tolist() == [[[1, 2, 3]]]

    def test_error(self) -> None:
        with pytest.raises(ValueError, match="of one shape"):
            overlay(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))


def noise(count: int, height: int = 33, width: int = 51) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (count, height, width, 3)).astype(np.uint8)


class TestSideBySide:
    def test_by_hand(self) -> None:
        a, b = noise(1, 4, 5)[0], noise(1, 4, 3)[0]
        both = side_by_side(a, b)
        assert np.array_equal(both[:, :5], a) and np.array_equal(both[:, 5:], b)
        assert both.shape == (4, 8, 3) and both.dtype == np.uint8

    def test_height_of_the_last(self) -> None:
        """Proportions stay: a picture twice as high comes in half as wide."""
        reference = np.full((80, 60, 3), 200, np.uint8)
        control, result = noise(2, 40, 50)
        row = side_by_side(reference, control, result)
        assert row.shape == (40, 30 + 50 + 50, 3)
        assert (row[:, :30] == 200).all()
        assert np.array_equal(row[:, 30:], np.concatenate([control, result], 1))

    def test_very_narrow(self) -> None:
        assert side_by_side(noise(1, 100, 1)[0], noise(1, 2, 2)[0]).shape == (2, 3, 3)

    def test_is_a_copy(self) -> None:
        frame = noise(1)[0]
        side_by_side(frame)[:] = 0
        assert np.array_equal(frame, noise(1)[0])

    def test_nothing(self) -> None:
        with pytest.raises(ValueError, match="at least one frame, got none"):
            side_by_side()

    def test_no_frame(self) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            side_by_side(noise(1)[0], np.zeros((4, 4)))
