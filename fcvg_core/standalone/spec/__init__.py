"""What a run does, as one typed value.

The command line makes this value, run.json holds it, and a Python program may write it. It can be
pickled and written as JSON, so it can be sent to another process. Nothing here needs torch.
"""

from .camera import CameraMove
from .droplet import DropletClip, DropletMachine, DropletModelChoice, DropletSampling, DropletSpec
from .dynamicrafter import (
    ClipModelChoice,
    ClipSampling,
    ClipSpec,
    ClipVideo,
    DynamiCrafterSpec,
    DynamiCrafterVideo,
    Shot,
    StoryModelChoice,
    StorySpec,
)
from .jobs import AnimateSpec, InbetweenSpec, PreviewSpec, RunSpec, SteeredSpec
from .parts import (
    AnimateVideo,
    AnyMachine,
    Driving,
    InbetweenPoseChoice,
    InbetweenVideo,
    Machine,
    MatcherChoice,
    ModelChoice,
    Motion,
    PoseChoice,
    PreviewVideo,
)
from .sampling import AnimateSampling, InbetweenSampling, Sampling
from .smcd import BoxChoice, SmcdModelChoice, SmcdSampling, SmcdSpec, SmcdVideo
from .smcd_eval import SmcdEvalSampling, SmcdEvalSpec

__all__ = [
    "AnimateSampling",
    "AnimateSpec",
    "AnimateVideo",
    "BoxChoice",
    "CameraMove",
    "ClipModelChoice",
    "ClipSampling",
    "ClipSpec",
    "ClipVideo",
    "AnyMachine",
    "Driving",
    "DropletClip",
    "DropletMachine",
    "DropletModelChoice",
    "DropletSampling",
    "DropletSpec",
    "DynamiCrafterSpec",
    "DynamiCrafterVideo",
    "InbetweenPoseChoice",
    "InbetweenSampling",
    "InbetweenSpec",
    "InbetweenVideo",
    "Machine",
    "MatcherChoice",
    "ModelChoice",
    "Motion",
    "PoseChoice",
    "PreviewSpec",
    "PreviewVideo",
    "RunSpec",
    "Sampling",
    "Shot",
    "SmcdEvalSampling",
    "SmcdEvalSpec",
    "SmcdModelChoice",
    "SmcdSampling",
    "SmcdSpec",
    "SmcdVideo",
    "SteeredSpec",
    "StoryModelChoice",
    "StorySpec",
]
