"""What a run does, as one typed value.

The command line makes it, run.json holds it, a Python program writes it, and it can be sent to
another process: it can be pickled, and it has a form in JSON. Nothing here needs torch.
"""

from .jobs import AnimateSpec, InbetweenSpec, RunSpec, SteeredSpec
from .parts import (
    AnimateSampling,
    AnimateVideo,
    Driving,
    InbetweenPoseChoice,
    InbetweenSampling,
    InbetweenVideo,
    Machine,
    MatcherChoice,
    ModelChoice,
    Motion,
    PoseChoice,
)

__all__ = [
    "AnimateSampling",
    "AnimateSpec",
    "AnimateVideo",
    "Driving",
    "InbetweenPoseChoice",
    "InbetweenSampling",
    "InbetweenSpec",
    "InbetweenVideo",
    "Machine",
    "MatcherChoice",
    "ModelChoice",
    "Motion",
    "PoseChoice",
    "RunSpec",
    "SteeredSpec",
]
