"""DWPose, which finds the people of keyframes and of driving videos."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ...catalogue.dwpose import DWPOSE_FILES, DWPOSE_ROWS
from ...catalogue.find import find_dwpose
from ...catalogue.integrity import check_name
from ...catalogue.model_files import Roots
from ...errors import UserError
from ...files.plain_file import check_file
from ...pose import PoseDetector, Poses, open_dwpose
from ..spec import PoseChoice

HOW_TO_GET = "to download them, python -m fcvg_core models --get"

Keyframes = tuple[np.ndarray, ...]  # two or more, in the order of time
PoseFinder = Callable[[Keyframes], tuple[Poses, ...]]


def open_pose_finder(
    choice: PoseChoice, roots: Roots, *, device: torch.device, cpu_only: bool
) -> PoseFinder | None:
    """A function that finds the people of keyframes; None if a file of DWPose is missing.

    Args:
        choice: DWPose's files.
        roots: known folders of models.
        device, cpu_only: see `load_detector`.

    Raises:
        UserError: see `load_detector`; or one of DWPose's files is named, and the other is neither
            named nor found.
    """
    files = find_dwpose(choice.dwpose_det, choice.dwpose_pose, roots)
    if files is None:
        logging.info(
            "No poses are detected, because DWPose's two files (--dwpose-det, --dwpose-pose) are "
            "neither named nor found: %s",
            HOW_TO_GET,
        )
        return None
    detector = load_detector(
        files, device=device, cpu_only=cpu_only, whole_frame=choice.whole_frame
    )

    def find(keyframes: Keyframes) -> tuple[Poses, ...]:
        try:
            return tuple(map(detector, keyframes))
        finally:
            detector.release()

    return find


def need_detector(
    choice: PoseChoice, roots: Roots, *, device: torch.device, cpu_only: bool
) -> PoseDetector:
    """The detector of a choice, for a command that can't do without it.

    Raises:
        UserError: see `load_detector`; or a file of DWPose is neither named nor found.
    """
    files = find_dwpose(choice.dwpose_det, choice.dwpose_pose, roots)
    if files is None:
        raise UserError(
            f"DWPose needs two files: {DWPOSE_FILES[0]} (--dwpose-det) and {DWPOSE_FILES[1]} "
            f"(--dwpose-pose), both of {DWPOSE_ROWS[0].source}: {HOW_TO_GET}"
        )
    return load_detector(files, device=device, cpu_only=cpu_only, whole_frame=choice.whole_frame)


def load_detector(
    files: tuple[Path, Path], *, device: torch.device, cpu_only: bool, whole_frame: bool
) -> PoseDetector:
    """DWPose on the fastest device that onnxruntime was built for.

    Args:
        files: the two files that DWPOSE_FILES names.
        device: which card, if there are several.
        cpu_only: use no other device than the CPU.
        whole_frame: if nobody is found, take the whole frame for a person.

    Raises:
        UserError: a file is missing or is not DWPose's network, or onnxruntime is not installed.
    """
    for path in files:
        check_file(path, expected="an ONNX file")
        check_name(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f"Poses need onnxruntime ({error}): pip install onnxruntime-gpu, or onnxruntime "
            "where there is no NVIDIA card. With --no-poses, inbetween does not need it."
        ) from error
    return open_dwpose(
        onnxruntime,
        (str(files[0]), str(files[1])),
        device_index=device.index or 0,
        cpu_only=cpu_only,
        whole_frame=whole_frame,
    )
