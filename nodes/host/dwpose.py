"""DWPose in the host: loads its two ONNX files, makes room in VRAM, finds people in a batch."""

from collections.abc import Iterator
from dataclasses import replace

import comfy.model_management as mm
import torch
from comfy.utils import ProgressBar

from ...fcvg_core.catalogue.dwpose import DWPOSE, DWPOSE_FILES, DWPOSE_ROWS
from ...fcvg_core.frames import to_uint8
from ...fcvg_core.pose import PoseDetector, Poses, open_dwpose
from .folders import command_to_get

# Memory of the card that both networks and onnxruntime's workspace use. The host does not manage
# this memory, so room for it is made before a network is opened.
MEMORY = 2 * 2**30  # bytes


def load_dwpose(boxes: str, points: str) -> PoseDetector:
    """DWPose on the fastest device that onnxruntime supports.

    Args:
        boxes: path of yolox_l.onnx, which finds people.
        points: path of dw-ll_ucoco_384.onnx, which finds their joints.

    Raises:
        ValueError: a file is no network of DWPose.
        ImportError: onnxruntime is not installed; the message says how to install it.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"Poses need the package onnxruntime ({error}). Run with ComfyUI's Python: pip install "
            "onnxruntime-gpu (or onnxruntime if there is no NVIDIA GPU)."
        ) from error
    device = mm.get_torch_device()
    return open_dwpose(
        onnxruntime,
        (boxes, points),
        device_index=device.index or 0,
        cpu_only=mm.cpu_mode(),
        whole_frame=False,
        make_room=lambda: mm.free_memory(MEMORY, device),
    )


def how_to_get_dwpose() -> str:
    """What a user does to have DWPose, for messages of nodes that need people."""
    return (
        f"Connect Load DWPose to Extract Poses. It needs {' and '.join(DWPOSE_FILES)} (from "
        f"{DWPOSE_ROWS[0].source}) in models/{DWPOSE}. To download them, run in a terminal: "
        f"{command_to_get()}"
    )


def find_people(
    detector: PoseDetector, image: torch.Tensor, *, whole_frame: bool
) -> Iterator[Poses]:
    """The people of each image of an IMAGE. After the last image the card's memory is freed."""
    detector = replace(detector, whole_frame=whole_frame)
    bar = ProgressBar(len(image))
    try:
        for frame in image:
            mm.throw_exception_if_processing_interrupted()
            yield detector(to_uint8(frame))
            bar.update(1)
    finally:
        detector.release()
