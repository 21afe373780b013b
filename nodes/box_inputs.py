"""Widgets of the nodes that read, draw and save boxes."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .newer import rarely_changed
from .sockets import BoxTracksSocket
from .widgets import CUSTOM

MOST_PIXELS = 16384  # of a side
SIDE = (
    "in pixels of the picture that the boxes are of, for boxes in pixels. 0: as image has it. "
    "Boxes from Create Bounding Boxes are in pixels of its canvas."
)
BEHIND = (
    "The node shows it behind the boxes, and boxes in pixels take its size if width and height are "
    "0."
)
BOXES = "Boxes of every frame, from Box Track, Combine Box Tracks or Load Box Tracks."
BOXES_OUT = "The boxes of every frame, for SMCD Conditioning, Combine Box Tracks or Draw Boxes."


def boxes_input() -> io.Input:
    """The tracks of boxes."""
    return BoxTracksSocket.Input("boxes", tooltip=BOXES)


def boxes_output() -> io.Output:
    """The tracks of boxes."""
    return BoxTracksSocket.Output(display_name="boxes", tooltip=BOXES_OUT)


def label_input(more: str = "") -> io.Input:
    """What the object is.

    Args:
        more: one more sentence for the tooltip.
    """
    text = "The object in a few words, for example small brown dog: the model reads them."
    return io.String.Input("label", default="", tooltip=f"{text} {more}".rstrip())


def size_inputs() -> list[io.Input]:
    """The size of the picture that the boxes are of."""
    return [
        io.Int.Input(
            name,
            default=0,
            min=0,
            max=MOST_PIXELS,
            tooltip=f"{name.capitalize()} {SIDE}",
        )
        for name in ("width", "height")
    ]


def form_inputs(which: str) -> list[io.Input]:
    """What the numbers of a box mean.

    Args:
        which: the part of the tooltips that says which boxes have these numbers.
    """
    return [
        io.Combo.Input(
            "form",
            options=list(choices.BOX_FORMS),
            default=choices.XYXY,
            tooltip=f"The four numbers of a box {which}. xyxy: left, top, right, bottom. xywh: "
            "left, top, width, height.",
        ),
        io.Combo.Input(
            "units",
            options=list(choices.BOX_UNITS),
            default=choices.PIXELS,
            tooltip=f"The unit of the numbers {which}. pixels: of the picture, see width and "
            "height. 0..1: shares of the picture's width and height.",
        ),
    ]


def pace_inputs() -> list[io.Input]:
    """How boxes move where a frame has none of its own."""
    return [
        io.Combo.Input(
            "fill",
            options=list(choices.BOX_FILLS),
            default=choices.INTERPOLATED,
            tooltip="The box of a frame that has none of its own. interpolated: between the boxes "
            "before and after it. held: as the box before it.",
        ),
        io.Combo.Input(
            "timing",
            options=[*choices.TIMINGS[1:], CUSTOM],
            default=choices.TIMINGS[1],
            tooltip="Pace of the interpolated motion, from each key box to the next, or over the "
            "whole video for boxes without frame numbers. uniform: even. ease-in: slow at the "
            "start. ease-out: slow at the end. ease-in-out: slow at both ends. custom: the numbers "
            "in custom_times.",
        ),
        io.String.Input(
            "custom_times",
            default="0, 0.5, 1",
            **rarely_changed(),
            tooltip="Only for timing custom: the share of the way that is done (0 to 1) at even "
            "steps through the time. Two or more numbers: 0, 0.2, 1 is slow in the first half and "
            "fast in the second. Times from Curve gives them.",
        ),
    ]


def frames_input() -> io.Input:
    """The widget for the length of a video of SMCD."""
    return io.Int.Input(
        "num_frames",
        default=8,
        **bounds.FRAMES.widget,
        tooltip="Number of frames of the video. Set the same number in SMCD Conditioning. SMCD was "
        "trained on 8.",
    )


def picture_input(use: str) -> io.Input:
    """The picture that the boxes are of.

    Args:
        use: one more sentence for the tooltip.
    """
    return io.Image.Input(
        "image",
        optional=True,
        tooltip=f"The picture that the boxes are of, or the frames of a video. {use}",
    )
