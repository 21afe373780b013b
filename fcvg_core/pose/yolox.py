"""YOLOX, an ONNX network: a frame -> the boxes around its people.

Source: Tian-one/FCVG models/dwpose/onnxdet.py; YOLOX (arXiv 2107.08430).
"""

import cv2
import numpy as np

from .onnx_model import OnnxModel, Signature

INPUT = 640  # height and width of what the network takes
STRIDES = (8, 16, 32)
PADDING = 114  # grey level beside the frame
NUM_CLASSES = 80  # of COCO
PERSON = 0
MAX_OVERLAP = 0.45  # of two boxes, as intersection over union
MIN_BOX_SCORE = 0.3
SIGNATURE = Signature(
    inputs=((1, 3, INPUT, INPUT),),
    outputs=((1, sum((INPUT // stride) ** 2 for stride in STRIDES), 5 + NUM_CLASSES),),
)


def find_people(model: OnnxModel, frame: np.ndarray) -> np.ndarray:
    """Boxes around the people in a frame, the surest first.

    Args:
        model: with the SIGNATURE of yolox_l.onnx.
        frame: [H, W, 3] uint8 RGB. YOLOX was trained on BGR, but FCVG hands it RGB.

    Returns:
        [P, 4] float64 left, top, right, bottom in pixels, P >= 0; they may leave the frame.
    """
    blob, ratio = letterbox(frame)
    rows = model.run(blob[None])[0][0]
    boxes = decode_boxes(rows) / np.float32(ratio)
    scores = rows[:, 4] * rows[:, 5 + PERSON]
    likely = np.flatnonzero((scores > MIN_BOX_SCORE) & np.isfinite(boxes).all(1))
    boxes = boxes[likely]
    return boxes[suppress_overlaps(boxes, scores[likely], MAX_OVERLAP)].astype(np.float64)


def letterbox(frame: np.ndarray) -> tuple[np.ndarray, float]:
    """A frame resized into the top left corner of the network's square input.

    Returns:
        [3, 640, 640] float32 in 0..255, and the factor of the resizing.
    """
    height, width = frame.shape[:2]
    ratio = min(INPUT / height, INPUT / width)
    rows, columns = max(int(height * ratio), 1), max(int(width * ratio), 1)
    square = np.full((INPUT, INPUT, 3), PADDING, np.uint8)
    square[:rows, :columns] = cv2.resize(frame, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(square.transpose(2, 0, 1), np.float32), ratio


def decode_boxes(rows: np.ndarray) -> np.ndarray:
    """Boxes that the network's rows mean: [8400, 85] -> [8400, 4] left, top, right, bottom.

    A row gives middle and log size in strides, relative to its cell of the grid.
    """
    cells, strides = _grid()
    middle = (rows[:, :2] + cells) * strides
    with np.errstate(over="ignore"):  # of a cell that nobody is in
        half = np.exp(rows[:, 2:4]) * strides / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def suppress_overlaps(boxes: np.ndarray, scores: np.ndarray, max_overlap: float) -> list[int]:
    """Non-maximum suppression: places of the boxes [N, 4] that are kept, the surest first.

    Lengths count both end pixels, as the reference's do.
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
    """Column and row of every cell, and its stride, row by row from the finest grid on."""
    cells, strides = [], []
    for stride in STRIDES:
        number = INPUT // stride
        columns, rows = np.meshgrid(np.arange(number), np.arange(number))
        cells.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        strides.append(np.full((number**2, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
