"""Widgets of the nodes that match lines."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .newer import rarely_changed
from .sockets import GlueStickSocket


def matcher_inputs() -> list[io.Input]:
    """GlueStick, and the widgets of the search for lines and of their matching."""
    return [
        max_lines_input(
            "Maximum number of line segments per frame; the strongest are kept. FCVG uses 300; "
            "frames full of detail need 500 to 1000."
        ),
        min_length_input(
            "Minimum length of a line segment in pixels; shorter segments are left out. FCVG uses "
            "15; 8 to 10 finds more lines in small frames."
        ),
        GlueStickSocket.Input(
            "gluestick",
            optional=True,
            tooltip="GlueStick, from Load GlueStick. Without it, lines are matched by "
            "SIFT, homographies and optical flow, which need no model files.",
        ),
        *_gluestick_inputs(),
    ]


def _gluestick_inputs() -> list[io.Input]:
    """Widgets that have an effect only if GlueStick is connected."""
    return [
        io.Int.Input(
            "max_keypoints",
            default=1000,
            **bounds.MAX_KEYPOINTS.widget,
            **rarely_changed(),
            tooltip="Only with GlueStick: maximum number of keypoints per frame. Keypoints "
            "help to tell similar lines apart. FCVG uses 1000.",
        ),
        io.Float.Input(
            "match_threshold",
            default=0.2,
            **bounds.SHARE.widget,
            step=0.01,
            **rarely_changed(),
            tooltip="Only with GlueStick: minimum probability of a match. Lower values "
            "give more matches, higher values fewer and surer ones. GlueStick uses 0.2.",
        ),
        detector_input(
            "Only with GlueStick: the detector of line segments. opencv is always there and finds "
            "nearly the same segments as pytlsd, the paper's detector, which must be installed "
            "(Python 3.11 or older)."
        ),
    ]


def max_lines_input(tooltip: str) -> io.Input:
    """How many lines are found in a frame at most."""
    return io.Int.Input("max_lines", default=300, **bounds.MAX_LINES.widget, tooltip=tooltip)


def min_length_input(tooltip: str) -> io.Input:
    """How long a line is at least."""
    return io.Float.Input(
        "min_length", default=15.0, min=1.0, max=1000.0, step=1.0, tooltip=tooltip
    )


def detector_input(tooltip: str) -> io.Input:
    """The detector of lines."""
    return io.Combo.Input(
        "detector",
        options=list(choices.LINE_DETECTORS),
        default=choices.LINE_DETECTORS[0],
        **rarely_changed(),
        tooltip=tooltip,
    )


def show_ids_input() -> io.Input:
    """The widget for numbers in the preview."""
    return io.Boolean.Input(
        "show_ids",
        default=False,
        optional=True,
        tooltip="Write the number of each match beside its lines in the preview. Saved line "
        "matches have the same numbers, as id.",
    )
