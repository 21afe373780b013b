"""Poses and stand-in networks of the golden cases."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from fcvg_core.pose import PoseDetector, Poses, open_detector
from fcvg_core.pose.onnx_model import CPU
from fcvg_core.pose.skeleton import BODY, FACE, LEFT_HAND, NUM_POINTS, RIGHT_HAND

PARTS = (BODY, LEFT_HAND, RIGHT_HAND, FACE)


def open_session(file: str, providers: list[str]) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(file, providers=providers)


def detector_cases(golden: Path) -> list[Path]:
    """Files of the golden cases of DWPose, by name."""
    return sorted((golden / "dwpose").glob("dwpose_*.npz"))


def detector(golden: Path, case: str, *, whole_frame: bool = True) -> PoseDetector:
    """Detector with the stand-in networks with which a case was made."""
    manifest = json.loads((golden / "dwpose" / "MANIFEST.json").read_text(encoding="utf-8"))
    files = tuple(str(golden / "dwpose" / n) for n in manifest["files"][case]["models"])
    return open_detector(open_session, files, providers=[CPU], whole_frame=whole_frame)


def read_poses(
    case: dict[str, np.ndarray], prefix: str = "", *, scored_by: str | None = None
) -> Poses:
    """Poses [..., P] from lists of the official code, which leaves out the feet.

    Args:
        prefix: prefix of the arrays' names.
        scored_by: prefix of the scores, if it differs.
    """
    scored_by = prefix if scored_by is None else scored_by
    scores = case[f"{scored_by}body_score"]
    *lead, people, _ = scores.shape
    hands = case[f"{prefix}hands"].reshape(*lead, 2, people, 21, 2)  # all left ones come first
    hand_scores = case[f"{scored_by}hands_score"].reshape(*lead, 2, people, 21)
    points = (
        case[f"{prefix}candidate"].reshape(*lead, people, 18, 2),
        hands[..., 0, :, :, :],
        hands[..., 1, :, :, :],
        case[f"{prefix}faces"],
    )
    levels = (
        scores,
        hand_scores[..., 0, :, :],
        hand_scores[..., 1, :, :],
        case[f"{scored_by}faces_score"],
    )
    keypoints = torch.zeros(*lead, people, NUM_POINTS, 2, dtype=torch.float64)
    all_scores = torch.zeros(*lead, people, NUM_POINTS, dtype=torch.float64)
    for part, xy, level in zip(PARTS, points, levels, strict=True):
        keypoints[..., part, :] = torch.from_numpy(xy)
        all_scores[..., part] = torch.from_numpy(level)
    return Poses(keypoints, all_scores)


def person(seed: int = 0, *, at=(0.5, 0.5), size=(0.1, 0.3), unseen=()) -> Poses:
    """One person whose points lie around a position; the joints in `unseen` have low scores."""
    offsets = np.random.RandomState(seed).uniform(-1, 1, (1, 134, 2))
    scores = np.ones((1, 134))
    scores[:, list(unseen)] = 0.2
    return Poses(torch.from_numpy(np.array(at) + offsets * size), torch.from_numpy(scores))


def together(*people: Poses) -> Poses:
    return Poses(torch.cat([p.keypoints for p in people]), torch.cat([p.scores for p in people]))


def moved(poses: Poses, scale, shift) -> Poses:
    return Poses(
        poses.keypoints * torch.tensor(scale).double() + torch.tensor(shift).double(), poses.scores
    )
