"""Lines, people and paths between keyframes, drawn together as control frames."""

from comfy_api.latest import io

from ..fcvg_core import choices
from .keyframe_widgets import keyframes_input, motion_input, paths_input
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
            "line_matches, both poses, or all three; or a motion, which may lead over several "
            "keyframes. The node plays the motion in thick lines.",
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
                motion_input(),
                paths_input(),
                keyframes_input("Without them the keyframes of a motion are spread evenly."),
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
        motion=None,
        paths=None,
        keyframes=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.control import ControlFrameSettings, draw_motion
        from ..fcvg_core.frames import to_image
        from ..fcvg_core.pose import STYLES
        from .host.control_preview import Background, show_motion
        from .host.keyframes import place_frames
        from .host.motion import collect_motion, track_inputs

        settings = ControlFrameSettings(
            num_frames=num_frames,
            timing=read_timing(timing, custom_times),
            line_width=line_width,
            seed=color_seed,
            pose_style=STYLES[choices.FCVG_STYLE].scaled(pose_width).colored(colors),
            missing_joints=missing_joints,
            missing_people=missing_people,
        )
        times = place_frames(keyframes, num_frames, settings.timing)
        background = Background.read(first_frame, last_frame, times, keyframes)
        moving = collect_motion(motion, line_matches, (first_pose, last_pose), paths, first_frame)
        track = track_inputs(moving, keyframes, settings)
        frames = draw_motion(track, settings)
        shown = show_motion(track, settings, background)
        return io.NodeOutput(to_image(frames), ui=shown)


NODES = [InterpolateConditions]
