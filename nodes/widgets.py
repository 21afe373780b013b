"""Widgets and words that several nodes share."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .newer import rarely_changed

CUSTOM = "custom"  # a timing beside those of `choices`: the widget below it has the numbers
# What several inputs and outputs say.
NUM_FRAMES = (
    "Frames of the whole video, keyframes included; the same in every node. FCVG was trained on 25."
)
LINE_MATCHES = "From Match Lines or Filter Line Matches."
COLOR_SEED = "Which line gets which colour; any number will do."
FIRST_POSE = (
    "From Extract Poses, SDPose Keypoint Extractor, another pack or an editor; of several images "
    "the first counts."
)
LAST_POSE = "The same of the last frame; of several images the last counts."
POSE_WIDTH = "Width of the drawn people, as a multiple of what the model was trained on; keep 1.0."
FPS = "The frame rate that SVD is told; keep 7. Playback speed is set in Create Video."
MOTION = "SVD's measure of how much moves: lower is calmer."
AUGMENTATION = "as a standard deviation in -1 to 1: 0 is the most faithful, 0.1 frees the video."
NO_PICTURE = "What the model is told of no picture, for guidance."
EMPTY_VIDEO = "An empty video, for latent_image of SamplerCustomAdvanced."
FOR_CONTROL = "For Apply ControlNeXt, the FCVG Sampler or the ControlNeXt-SVD Sampler."
SEED = "Of all noise: another number is another take."
DIRECTION_START = (
    "Where a direction starts: the first frame forward, the last one backward. FCVG's is 3.0."
)
TIMES_MORE = "How many more times each of the first steps is taken; 0 is off."


def timing_inputs(*, optional: bool = False) -> list:
    """Widgets of the motion's timing, for every node that moves conditions.

    Args:
        optional: for a node that was there before them, so that older API graphs still run.
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
    """Widgets for the size of a video, shared by the nodes that make one."""
    tooltip = "In pixels, a multiple of 64. FCVG was trained at 1024 x 576."
    return [
        io.Int.Input("width", default=1024, **bounds.SIZE.widget, tooltip=tooltip),
        io.Int.Input("height", default=576, **bounds.SIZE.widget, tooltip=tooltip),
        io.Int.Input("num_frames", default=25, **bounds.FRAMES.widget, tooltip=NUM_FRAMES),
    ]


def keyframe_inputs() -> list[io.Input]:
    """Widgets for what SVD is told about a video."""
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
        guidance, window: defaults; FCVG's, if not said.
        start: where the guidance is lowest.
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
