"""Widgets and words that several nodes share."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .newer import rarely_changed

CUSTOM = "custom"  # a timing that only nodes have: its numbers are in custom_times
# Texts that several nodes share. A tooltip is read alone: it never points to another tooltip.
FIRST_FRAME = (
    "The picture that the video begins with. A picture of another size is cropped and resized; of "
    "a batch the first picture is used."
)
LAST_FRAME = (
    "The picture that the video ends with. A picture of another size is cropped and resized; of a "
    "batch the first picture is used."
)
NUM_FRAMES = (
    "Number of frames of the whole video, both keyframes included. Set the same number in every "
    "node that asks for it. FCVG was trained on 25."
)
WIDTH = "Width of the video in pixels, a multiple of 64."
HEIGHT = "Height of the video in pixels, a multiple of 64."
TRAINED_SIZE = "FCVG was trained at 1024 x 576; 768 x 448 and 512 x 320 need less memory."
ALL_SIZES = f"{TRAINED_SIZE} Choose 512 x 768 for ControlNeXt-SVD, 512 x 320 for DynamiCrafter."
LINE_MATCHES = "Matched lines, from Match Lines or Filter Line Matches."
LINE_WIDTH = (
    "Width of the drawn lines in pixels. FCVG was trained on 1; 2 or 3 are easier to look at."
)
COLOR_SEED = "Changes only which colour each line gets."
FIRST_POSE = (
    "Poses of the first keyframe, from Extract Poses, SDPose Keypoint Extractor, another pack or a "
    "pose editor. If they are of several images, those of the first image are used."
)
LAST_POSE = (
    "Poses of the last keyframe, from Extract Poses, SDPose Keypoint Extractor, another pack or a "
    "pose editor. If they are of several images, those of the last image are used."
)
POSE_WIDTH = (
    "Width of the drawn people, as a multiple of the width that the model was trained on. Keep 1.0 "
    "for sampling; 2 or 3 are easier to look at."
)
CLIP_VISION = (
    "SVD's CLIP image encoder, from Load SVD (diffusers folder) or from Load Checkpoint Image Only "
    "(img2vid model)."
)
VAE = "SVD's VAE, from the node that also gives clip_vision."
FPS = (
    "Frame rate given to the model as a hint, in frames per second. Keep 7, the official value; "
    "the playback speed is set in Create Video."
)
MOTION = (
    "How much motion the model is asked for, on SVD's own scale: lower values give a calmer video, "
    "higher values a livelier one. Try 60 to 180."
)
AUGMENTATION = (
    "(standard deviation, for pixels in -1..1). 0 keeps the picture exact, 0.1 allows more motion. "
    "The official value is 0.02."
)
NO_PICTURE = "The unconditional input (no picture), used for guidance."
EMPTY_VIDEO = "An empty video of the chosen size, for latent_image of SamplerCustomAdvanced."
FOR_CONTROL = "for Apply ControlNeXt, FCVG Sampler or ControlNeXt-SVD Sampler."
SEED = "Seed for all noise. Change it for a different result."
GUIDANCE_START = (
    "Guidance at the keyframe that a pass starts from: the first frame for the forward pass, the "
    "last frame for the backward pass. Higher values follow the keyframe more closely. FCVG uses "
    "3.0; try 2 to 4. 1.0 in both min_guidance and max_guidance switches guidance off and takes "
    "about half the time."
)
GUIDANCE_END = (
    "Guidance at the opposite end, the last frame of a pass; it changes linearly in between. FCVG "
    "uses the same value as in min_guidance, so that guidance is constant."
)
FCVG_WINDOW = "FCVG was trained on 25; 14 or 16 need less memory, but seams may show."
EXTRA_STEPS = "Extra repetitions of each leading step, with new noise; 0 switches them off."


def timing_inputs(default: str = choices.REFERENCE, *, optional: bool = False) -> list[io.Input]:
    """Widgets for the timing of the motion, for every node that moves lines, people or frames.

    Args:
        default: the timing that is chosen at first.
        optional: whether a graph may lack the widgets, as API graphs from before them do.
    """
    return [
        io.Combo.Input(
            "timing",
            options=[*choices.TIMINGS, CUSTOM],
            default=default,
            optional=optional,
            tooltip="Pace of the motion. reference: even, as in the reference code of FCVG's "
            "authors, which shows each keyframe for two frames; FCVG was trained on it. uniform: "
            "even from the first frame to the last. ease-in: slow at the start. ease-out: slow at "
            "the end. ease-in-out: slow at both ends. custom: the numbers in custom_times.",
        ),
        io.String.Input(
            "custom_times",
            default="0, 0.5, 1",
            optional=optional,
            tooltip="Only for timing custom: where the motion is (0 = first keyframe, 1 = last "
            "keyframe) at even steps through the video. Two or more numbers, which begin with 0 "
            "and end with 1: 0, 0.2, 1 is slow in the first half and fast in the second. Times "
            "from Curve makes these numbers of a CURVE.",
        ),
    ]


def pose_inputs() -> list[io.Input]:
    """Widgets for how people move and are drawn."""
    return [
        io.Combo.Input(
            "missing_joints",
            options=list(choices.MISSING_JOINTS),
            default=choices.MISSING_JOINTS[0],
            **rarely_changed(),
            tooltip="Joints that only one keyframe shows. hide: they are not drawn between the "
            "keyframes. hold: they go along with the body, for an arm that should not vanish.",
        ),
        io.Combo.Input(
            "missing_people",
            options=list(choices.MISSING_PEOPLE),
            default=choices.MISSING_PEOPLE[0],
            **rarely_changed(),
            tooltip="People whom only one keyframe shows. fade: they stay in their place and fade "
            "in or out. drop: they are not drawn.",
        ),
        pose_width_input(),
    ]


def pose_width_input() -> io.Input:
    """The widget for how wide people are drawn."""
    return io.Float.Input(
        "pose_width",
        default=1.0,
        **bounds.POSE_WIDTH.widget,
        step=0.1,
        **rarely_changed(),
        tooltip=POSE_WIDTH,
    )


def background_inputs() -> list[io.Input]:
    """The keyframes, for nodes that play control frames over them."""
    return [
        io.Image.Input(
            name,
            optional=True,
            tooltip=f"The {which} keyframe. The node shows it behind the motion that it plays; "
            "control_frames stay as they are.",
        )
        for name, which in (("first_frame", "first"), ("last_frame", "last"))
    ]


def pose_colors_input() -> io.Input:
    """The widget for the colours of people; a graph may lack it, as graphs from before it do."""
    return io.Combo.Input(
        "colors",
        options=list(choices.POSE_COLORS),
        default=choices.FCVG_COLORS,
        optional=True,
        **rarely_changed(),
        tooltip="Colours of the drawn people. fcvg: the colours that FCVG and ControlNeXt-SVD were "
        "trained on. openpose: the colours of OpenPose, for ControlNets of other models, which "
        "expect wider lines too: set pose_width to 2 or more. white: white lines.",
    )


def read_timing(timing: str, custom_times: str) -> str | list[float]:
    """The widgets of `timing_inputs` as `inbetween_times` takes them; odd times are logged."""
    from ..fcvg_core.timeline import parse_timing, warn_of_direction

    chosen = parse_timing(custom_times) if timing == CUSTOM else timing
    warn_of_direction(chosen)
    return chosen


def check_linked(name: str, value: float, allowed: bounds.Bounds) -> None:
    """Raise UserError unless a value is allowed: that of a link passes the limits of a widget."""
    from ..fcvg_core.errors import UserError

    if value not in allowed:
        raise UserError(f"{name} is {value:g}, but it must be from {allowed}: change it.")


def num_frames_input() -> io.Input:
    """The widget for the length of a video between two keyframes."""
    return io.Int.Input("num_frames", default=25, **bounds.FRAMES.widget, tooltip=NUM_FRAMES)


def line_inputs() -> list[io.Input]:
    """Widgets for how lines are drawn."""
    return [
        io.Int.Input("line_width", default=1, **bounds.LINE_WIDTH.widget, tooltip=LINE_WIDTH),
        # Not "seed": the editor would draw a new one for every run.
        io.Int.Input(
            "color_seed",
            default=0,
            **bounds.COLOR_SEED.widget,
            **rarely_changed(),
            tooltip=COLOR_SEED,
        ),
    ]


def size_inputs(
    width: int = 1024, height: int = 576, *, trained: str = TRAINED_SIZE
) -> list[io.Input]:
    """Widgets for the size of a video.

    Args:
        width, height: defaults; FCVG's, if not given.
        trained: the part of a tooltip that says which sizes suit the model.
    """
    return [
        io.Int.Input("width", default=width, **bounds.SIZE.widget, tooltip=f"{WIDTH} {trained}"),
        io.Int.Input("height", default=height, **bounds.SIZE.widget, tooltip=f"{HEIGHT} {trained}"),
    ]


def hint_inputs(
    motion_bucket: int = 127, *, model: str = "FCVG", encoded: str = "the keyframes before they are"
) -> list[io.Input]:
    """Widgets for the hints that SVD gets about a video.

    Args:
        motion_bucket: default; FCVG's, if not given.
        model: whose value this default is.
        encoded: the part of a tooltip that names the pictures that get noise.
    """
    return [
        io.Int.Input("fps", default=7, **bounds.FPS.widget, tooltip=FPS),
        io.Int.Input(
            "motion_bucket_id",
            default=motion_bucket,
            **bounds.MOTION_BUCKET.widget,
            **rarely_changed(),
            tooltip=f"{MOTION} {model} uses {motion_bucket}.",
        ),
        io.Float.Input(
            "augmentation",
            default=0.02,
            **bounds.AUGMENTATION.widget,
            step=0.01,
            **rarely_changed(),
            tooltip=f"Noise added to {encoded} encoded {AUGMENTATION}",
        ),
    ]


def compared_control_input() -> io.Input:
    """Control frames for a conditioning node, which only compares them with the video."""
    return io.Image.Input(
        "control_frames",
        optional=True,
        tooltip="The control frames of the video, which are only compared with it: a wrong number "
        "of control frames is an error before any model runs, and another size is said on the "
        "node. Connect the same frames to Apply ControlNeXt.",
    )


def guidance_inputs(
    guidance: float = 3.0,
    window: int = 25,
    *,
    start: str = GUIDANCE_START,
    end: str = GUIDANCE_END,
    trained: str = FCVG_WINDOW,
) -> list[io.Input]:
    """Widgets for guidance and windows, shared by the guiders and the all-in-one samplers.

    Args:
        guidance, window: defaults; FCVG's, if not given.
        start, end: tooltips of the guidance at both ends.
        trained: the part of a tooltip that says which window suits the model.
    """
    return [
        io.Float.Input(
            "min_guidance", default=guidance, **bounds.GUIDANCE.widget, step=0.1, tooltip=start
        ),
        io.Float.Input(
            "max_guidance", default=guidance, **bounds.GUIDANCE.widget, step=0.1, tooltip=end
        ),
        io.Int.Input(
            "window",
            default=window,
            **bounds.WINDOW.widget,
            tooltip="Number of frames that are sampled at once. A longer video is cut into "
            f"overlapping windows and needs only the memory of one window. {trained}",
        ),
        io.Int.Input(
            "overlap",
            default=6,
            **bounds.OVERLAP.widget,
            tooltip="Number of frames that neighbouring windows share; less than window. More "
            "frames join the windows more smoothly and take longer; 6 is a good value. Has no "
            "effect on a video of one window.",
        ),
    ]
