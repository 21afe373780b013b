"""YOLOX, an ONNX network: a frame -> boxes around its people.

Source: Tian-one/FCVG models/dwpose/onnxdet.py; YOLOX (arXiv 2107.08430).
"""

import cv2
import numpy as np

from .onnx_model import OnnxModel, Signature

INPUT = 640  # height and width of the network's input, in pixels
STRIDES = (8, 16, 32)
PADDING = 114  # grey level of the input beside the frame
NUM_CLASSES = 80  # classes of COCO
PERSON = 0
MAX_OVERLAP = 0.45  # largest overlap of two boxes, as intersection over union
MIN_BOX_SCORE = 0.3
SIGNATURE = Signature(
    inputs=((1, 3, INPUT, INPUT),),
    outputs=((1, sum((INPUT // stride) ** 2 for stride in STRIDES), 5 + NUM_CLASSES),),
)


def find_people(model: OnnxModel, frame: np.ndarray) -> np.ndarray:
    """Boxes around the people in a frame, sorted by score, the best first.

    Args:
        model: with the SIGNATURE of yolox_l.onnx.
        frame: [H, W, 3] uint8 RGB. YOLOX was trained with BGR, but FCVG uses it with RGB.

    Returns:
        [P, 4] float64 left, top, right, bottom in pixels, P >= 0. Boxes may extend beyond the
        frame.
    """
    blob, ratio = letterbox(frame)
    rows = model.run(blob[None])[0][0]
    boxes = decode_boxes(rows) / np.float32(ratio)
    scores = rows[:, 4] * rows[:, 5 + PERSON]
    likely = np.flatnonzero((scores > MIN_BOX_SCORE) & np.isfinite(boxes).all(1))
    boxes = boxes[likely]
    return boxes[suppress_overlaps(boxes, scores[likely], MAX_OVERLAP)].astype(np.float64)


def letterbox(frame: np.ndarray) -> tuple[np.ndarray, float]:
    """A frame, resized and put into the top left corner of the network's square input.

    Returns:
        [3, 640, 640] float32 in 0..255, and the scale factor of the frame.
    """
    height, width = frame.shape[:2]
    ratio = min(INPUT / height, INPUT / width)
    rows, columns = max(int(height * ratio), 1), max(int(width * ratio), 1)
    square = np.full((INPUT, INPUT, 3), PADDING, np.uint8)
    square[:rows, :columns] = cv2.resize(frame, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(square.transpose(2, 0, 1), np.float32), ratio


def decode_boxes(rows: np.ndarray) -> np.ndarray:
    """The network's output rows as boxes: [8400, 85] -> [8400, 4] left, top, right, bottom.

    A row begins with the middle and the logarithm of the size, in strides and relative to the
    row's grid cell.
    """
    cells, strides = _grid()
    middle = (rows[:, :2] + cells) * strides
    with np.errstate(over="ignore"):  # cells without a person may overflow
        half = np.exp(rows[:, 2:4]) * strides / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def suppress_overlaps(boxes: np.ndarray, scores: np.ndarray, max_overlap: float) -> list[int]:
    """Non-maximum suppression: indices of the kept boxes of [N, 4], the best first.

    Lengths include both end pixels, as in the official code.
    """
    left, top, right, bottom = boxes.T
    area = (right - left + 1) * (bottom - top + 1)
    order = scores.argsort()[::-1]
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        width = np.minimum(right[best], right[order]) - np.maximum(left[best], left[order]) + 1
        height = np.minimum(bottom[best], bottom[order]) - np.maximum(top[best], top[order]) + 1
        shared = width.clip(min=0) * height.clip(min=0)
        order = order[shared / (area[best] + area[order] - shared) <= max_overlap]
    return kept


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Column and row of every cell, and its stride, row by row; the finest grid comes first."""
    cells, strides = [], []
    for stride in STRIDES:
        number = INPUT // stride
        columns, rows = np.meshgrid(np.arange(number), np.arange(number))
        cells.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        strides.append(np.full((number**2, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
