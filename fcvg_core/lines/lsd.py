"""One grey frame -> line segments, found by a line segment detector (LSD).

FCVG uses the detector pytlsd. The licence of pytlsd is the AGPL, so this project does not
require it. By default OpenCV's LSD is used, with settings that come close to pytlsd.
"""

import cv2
import numpy as np
import torch

from ..choices import LINE_DETECTORS
from ..errors import UserError
from .types import LineSegments

SCALES = (0.3, 0.4, 0.5, 0.7, 0.8, 1.0)  # FCVG's scales: coarse lines first
MIN_LENGTH = 15.0  # pixels; shortest segment in FCVG's wireframes
MAX_LINES = 300  # segments per frame; FCVG's value
# OpenCV's names for what pytlsd (FCVG's detector) does; OpenCV's defaults find other lines.
LSD_SETTINGS = {
    "refine": cv2.LSD_REFINE_ADV,
    "scale": 1.0,  # `resample` below scales the frame, in the same way as pytlsd
    "sigma_scale": 0.6,
    "quant": 2.0,
    "ang_th": 22.5,
    "log_eps": -2.0,
    "density_th": 0.0,
    "n_bins": 1024,
}
BLUR = 0.6  # sigma of the Gaussian before resampling, in pixels of the result (LSD's value)
BLUR_REACH = np.sqrt(2 * 3 * np.log(10))  # sigmas at which the Gaussian falls to 1e-3 (LSD's value)


def detect_lines(
    gray: np.ndarray,
    *,
    max_lines: int,
    min_length: float = MIN_LENGTH,
    detector: str = "opencv",
) -> LineSegments:
    """Most prominent line segments of a frame, in float32 pixels, the best first.

    The frame is searched at finer and finer scales until `max_lines` segments are found.

    Args:
        gray: [H, W] uint8.
        max_lines: maximum number of segments, at least 1; the best segments are kept.
        min_length: shortest segment, in pixels of `gray`.
        detector: one of LINE_DETECTORS.

    Returns:
        Up to `max_lines` segments; none in a blank frame.

    Raises:
        ValueError: the frame is not [H, W] uint8, `max_lines` is not positive, or the detector
            is unknown.

    Source: GlueStick (arXiv 2304.02008) wireframe.py detect_lsd_lines; LSD (IPOL 2012).
    Differs: OpenCV's LSD is the default. It agrees with pytlsd on 86 % of the lines within 2
        pixels, as closely as pytlsd agrees with itself when the image is JPEG-compressed. Scores
        are divided by the best score.
    """
    if gray.ndim != 2 or gray.dtype != np.uint8 or gray.size == 0:
        raise ValueError(f"expected a grey frame [H, W] uint8, got {gray.shape} {gray.dtype}")
    if max_lines < 1:
        raise ValueError(f"expected max_lines of at least 1, got {max_lines}")
    find = {"opencv": opencv_segments, "pytlsd": pytlsd_segments}.get(detector)
    if find is None:
        raise ValueError(
            f"expected one of the detectors {', '.join(LINE_DETECTORS)}, got {detector!r}"
        )
    for scale in SCALES:
        lines, precision = find(gray, scale)
        if len(lines) >= max_lines:
            break
    length = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=-1)
    score = precision * np.sqrt(length)
    long_enough = np.flatnonzero(length >= min_length)
    best = long_enough[np.argsort(-score[long_enough], kind="stable")][:max_lines]
    score = torch.from_numpy(score[best]).float()
    score = score / (1e-8 + score.max()) if len(best) else score
    return LineSegments(lines=torch.from_numpy(lines[best]).float(), scores=score)


def opencv_segments(gray: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """All segments that OpenCV finds at one scale: [N, 2, 2] in pixels, and precision [N]."""
    detector = cv2.createLineSegmentDetector(**LSD_SETTINGS)
    lines, _, precision, _ = detector.detect(resample(gray, scale))
    if lines is None:
        return np.zeros((0, 2, 2)), np.zeros(0)
    lines = np.asarray(lines, np.float64).reshape(-1, 2, 2)  # [N, 1, 4] in OpenCV 4, [N, 4] in 5
    # In pytlsd the origin is a pixel's corner, not its middle, and the two ends are swapped.
    return (lines[:, ::-1] + 0.5) / scale, np.asarray(precision, np.float64).reshape(-1)


def pytlsd_segments(gray: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """All segments that pytlsd finds at one scale: [N, 2, 2] in pixels, and precision [N]."""
    try:
        from pytlsd import lsd
    except ImportError as error:
        raise UserError(
            "the detector pytlsd is not installed: pip install pytlsd (Python 3.11 or older), "
            "or choose the detector opencv."
        ) from error
    rows = np.asarray(lsd(gray, scale=scale), np.float64).reshape(-1, 5)
    return rows[:, :4].reshape(-1, 2, 2), rows[:, 4]


def resample(gray: np.ndarray, scale: float) -> np.ndarray:
    """The frame blurred and then made smaller; pixel x of the result lies at x / scale.

    Source: LSD (IPOL 2012).
    """
    if scale == 1:
        return gray
    height, width = gray.shape
    rows, columns = resample_weights(height, scale), resample_weights(width, scale)
    return np.rint(rows @ gray.astype(np.float32) @ columns.T).clip(0, 255).astype(np.uint8)


def resample_weights(size: int, scale: float) -> np.ndarray:
    """Gaussian weights from `size` to ceil(size * scale) pixels: [out, size]; edges mirrored."""
    sigma = BLUR / scale
    reach = int(np.ceil(sigma * BLUR_REACH))
    center = np.arange(int(np.ceil(size * scale)))[:, None] / scale  # [out, 1]
    taps = np.floor(center + 0.5).astype(int) + np.arange(-reach, reach + 1)  # [out, taps]
    values = np.exp(-0.5 * ((taps - center) / sigma) ** 2)
    values /= values.sum(axis=1, keepdims=True)
    mirrored = taps % (2 * size)
    mirrored = np.where(mirrored >= size, 2 * size - 1 - mirrored, mirrored)
    weights = np.zeros((len(taps), size), np.float32)
    np.add.at(weights, (np.arange(len(taps))[:, None], mirrored), values)
    return weights
