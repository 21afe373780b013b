"""Widgets and words that several nodes share."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .newer import rarely_changed

CUSTOM = "custom"  # a timing beside those of `choices`: the widget below it has the numbers
# Tooltips of several inputs and outputs.
NUM_FRAMES = (
    "Number of frames in the whole video, keyframes included. Use the same number in every node. "
    "FCVG was trained on 25."
)
LINE_MATCHES = "Line matches from Match Lines or Filter Line Matches."
COLOR_SEED = "Changes only which colour each line gets."
_POSE = (
    "Poses of the {} keyframe, from Extract Poses, SDPose Keypoint Extractor, another pack or an "
    "editor. If they are poses of several images, the {} image counts."
)
FIRST_POSE, LAST_POSE = (_POSE.format(which, which) for which in ("first", "last"))
POSE_WIDTH = "Width of the drawn people, as a multiple of the width in training. Keep 1.0."
FPS = "Frame rate given to the model as a hint. Keep 7; the playback speed is set in Create Video."
MOTION = "How much moves, as SVD measures it: a lower number is calmer."
AUGMENTATION = (
    "as a standard deviation for pixels in -1..1. 0 adds no noise, 0.1 allows more motion."
)
NO_PICTURE = "The unconditional input (no picture), used for guidance."
EMPTY_VIDEO = "An empty video, for latent_image of SamplerCustomAdvanced."
FOR_CONTROL = "For Apply ControlNeXt, the FCVG Sampler or the ControlNeXt-SVD Sampler."
SEED = "Seed for all noise. Change it for a different result."
DIRECTION_START = (
    "Guidance at the keyframe a pass starts from: the first frame for the forward pass, the last "
    "frame for the backward pass. FCVG's value is 3.0."
)
TIMES_MORE = "Extra repetitions of each leading step; 0 switches them off."


def timing_inputs(*, optional: bool = False) -> list:
    """Widgets for the timing of the motion, for every node that moves lines or people.

    Args:
        optional: whether a graph may lack them: API graphs from before these widgets still run.
    """
    return [
        io.Combo.Input(
            "timing",
            options=[*choices.TIMINGS, CUSTOM],
            default=choices.REFERENCE,
            optional=optional,
            tooltip="reference: even, but the second frame still shows the first "
            "keyframe and the last but one already the last, as FCVG was trained. "
            "uniform is even; ease-in starts gently, ease-out ends gently; custom "
            "takes the numbers below.",
        ),
        io.String.Input(
            "custom_times",
            default="0, 0.5, 1",
            optional=optional,
            tooltip="For timing custom: how far the motion has come, 0 to 1, spread "
            "evenly over the video. 0, 0.2, 1 starts slowly. A CURVE does not fit: "
            "write the heights of its points.",
        ),
    ]


def pose_inputs() -> list:
    """Widgets of how people move and are drawn."""
    return [
        io.Combo.Input(
            "missing_joints",
            options=list(choices.MISSING_JOINTS),
            default=choices.MISSING_JOINTS[0],
            **rarely_changed(),
            tooltip="Joints that only one frame shows: hide them in between, or hold "
            "them beside the body.",
        ),
        io.Combo.Input(
            "missing_people",
            options=list(choices.MISSING_PEOPLE),
            default=choices.MISSING_PEOPLE[0],
            **rarely_changed(),
            tooltip="People that only one frame shows: let them fade at their place, "
            "or leave them out.",
        ),
        io.Float.Input(
            "pose_width",
            default=1.0,
            **bounds.POSE_WIDTH.widget,
            step=0.1,
            **rarely_changed(),
            tooltip=POSE_WIDTH,
        ),
    ]


def read_timing(timing: str, custom_times: str) -> str | list[float]:
    """The widgets of `timing_inputs` as `inbetween_times` takes them."""
    from ..fcvg_core.timeline import parse_timing

    return parse_timing(custom_times) if timing == CUSTOM else timing


def size_inputs() -> list[io.Input]:
    """Widgets for the size of a video, for every node that makes a video."""
    tooltip = "In pixels, a multiple of 64. FCVG was trained at 1024 x 576."
    return [
        io.Int.Input("width", default=1024, **bounds.SIZE.widget, tooltip=tooltip),
        io.Int.Input("height", default=576, **bounds.SIZE.widget, tooltip=tooltip),
        io.Int.Input("num_frames", default=25, **bounds.FRAMES.widget, tooltip=NUM_FRAMES),
    ]


def keyframe_inputs() -> list[io.Input]:
    """Widgets for the values that SVD takes as hints about a video."""
    return [
        io.Int.Input("fps", default=7, **bounds.FPS.widget, tooltip=FPS),
        io.Int.Input(
            "motion_bucket_id",
            default=127,
            **bounds.MOTION_BUCKET.widget,
            **rarely_changed(),
            tooltip=f"{MOTION} FCVG's is 127.",
        ),
        io.Float.Input(
            "augmentation",
            default=0.02,
            **bounds.AUGMENTATION.widget,
            step=0.01,
            **rarely_changed(),
            tooltip=f"Noise on the keyframes, {AUGMENTATION}",
        ),
    ]


def guidance_inputs(
    guidance: float = 3.0, window: int = 25, start: str = DIRECTION_START
) -> list[io.Input]:
    """Widgets for guidance and windows, shared by the guiders and the boxes.

    Args:
        guidance, window: default values; FCVG's values, if not given.
        start: tooltip of the guidance at the start of a window.
    """
    return [
        io.Float.Input(
            "min_guidance", default=guidance, **bounds.GUIDANCE.widget, step=0.1, tooltip=start
        ),
        io.Float.Input(
            "max_guidance",
            default=guidance,
            **bounds.GUIDANCE.widget,
            step=0.1,
            tooltip="At the other end; changes evenly in between. The same value keeps "
            "it constant.",
        ),
        io.Int.Input(
            "window",
            default=window,
            **bounds.WINDOW.widget,
            tooltip="Frames that are sampled at once. A longer video is cut into windows, "
            "each of which takes the memory of this many frames.",
        ),
        io.Int.Input(
            "overlap",
            default=6,
            **bounds.OVERLAP.widget,
            tooltip="Frames that neighbouring windows share; less than window. Counts "
            "only for videos longer than one window.",
        ),
    ]
