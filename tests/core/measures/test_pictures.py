"""PSNR and SSIM, against values by hand and other libraries."""

import math

import numpy as np
import pytest

from fcvg_core.measures import difference, psnr, ssim


def frames(seed=0, shape=(2, 24, 32, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def flat(level, count=1):
    return np.full((count, 16, 16, 3), level, np.uint8)


class TestPsnr:
    def test_values_by_hand(self):
        truth = np.zeros((3, 2, 2, 3), np.uint8)
        result = truth.copy()
        result[0] = 255  # the largest error
        result[1, 0, 0, 0] = 10  # mean squared error 100 / 12
        assert psnr(truth, result).tolist() == [
            0.0,
            pytest.approx(10 * math.log10(255**2 * 12 / 100)),
            math.inf,
        ]

    def test_does_not_wrap_around(self):
        assert psnr(flat(0), flat(255)) == psnr(flat(255), flat(0)) == 0

    def test_no_frame_has_no_value(self):
        assert psnr(*[frames(shape=(0, 4, 4, 3))] * 2).shape == (0,)


class TestSsim:
    def test_equal_frames_are_1(self):
        assert ssim(frames(), frames()).tolist() == [1, 1]

    def test_flat_frames_differ_in_luminance_alone(self):
        c1 = (0.01 * 255) ** 2
        by_hand = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
        assert ssim(flat(100), flat(150)) == pytest.approx(by_hand, abs=1e-9)

    def test_one_window_by_hand(self):
        """A frame of the window's size holds one window: the formula of the paper, written out."""
        x, y = frames(1, (1, 11, 11, 1)), frames(2, (1, 11, 11, 1))
        away = np.arange(11) - 5
        weights = np.exp(-(away[:, None] ** 2 + away**2) / (2 * 1.5**2))
        weights /= weights.sum()
        a, b = (v[0, ..., 0].astype(float) for v in (x, y))
        mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
        var_a = (weights * (a - mean_a) ** 2).sum()
        var_b = (weights * (b - mean_b) ** 2).sum()
        cov = (weights * (a - mean_a) * (b - mean_b)).sum()
        c1, c2 = 2.55**2, 7.65**2
        by_hand = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
        by_hand /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
        gray = [np.repeat(v, 3, axis=-1) for v in (x, y)]
        assert ssim(*gray) == pytest.approx(by_hand, abs=1e-9)

    def test_agrees_with_scikit_image(self):
        metrics = pytest.importorskip("skimage.metrics")
        gray = [np.repeat(frames(seed, (1, 40, 50, 1)), 3, axis=-1) for seed in (3, 4)]
        gray[1] = gray[0] // 2 + gray[1] // 2
        theirs = metrics.structural_similarity(
            *(v[0, ..., 0] for v in gray),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        assert ssim(*gray) == pytest.approx(theirs, abs=1e-7)

    def test_frames_smaller_than_the_window_are_refused(self):
        with pytest.raises(ValueError, match=r"at least 11 x 11 pixels, got \[10, 32, 3\]"):
            ssim(*[frames(shape=(1, 10, 32, 3))] * 2)


class TestDifference:
    def test_values_by_hand(self):
        truth, result = flat(10, 3), flat(10, 3)
        result[1], result[2, 0, 0, 0] = 250, 0
        assert difference(truth, result).tolist() == [0, 240, pytest.approx(10 / (16 * 16 * 3))]
        assert difference(result, truth)[1] == 240


@pytest.mark.parametrize("measure", [psnr, ssim, difference])
class TestAll:
    def test_each_frame_is_measured_alone(self, measure):
        truth, result = frames(5), frames(6)
        alone = [measure(truth[i : i + 1], result[i : i + 1])[0] for i in range(2)]
        assert measure(truth, result).tolist() == alone
        assert measure(truth, result).dtype == np.float64

    def test_frames_of_other_shapes_are_refused(self, measure):
        with pytest.raises(ValueError, match="of one shape"):
            measure(frames(), frames()[:1])
        with pytest.raises(ValueError, match="uint8"):
            measure(frames(), frames().astype(float))
