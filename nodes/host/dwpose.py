"""DWPose in the host: its two ONNX files, room for them on the card, people of a batch."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import comfy.model_management as mm
import folder_paths
import numpy as np
import torch
from comfy.utils import ProgressBar

from ...fcvg_core.pose import PoseDetector, Poses, open_detector
from .folders import DWPOSE

FILES = ("yolox_l.onnx", "dw-ll_ucoco_384.onnx")
# What both networks take of a card while they run, with onnxruntime's own.
MEMORY = 2 * 2**30  # bytes


def find_dwpose() -> tuple[str, str] | None:
    """Paths of the two official files; None, with a message, unless both are there."""
    found = [folder_paths.get_full_path(DWPOSE, name) for name in FILES]
    if None not in found:
        return tuple(found)
    logging.info("DWPose is not used: %s is not in models/%s.", FILES[found.index(None)], DWPOSE)
    return None


def load_dwpose(boxes: str, points: str) -> PoseDetector:
    """DWPose on the fastest device that onnxruntime was built for.

    Args:
        boxes: yolox_l.onnx.
        points: dw-ll_ucoco_384.onnx.

    Raises:
        ValueError: a file is no network of DWPose.
        ImportError: onnxruntime is not installed; the message says how to.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"Poses need onnxruntime ({error}). In ComfyUI's own Python: pip install "
            "onnxruntime-gpu, or onnxruntime where there is no NVIDIA card."
        ) from error
    providers = onnxruntime.get_available_providers()
    if mm.cpu_mode():
        providers = []
    elif not torch.cuda.is_available():
        providers = [name for name in providers if not name.startswith("CUDA")]
    _make_room()
    return open_detector(
        lambda file, wanted: onnxruntime.InferenceSession(file, providers=wanted),
        (boxes, points),
        providers=providers,
        whole_frame=False,
    )


def find_people(
    detector: PoseDetector, frames: np.ndarray, *, whole_frame: bool
) -> Iterator[Poses]:
    """The people of each frame of [T, H, W, 3] uint8; then the card's memory is given back."""
    detector = replace(detector, whole_frame=whole_frame)
    bar = ProgressBar(len(frames))
    _make_room()
    try:
        for frame in frames:
            mm.throw_exception_if_processing_interrupted()
            yield detector(frame)
            bar.update(1)
    finally:
        detector.release()


def _make_room() -> None:
    """Free memory for networks that the host does not manage."""
    if not mm.cpu_mode():
        mm.free_memory(MEMORY, mm.get_torch_device())
