"""LPIPS and FVMD: measures of other packages, used where these packages are installed.

Nothing is installed and nothing is downloaded: a measure whose package or weights are missing is
left out, and one line of the log says how to get it.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ...catalogue.packages import pip
from ...errors import UserError
from ...files.weight_files import read_pickle
from ...measures import FrameMeasure
from ..media.writing import write_picture
from .clips import Clip, ClipPair

LPIPS_VERSION, FVMD_VERSION = "0.1.4", "1.0.0"
FVMD_SIZE = 256  # height and width of the frames that FVMD tracks points in
FVMD_WINDOW = 16  # frames; each window of a clip is one sample
FVMD_SAMPLES = 2  # the fewest samples that have a covariance
# What fvmd raises beside errors of torch and the disk: it was written for older numpy and scipy.
FVMD_FAILURES = (OSError, RuntimeError, ValueError, TypeError, AttributeError, ImportError)


def open_lpips(device: torch.device) -> FrameMeasure | None:
    """LPIPS with AlexNet, the default of its package; None, after a warning, without it.

    Returns:
        Truth and result [T, H, W, 3] uint8 -> [T] float64, 0 for equal frames; lower is better.

    Source: Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric
        (2018); package lpips 0.1.4.
    """
    try:
        import lpips
        from torchvision.models import AlexNet_Weights
    except ImportError as error:
        command = pip("install", f"lpips=={LPIPS_VERSION}")
        _leave_out("LPIPS", f"its package is missing ({error}). To get it: {command}")
        return None
    if reason := _weights_missing(AlexNet_Weights.DEFAULT.url):
        _leave_out("LPIPS", reason)
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lpips uses old names of torchvision
        network = lpips.LPIPS(net="alex", verbose=False).to(device)

    @torch.inference_mode()
    def measure(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
        pair = [
            torch.from_numpy(frames).to(device).permute(0, 3, 1, 2).float() / 255
            for frames in (truth, result)
        ]
        return network(*pair, normalize=True).flatten().double().cpu().numpy()

    return measure


def open_fvmd() -> Callable[[list[ClipPair]], float | None] | None:
    """FVMD, a distance between the motions of two sets of clips; None, after a warning, without it.

    Returns:
        A function of all clips of a result; it returns None, after a warning, if FVMD fails or
        the clips are too short. Lower is better.

    Source: Liu et al., Frechet Video Motion Distance (2024); package fvmd 1.0.0.
    """
    try:
        from fvmd import fvmd
        from fvmd.keypoint_tracking import PIPS_WEIGHTS
    except ImportError as error:
        command = pip("install", f"fvmd=={FVMD_VERSION}")
        _leave_out(
            "FVMD",
            f"its package is missing ({error}). To get it: {command}. This replaces other packages "
            "by older versions, so use a Python environment of its own (docs/evaluation.md)",
        )
        return None
    if not torch.cuda.is_available():
        _leave_out("FVMD", "torch finds no NVIDIA card. Use a machine that has one")
        return None
    if reason := _weights_missing(PIPS_WEIGHTS):
        _leave_out("FVMD", reason)
        return None

    def measure(pairs: list[ClipPair]) -> float | None:
        samples = sum(max(pair.truth.num_frames - FVMD_WINDOW + 1, 0) for pair in pairs)
        if samples < FVMD_SAMPLES:
            _leave_out("FVMD", f"it needs clips of at least {FVMD_WINDOW + 1} frames")
            return None
        with tempfile.TemporaryDirectory() as folder:
            return _run_fvmd(fvmd, pairs, Path(folder))

    return measure


def _run_fvmd(fvmd: Callable, pairs: list[ClipPair], folder: Path) -> float | None:
    true, found = folder / "truth", folder / "result"
    for i, pair in enumerate(pairs):
        _write_small(pair.truth, true / f"{i:06d}")
        _write_small(pair.result, found / f"{i:06d}")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # fvmd prints a table of its network
            return float(fvmd(log_dir=str(folder), gen_path=str(found), gt_path=str(true)))
    except FVMD_FAILURES as error:
        _leave_out("FVMD", f"its package failed ({error}). Try its own command, python -m fvmd")
        return None


def _write_small(clip: Clip, folder: Path) -> None:
    """Write the frames of a clip in the size that fvmd would bring them to."""
    folder.mkdir(parents=True)
    for i, frame in enumerate(clip.read()):
        small = Image.fromarray(frame).resize((FVMD_SIZE, FVMD_SIZE), Image.Resampling.BILINEAR)
        write_picture(folder / f"{i:06d}.png", np.asarray(small))


def _weights_missing(url: str) -> str:
    """Why a package can't use its weights without a download; empty if it can.

    The package itself would download missing weights, and run code in damaged weights.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.exists():
        return f"its weights are missing, and nothing is downloaded here: save {url} as {path}"
    try:
        read_pickle(path)
    except UserError as error:
        return str(error)
    return ""


def _leave_out(measure: str, reason: str) -> None:
    logging.warning("%s is left out: %s.", measure, reason.removesuffix("."))
