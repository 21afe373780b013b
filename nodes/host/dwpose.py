"""DWPose in the host: its two ONNX files, room for them on the card, people of a batch."""

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

# What both networks take of a card while they run, with onnxruntime's own; the host does not
# manage it, so room is made when a session is opened.
MEMORY = 2 * 2**30  # bytes


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
    """The people of each image of an IMAGE; then the card's memory is given back."""
    detector = replace(detector, whole_frame=whole_frame)
    bar = ProgressBar(len(image))
    try:
        for frame in image:
            mm.throw_exception_if_processing_interrupted()
            yield detector(to_uint8(frame))
            bar.update(1)
    finally:
        detector.release()
