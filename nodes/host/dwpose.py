"""DWPose in the host: loads its two ONNX files, makes room in VRAM, finds people in a batch."""

from collections.abc import Iterator
from dataclasses import replace

import comfy.model_management as mm
import torch
from comfy.utils import ProgressBar

from ...fcvg_core.frames import to_uint8
from ...fcvg_core.pose import (
    PoseDetector,
    Poses,
    open_detector,
    usable_providers,
)

# VRAM used by both networks plus onnxruntime's workspace. The host does not manage it, so room is
# made when a session is opened.
MEMORY = 2 * 2**30  # bytes


def load_dwpose(boxes: str, points: str) -> PoseDetector:
    """DWPose on the fastest device that onnxruntime supports.

    Args:
        boxes: path of yolox_l.onnx.
        points: path of dw-ll_ucoco_384.onnx.

    Raises:
        UserError: a file is not a network of DWPose.
        ImportError: onnxruntime is not installed; the message says how to install it.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"Poses need the package onnxruntime ({error}). Run with ComfyUI's Python: pip install "
            "onnxruntime-gpu (or onnxruntime if there is no NVIDIA GPU)."
        ) from error
    card = {"device_id": mm.get_torch_device().index or 0}

    def open_session(file: str, providers: list[str]) -> onnxruntime.InferenceSession:
        if len(providers) > 1:
            mm.free_memory(MEMORY, mm.get_torch_device())
        chosen = [(name, card) if name.startswith("CUDA") else name for name in providers]
        return onnxruntime.InferenceSession(file, providers=chosen)

    return open_detector(
        open_session,
        (boxes, points),
        providers=usable_providers(
            onnxruntime.get_available_providers(),
            cpu_only=mm.cpu_mode(),
            cuda=torch.cuda.is_available(),
        ),
        whole_frame=False,
    )


def find_people(
    detector: PoseDetector, image: torch.Tensor, *, whole_frame: bool
) -> Iterator[Poses]:
    """The people in each image of an IMAGE; at the end the GPU memory of the networks is freed."""
    detector = replace(detector, whole_frame=whole_frame)
    bar = ProgressBar(len(image))
    try:
        for frame in image:
            mm.throw_exception_if_processing_interrupted()
            yield detector(to_uint8(frame))
            bar.update(1)
    finally:
        detector.release()
