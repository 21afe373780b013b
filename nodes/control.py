"""Lines and people of both keyframes, drawn together as control frames."""

from comfy_api.latest import io

from ..fcvg_core import choices
from .messages import shows_log
from .newer import search_words
from .sockets import LineMatchesSocket, PoseKeypointSocket
from .widgets import (
    FIRST_POSE,
    LAST_POSE,
    LINE_MATCHES,
    line_inputs,
    num_frames_input,
    pose_inputs,
    read_timing,
    timing_inputs,
)


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
                num_frames_input(),
                *line_inputs(),
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
    @shows_log
    def execute(
        cls,
        num_frames: int,
        line_width: int,
        color_seed: int,
        timing: str,
        custom_times: str,
        missing_joints: str,
        missing_people: str,
        pose_width: float,
        line_matches=None,
        first_pose=None,
        last_pose=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import ControlFrameSettings, draw_inbetween
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import STYLES
        from .host.poses import drawn_size, keyframe_frames, keyframe_people

        keyframes = people = None
        if first_pose is not None or last_pose is not None:
            keyframes = keyframe_frames(first_pose, last_pose)
        elif line_matches is None:
            raise ValueError("Nothing is connected: give line_matches, both poses, or all three.")
        settings = ControlFrameSettings(
            num_frames=num_frames,
            timing=read_timing(timing, custom_times),
            line_width=line_width,
            seed=color_seed,
            pose_style=STYLES[choices.FCVG_STYLE].scaled(pose_width),
            missing_joints=missing_joints,
            missing_people=missing_people,
        )
        size = drawn_size(keyframes) if line_matches is None else line_matches.size
        if keyframes is not None:
            people = keyframe_people(keyframes, size)
        return io.NodeOutput(to_image(draw_inbetween(line_matches, people, size, settings)))


NODES = [InterpolateConditions]
