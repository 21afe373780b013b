"""Lines and people of both keyframes, drawn together as control frames."""

from comfy_api.latest import io

from ..fcvg_core import choices
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import LineMatchesSocket, PoseKeypointSocket
from .widgets import (
    FIRST_POSE,
    LAST_POSE,
    LINE_MATCHES,
    background_inputs,
    line_inputs,
    num_frames_input,
    pose_colors_input,
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
            **search_words(
                "tween", "morph", "condition frames", "control frames", "motion", "openpose"
            ),
            **shows_results(),
            description="Draws lines and people together, as they move from the first keyframe to "
            "the last: the control frames of FCVG, and the node for most graphs. Draw Inbetween "
            "Lines draws lines alone, Interpolate & Draw Poses draws people alone. Connect "
            "line_matches, both poses, or all three. The node plays the motion in thick lines.",
            is_output_node=True,  # it plays the motion, whatever is connected
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
                pose_colors_input(),
                *background_inputs(),
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
        colors: str = choices.FCVG_COLORS,
        first_frame=None,
        last_frame=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import ControlFrameSettings, draw_inbetween
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import STYLES
        from ..fcvg_core.timeline import inbetween_times
        from .host.control_preview import Background, show_inbetween
        from .host.poses import drawn_size, keyframe_frames, keyframe_people

        chosen = read_timing(timing, custom_times)
        background = Background.read(first_frame, last_frame, inbetween_times(num_frames, chosen))
        keyframes = people = None
        if first_pose is not None or last_pose is not None:
            keyframes = keyframe_frames(first_pose, last_pose)
        elif line_matches is None:
            raise ValueError("Nothing is connected: give line_matches, both poses, or all three.")
        settings = ControlFrameSettings(
            num_frames=num_frames,
            timing=chosen,
            line_width=line_width,
            seed=color_seed,
            pose_style=STYLES[choices.FCVG_STYLE].scaled(pose_width).colored(colors),
            missing_joints=missing_joints,
            missing_people=missing_people,
        )
        size = drawn_size(keyframes) if line_matches is None else line_matches.size
        if keyframes is not None:
            people = keyframe_people(keyframes, size)
        frames = draw_inbetween(line_matches, people, size, settings)
        shown = show_inbetween(line_matches, people, size, settings, background)
        return io.NodeOutput(to_image(frames), ui=shown)


NODES = [InterpolateConditions]
