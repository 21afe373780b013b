"""Inputs for more than two keyframes and for their motion; graphs of older releases lack them."""

from comfy_api.latest import io

from .sockets import KeyframesSocket, MotionSocket, PathsSocket


def keyframes_input(use: str = "") -> io.Input:
    """The keyframes between the first and the last.

    Args:
        use: one more sentence for the tooltip.
    """
    text = (
        "More keyframes between first_frame and last_frame, from Keyframe or Keyframes from "
        "Batch. Connect the same keyframes to every node that asks for them."
    )
    return KeyframesSocket.Input("keyframes", optional=True, tooltip=f"{text} {use}".rstrip())


def motion_input() -> io.Input:
    """All that moves, in the place of matched lines and poses."""
    return MotionSocket.Input(
        "motion",
        optional=True,
        tooltip="All that moves, from Match Keyframes, Edit Motion, Camera Move or Join Motions. "
        "Takes the place of line_matches, first_pose and last_pose.",
    )


def paths_input() -> io.Input:
    """Points that move along curves."""
    return PathsSocket.Input(
        "paths",
        optional=True,
        tooltip="Points that move along curves of their own. With a motion, it must be one between "
        "two keyframes.",
    )


def match_colors_input() -> io.Input:
    """Whether the colours of all frames follow those of the keyframes."""
    return io.Boolean.Input(
        "match_colors",
        default=False,
        optional=True,
        tooltip="Brings the colours of each frame to an even ramp from keyframe to keyframe: mean "
        "and contrast of red, green and blue, in linear light. So the colours neither jump at the "
        "keyframes nor flicker between. Needs first_frame and last_frame. Leave it off if the "
        "light should change unevenly, as in a flash, or if something large appears only between "
        "the keyframes.",
    )
