"""PSNR, SSIM and difference: how close each frame of a result is to the same true frame."""

from collections.abc import Callable

import cv2
import numpy as np

from ..frames import check_frames, to_gray

PEAK = 255  # largest value of a pixel
# Wang et al. 2004, section III.B: the window of SSIM and its two constants.
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03


def psnr(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of each frame: higher is closer to the truth.

    Args:
        truth, result: [T, H, W, 3] uint8 of one shape.

    Returns:
        [T] float64 in decibels, 10 log10(255^2 / mean squared error), where the mean is over
        pixels and channels: at least 0; infinite for frames that are equal.

    Raises:
        ValueError: the frames are not [T, H, W, 3] uint8 of one shape.
    """
    return _each_frame(_psnr, truth, result)


def ssim(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Structural similarity of each frame, on grey values: higher is closer to the truth.

    Only windows that lie whole inside the frame count, so no pixel beyond an edge is invented.

    Args:
        truth, result: [T, H, W, 3] uint8 of one shape, at least 11 x 11 pixels.

    Returns:
        [T] float64 in -1..1; exactly 1 for frames that are equal.

    Raises:
        ValueError: the frames are not [T, H, W, 3] uint8 of one shape, or smaller than the window.

    Source: Wang, Bovik, Sheikh and Simoncelli, Image Quality Assessment: From Error Visibility to
        Structural Similarity (2004): a Gaussian window of 11 x 11 pixels with a standard
        deviation of 1.5 pixels, K1 = 0.01, K2 = 0.03, population variances. Grey is that of
        `to_gray` (BT.601).
    """
    return _each_frame(_ssim, truth, result)


def difference(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Mean absolute difference of each frame: 0 for frames that are equal.

    It shows whether both ends of a result are still the keyframes, where PSNR may be infinite.

    Args:
        truth, result: [T, H, W, 3] uint8 of one shape.

    Returns:
        [T] float64 in levels of a pixel, 0..255; the mean is over pixels and channels.

    Raises:
        ValueError: the frames are not [T, H, W, 3] uint8 of one shape.
    """
    return _each_frame(_difference, truth, result)


def _each_frame(
    measure: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray, result: np.ndarray
) -> np.ndarray:
    _check_same_shape(truth, result)
    return np.array([measure(*pair) for pair in zip(truth, result, strict=True)], np.float64)


def _check_same_shape(truth: np.ndarray, result: np.ndarray) -> None:
    """Raise ValueError unless both are frames [T, H, W, 3] uint8 of one shape."""
    check_frames(truth)
    check_frames(result)
    if truth.shape != result.shape:
        raise ValueError(
            f"expected frames of one shape, got {list(truth.shape)} and {list(result.shape)}"
        )


def _psnr(truth: np.ndarray, result: np.ndarray) -> float:
    error = np.mean(np.square(truth.astype(np.int32) - result))
    return float(10 * np.log10(PEAK**2 / error)) if error else np.inf


def _difference(truth: np.ndarray, result: np.ndarray) -> float:
    return float(np.mean(np.abs(truth.astype(np.int16) - result)))


def _ssim(truth: np.ndarray, result: np.ndarray) -> float:
    if min(truth.shape[:2]) < WINDOW:
        raise ValueError(
            f"expected frames of at least {WINDOW} x {WINDOW} pixels, got {list(truth.shape)}"
        )
    x, y = (to_gray(frame).astype(np.float64) for frame in (truth, result))
    mean_x, mean_y = _windowed(x), _windowed(y)
    variance_x = _windowed(x * x) - mean_x * mean_x
    variance_y = _windowed(y * y) - mean_y * mean_y
    covariance = _windowed(x * y) - mean_x * mean_y
    c1, c2 = (K1 * PEAK) ** 2, (K2 * PEAK) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float(np.mean(luminance * structure))


def _windowed(values: np.ndarray) -> np.ndarray:
    """Weighted mean of each window that lies inside: [H, W] -> [H - 10, W - 10]."""
    inside = slice(WINDOW // 2, -(WINDOW // 2))
    return cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA)[inside, inside]
