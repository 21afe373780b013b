"""Lines and poses together, and what both have in common: the timing of their motion."""

import logging

import numpy as np
from comfy_api.latest import io

from ..fcvg_core import bounds
from .newer import rarely_changed, search_words
from .sockets import LineMatchesSocket, PoseKeypointSocket
from .widgets import (
    COLOR_SEED,
    FIRST_POSE,
    LAST_POSE,
    LINE_MATCHES,
    LINE_WIDTH,
    NUM_FRAMES,
    pose_inputs,
    read_times,
    timing_inputs,
)


def list_poses(name: str, value: list | tuple | dict | str) -> list[dict]:
    """The frames of a POSE_KEYPOINT, one at least.

    Args:
        name: of the input, for messages.
        value: a list of frames; a single frame, or the text of either, is taken as well.

    Raises:
        ValueError: there is none.
    """
    if isinstance(value, str):
        from ..fcvg_core.json_text import parse_json

        try:
            value = parse_json(value)
        except ValueError as error:
            raise ValueError(f"{name} is text, but no JSON: {error}.") from error
    frames = list(value) if isinstance(value, (list, tuple)) else [value]
    if not frames:
        raise ValueError(f"{name} is an empty list: expected the poses of an image.")
    return frames


def keyframe_poses(first_pose, last_pose) -> list[dict]:
    """The frames of both keyframes: of several images the first one's, and the last one's."""
    return [list_poses("first_pose", first_pose)[0], list_poses("last_pose", last_pose)[-1]]


def pose_size(frames: list[dict], *, height: int = 0, width: int = 0) -> tuple[int, int]:
    """(height, width) of the pictures: what is asked for, else that of the first canvas.

    Raises:
        ValueError: nothing tells the size, or a frame is not in OpenPose's form.
    """
    from ..fcvg_core.pose import canvas_size

    canvas = next(filter(None, map(canvas_size, frames)), (0, 0))
    size = (height or canvas[0], width or canvas[1])
    if 0 in size:
        raise ValueError(
            "The poses do not say how large their canvas is (canvas_width and canvas_height): "
            "connect line matches, or use Interpolate & Draw Poses with a width and a height."
        )
    return size


def drawn_size(frames: list[dict], *, height: int = 0, width: int = 0) -> tuple[int, int]:
    """The size of pictures that poses are drawn on: `pose_size`, within the bounds of a video.

    Raises:
        ValueError: nothing tells the size, or a canvas is too large for a video.
    """
    size, largest = pose_size(frames, height=height, width=width), bounds.SIZE.maximum
    for asked, length in zip((height, width), size, strict=True):
        if not asked and length > largest:
            raise ValueError(
                f"The poses' canvas has {size[1]} x {size[0]} pixels, and frames of a video at "
                f"most {largest} x {largest}: extract the poses from a smaller picture, or use "
                "Interpolate & Draw Poses with a width and a height."
            )
    return size


def warn_of_stretch(frames: list[dict], size: tuple[int, int]) -> None:
    """Say which canvases are of another shape than the pictures, (height, width)."""
    from ..fcvg_core.pose import canvas_size, is_stretched

    for canvas in filter(None, map(canvas_size, frames)):
        if is_stretched(canvas, size):
            logging.warning(
                "Poses of a canvas of %d x %d are stretched to %d x %d.", *canvas[::-1], *size[::-1]
            )


def draw_moving_people(
    keyframes: list[dict],
    times,
    size: tuple[int, int],
    *,
    style: str,
    missing_joints: str,
    missing_people: str,
    pose_width: float,
) -> tuple:
    """Poses of every frame, and frames uint8 [T, H, W, 3] that show them."""
    from ..fcvg_core.pose import STYLES, draw_poses, from_openpose, interpolate_poses

    if style not in STYLES:
        raise ValueError(f"There is no style {style!r}; it is one of {', '.join(STYLES)}.")
    warn_of_stretch(keyframes, size)
    track = interpolate_poses(
        *(
            from_openpose(frame, size=size, name=name)
            for name, frame in zip(("first_pose", "last_pose"), keyframes, strict=True)
        ),
        times,
        missing_joints=missing_joints,
        missing_people=missing_people,
    )
    return track, draw_poses(track, size, style=STYLES[style].scaled(pose_width))


class InterpolateConditions(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_InterpolateConditions",
            display_name="Interpolate Conditions",
            category="FCVG/control frames",
            **search_words("tween", "condition frames", "control frames", "motion", "openpose"),
            description="Draws the lines and the people of both keyframes as they move from the "
            "first keyframe to the last: the control frames of FCVG. Connect line_matches, both "
            "poses, or all three.",
            inputs=[
                LineMatchesSocket.Input("line_matches", optional=True, tooltip=LINE_MATCHES),
                PoseKeypointSocket.Input(
                    "first_pose", optional=True, tooltip=f"{FIRST_POSE} Needs last_pose."
                ),
                PoseKeypointSocket.Input(
                    "last_pose", optional=True, tooltip=f"{LAST_POSE} Needs first_pose."
                ),
                io.Int.Input("num_frames", default=25, **bounds.FRAMES.widget, tooltip=NUM_FRAMES),
                io.Int.Input(
                    "line_width", default=1, **bounds.LINE_WIDTH.widget, tooltip=LINE_WIDTH
                ),
                io.Int.Input(
                    "color_seed",
                    default=0,
                    **bounds.COLOR_SEED.widget,
                    **rarely_changed(),
                    tooltip=COLOR_SEED,
                ),
                *timing_inputs(),
                *pose_inputs(),
            ],
            outputs=[
                io.Image.Output(
                    display_name="control_frames",
                    tooltip="One picture for each frame of the video: people over lines, on black. "
                    "Its size is that of the matched keyframes, or else that of the poses.",
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        num_frames: int,
        line_width: int,
        color_seed: int,
        timing: str,
        custom_times: str,
        line_matches=None,
        first_pose=None,
        last_pose=None,
        **pose_choices,
    ) -> io.NodeOutput:
        from ..fcvg_core.frames import overlay, to_image
        from ..fcvg_core.lines import draw_lines, interpolate_lines

        if (first_pose is None) != (last_pose is None):
            raise ValueError("Poses of only one keyframe: connect first_pose and last_pose.")
        if line_matches is None and first_pose is None:
            raise ValueError("Nothing is connected: give line_matches, both poses, or all three.")
        times = read_times(num_frames, timing, custom_times)
        frames, size = None, line_matches and line_matches.size
        if line_matches is not None:
            track = interpolate_lines(line_matches, times)
            frames = draw_lines(track, size, line_width=line_width, seed=color_seed)
        if first_pose is not None:
            keyframes = keyframe_poses(first_pose, last_pose)
            size = size or drawn_size(keyframes)
            _, people = draw_moving_people(keyframes, times, size, style="fcvg", **pose_choices)
            frames = people if frames is None else overlay(frames, people)
        _warn_of_black(frames)
        return io.NodeOutput(to_image(frames))


def _warn_of_black(frames: np.ndarray) -> None:
    if not frames.any():
        logging.warning("No line matches and nobody is drawn: nothing steers the video.")


NODES = [InterpolateConditions]
