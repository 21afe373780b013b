"""DWPose: a frame -> its people. YOLOX finds their boxes, RTMPose the points in each box."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import numpy as np
import torch

from ..frames import check_frame
from . import rtmpose, yolox
from .onnx_model import CPU, OnnxModel, fastest_device, usable_providers
from .skeleton import (
    BODY,
    COCO_BODY,
    COCO_BODY_POINTS,
    COCO_SHOULDERS,
    FEET,
    MIN_SCORE,
    NECK,
    NUM_POINTS,
)
from .types import Poses


@dataclass(frozen=True, eq=False, kw_only=True)
class PoseDetector:
    """Finds the people in frames.

    Attributes:
        boxes: network with the signature of yolox_l.onnx.
        points: network with the signature of dw-ll_ucoco_384.onnx.
        whole_frame: if no person is found, use the whole frame as the box of one person, as the
            official code does. Then points are found even in a landscape.
    """

    boxes: OnnxModel
    points: OnnxModel
    whole_frame: bool

    def __call__(self, frame: np.ndarray) -> Poses:
        """The people in a frame, the most certain person first: [P, ...], P >= 0.

        Args:
            frame: [H, W, 3] uint8 RGB.

        Raises:
            ValueError: the frame is not [H, W, 3] uint8.

        Source: Tian-one/FCVG models/dwpose/{wholebody,dwpose_detector}.py.
        """
        check_frame(frame)
        height, width = frame.shape[:2]
        boxes = yolox.find_people(self.boxes, frame)
        if len(boxes) == 0 and self.whole_frame:
            boxes = np.array([[0.0, 0.0, width, height]])
        points, scores = order_points(*rtmpose.find_keypoints(self.points, frame, boxes))
        points = points / (float(width), float(height))
        return Poses(torch.from_numpy(points), torch.from_numpy(scores))

    def release(self) -> None:
        """Free the memory of both networks; the next frame loads the networks again."""
        self.boxes.release()
        self.points.release()


def open_dwpose(
    onnxruntime: ModuleType,
    files: tuple[str, str],
    *,
    device_index: int,
    cpu_only: bool,
    whole_frame: bool,
    make_room: Callable[[], None] = lambda: None,
) -> PoseDetector:
    """The detector of DWPose's two files, on the fastest device that onnxruntime was built for.

    Args:
        onnxruntime: the module, which the caller imports: it may be missing.
        files: paths of the networks that find boxes and points: yolox_l.onnx, dw-ll_ucoco_384.onnx.
        device_index: number of the GPU, from 0.
        cpu_only: whether the user asked for the CPU.
        whole_frame: see `PoseDetector`.
        make_room: called before a network is opened on a GPU.

    Raises:
        UserError: a file is not an ONNX network, or it is a different network.
    """

    def open_session(file: str, providers: list[str]) -> object:
        if providers != [CPU]:
            make_room()
        gpu = {"device_id": device_index}
        wanted = [(name, gpu) if name.startswith("CUDA") else name for name in providers]
        return onnxruntime.InferenceSession(file, providers=wanted)

    providers = usable_providers(
        onnxruntime.get_available_providers(),
        cpu_only=cpu_only,
        cuda=torch.cuda.is_available(),
    )
    return open_detector(open_session, files, providers=providers, whole_frame=whole_frame)


def open_detector(
    open_session: Callable[[str, list[str]], object],
    files: tuple[str, str],
    *,
    providers: Sequence[str],
    whole_frame: bool,
) -> PoseDetector:
    """The detector of two files, whose sessions the caller opens.

    Args:
        open_session: takes a file and names of onnxruntime's providers, the preferred first.
        files: paths of the networks that find boxes and points.
        providers: from `usable_providers`.
        whole_frame: see `PoseDetector`.

    Raises:
        UserError: a file is not an ONNX network, or it is a different network.
    """
    device = fastest_device(providers)
    boxes, points = (
        OnnxModel(partial(open_session, file), signature=signature, name=file, device=device)
        for file, signature in zip(files, (yolox.SIGNATURE, rtmpose.SIGNATURE), strict=True)
    )
    return PoseDetector(boxes=boxes, points=points, whole_frame=whole_frame)


def order_points(points: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 133 points of COCO-WholeBody as OpenPose's 134: a neck added, the body reordered.

    Args:
        points: [P, 133, 2].
        scores: [P, 133].

    Returns:
        Points [P, 134, 2] and scores [P, 134], float64. The neck's score is 1 if both shoulders
        are seen, otherwise 0.

    Source: Tian-one/FCVG models/dwpose/wholebody.py.
    """
    ordered = np.zeros((len(points), NUM_POINTS, 2))
    levels = np.zeros((len(points), NUM_POINTS))
    ordered[:, BODY.stop :] = points[:, COCO_BODY_POINTS:]
    levels[:, FEET.start :] = scores[:, COCO_BODY_POINTS:]
    for place, coco in enumerate(COCO_BODY):
        if coco is not None:
            ordered[:, place], levels[:, place] = points[:, coco], scores[:, coco]
    ordered[:, NECK] = points[:, COCO_SHOULDERS].mean(axis=1)
    levels[:, NECK] = (scores[:, COCO_SHOULDERS] > MIN_SCORE).all(axis=1)
    return ordered, levels
