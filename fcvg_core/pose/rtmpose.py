"""RTMPose, the ONNX network of DWPose: a frame and boxes -> 133 points of each person.

Source: Tian-one/FCVG models/dwpose/onnxpose.py; DWPose (arXiv 2307.15880).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .onnx_model import OnnxModel, Signature
from .skeleton import COCO_POINTS

WIDTH, HEIGHT = 288, 384  # pixels of a crop, the network's input
BOX_MARGIN = 1.25  # factor that enlarges a box
BINS_PER_PIXEL = 2  # the network places points on a grid of this many bins per pixel of a crop
MEAN = np.array([123.675, 116.28, 103.53])  # ImageNet's mean, RGB, 0..255
DEVIATION = np.array([58.395, 57.12, 57.375])
SIGNATURE = Signature(
    inputs=((None, 3, HEIGHT, WIDTH),),
    outputs=(
        (None, COCO_POINTS, BINS_PER_PIXEL * WIDTH),
        (None, COCO_POINTS, BINS_PER_PIXEL * HEIGHT),
    ),
)


@dataclass(frozen=True, eq=False)
class Crops:
    """The rectangle that is cut out of a frame for each person.

    Attributes:
        center: [P, 2] float64 (x, y) in pixels of the frame.
        scale: [P, 2] float64 width and height in pixels of the frame; their ratio is the ratio
            of the network's input.
        matrix: [P, 2, 3] float64, maps pixels of the frame to pixels of the crop.
    """

    center: np.ndarray
    scale: np.ndarray
    matrix: np.ndarray


def find_keypoints(
    model: OnnxModel, frame: np.ndarray, boxes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points of the people in all boxes, from one call of the network.

    Args:
        model: with the SIGNATURE of dw-ll_ucoco_384.onnx.
        frame: [H, W, 3] uint8 RGB.
        boxes: [P, 4] left, top, right, bottom in pixels, P >= 0.

    Returns:
        Points [P, 133, 2] float64 (x, y) in pixels in the order of COCO-WholeBody, and scores
        [P, 133] float32, the lower of the scores for x and y. A point whose score is not above 0
        is at the corner of its crop.
    """
    if len(boxes) == 0:
        return np.zeros((0, COCO_POINTS, 2)), np.zeros((0, COCO_POINTS), np.float32)
    crops = plan_crops(boxes)
    pictures = [cut_out(frame, matrix) for matrix in crops.matrix]
    blob = ((np.stack(pictures) - MEAN) / DEVIATION).transpose(0, 3, 1, 2).astype(np.float32)
    points, scores = decode_simcc(*model.run(np.ascontiguousarray(blob)))
    return to_frame(points, crops.center, crops.scale, (WIDTH, HEIGHT)), scores


def plan_crops(boxes: np.ndarray) -> Crops:
    """Boxes [P, 4] with a margin, made wider or higher to the aspect ratio of the network."""
    boxes = np.asarray(boxes, np.float64)
    center = (boxes[:, :2] + boxes[:, 2:]) * 0.5
    width, height = np.maximum((boxes[:, 2:] - boxes[:, :2]) * BOX_MARGIN, 1e-3).T
    aspect = WIDTH / HEIGHT
    wide = width > height * aspect
    scale = np.stack(
        [np.where(wide, width, height * aspect), np.where(wide, width / aspect, height)], axis=1
    )
    factor = WIDTH / scale[:, 0]
    matrix = np.zeros((len(boxes), 2, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = factor
    matrix[:, 0, 2] = WIDTH / 2 - factor * center[:, 0]
    matrix[:, 1, 2] = HEIGHT / 2 - factor * center[:, 1]
    return Crops(center, scale, matrix)


def cut_out(frame: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A crop [384, 288, 3] uint8 of a frame, black outside of the frame."""
    return cv2.warpAffine(frame, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)


def decode_simcc(along_x: np.ndarray, along_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of points in their crops, from the network's score of each column and each row.

    Args:
        along_x: [P, K, columns] scores.
        along_y: [P, K, rows] scores.

    Returns:
        Points [P, K, 2] float32 (x, y) in pixels of the crop, -0.5 if the score is not above 0;
        and scores [P, K], the lower of the two maxima.
    """
    places = np.stack([along_x.argmax(-1), along_y.argmax(-1)], axis=-1).astype(np.float32)
    scores = np.minimum(along_x.max(-1), along_y.max(-1))
    places[scores <= 0] = -1
    return places / BINS_PER_PIXEL, scores


def to_frame(
    points: np.ndarray, center: np.ndarray, scale: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Points in crops of `size` (width, height) -> pixels of the frame: [P, K, 2], float64."""
    return points / np.array(size) * scale[:, None] + center[:, None] - scale[:, None] / 2
