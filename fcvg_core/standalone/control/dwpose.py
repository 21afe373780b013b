"""Which people two keyframes show: found by DWPose, read from files, or not asked for."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...catalogue.dwpose import DWPOSE_FILES
from ...catalogue.find import find_dwpose
from ...catalogue.integrity import check_name
from ...errors import UserError
from ...files.plain_file import check_file
from ...pose import PoseDetector, Poses, open_dwpose
from ..media.poses_file import read_poses
from ..networks.device import choose_device

Keyframes = tuple[np.ndarray, np.ndarray]
PoseFinder = Callable[[Keyframes], tuple[Poses, Poses]]


def choose_pose_finder(options: argparse.Namespace, size: tuple[int, int]) -> PoseFinder | None:
    """What gives the people of two keyframes; None where nobody asks for them. Says which it is.

    Args:
        options: `poses` (False for none), `dwpose_det`, `dwpose_pose`, `whole_frame` and
            `device` of the command line.
        size: (height, width) of the keyframes.

    Raises:
        UserError: a file is missing or another one, or onnxruntime is not installed.
    """
    if options.poses is False:
        return None
    if options.poses:
        first, last = map(Path, options.poses)
        given = read_poses(first, size=size), read_poses(last, size=size, frame=-1)
        return lambda keyframes: given
    files = find_dwpose(options.dwpose_det, options.dwpose_pose)
    if files is None:
        logging.info(
            "People are not looked for: that needs DWPose's two files (--dwpose-det, "
            "--dwpose-pose)."
        )
        return None
    detector = load_detector(files, device=options.device, whole_frame=options.whole_frame)

    def find(keyframes: Keyframes) -> tuple[Poses, Poses]:
        try:
            return detector(keyframes[0]), detector(keyframes[1])
        finally:
            detector.release()

    return find


def need_detector(options: argparse.Namespace) -> PoseDetector:
    """The detector of the options, where a command can't do without.

    Raises:
        UserError: as `choose_pose_finder`, or its files are neither named nor found.
    """
    files = find_dwpose(options.dwpose_det, options.dwpose_pose)
    if files is None:
        raise UserError(
            f"DWPose needs two files: {DWPOSE_FILES[0]} (--dwpose-det) and {DWPOSE_FILES[1]} "
            "(--dwpose-pose), both of huggingface.co/yzd-v/DWPose: to download them, "
            "python -m fcvg_core models --get"
        )
    return load_detector(files, device=options.device, whole_frame=options.whole_frame)


def load_detector(files: tuple[Path, Path], *, device: str, whole_frame: bool) -> PoseDetector:
    """DWPose on the fastest device that onnxruntime was built for.

    Args:
        files: what DWPOSE_FILES are.
        device: of the command line; "cpu" keeps it on the CPU.
        whole_frame: where nobody is found, take the whole frame for a person.

    Raises:
        UserError: a file is missing or no network of DWPose, or onnxruntime is not installed.
    """
    for path in files:
        check_file(path, expected="an ONNX file")
        check_name(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f"Poses need onnxruntime ({error}): pip install onnxruntime-gpu, or onnxruntime "
            "where there is no NVIDIA card. --no-poses goes without."
        ) from error
    return open_dwpose(
        onnxruntime,
        (str(files[0]), str(files[1])),
        device_index=choose_device(device).index or 0,
        cpu_only=device == "cpu",
        whole_frame=whole_frame,
    )
