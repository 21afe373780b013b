"""The keyframes' own pixels, moved along the lines and people: a video without any model."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .keyframe_widgets import keyframes_input, motion_input, paths_input
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import LineMatchesSocket, PoseKeypointSocket
from .widgets import (
    FIRST_POSE,
    LAST_POSE,
    LINE_MATCHES,
    check_linked,
    num_frames_input,
    read_timing,
    timing_inputs,
)


class PreviewMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_PreviewMotion",
            display_name="Preview Motion",
            category="FCVG/frames",
            **search_words("morph", "warp", "tween", "frame interpolation", "animatic"),
            **shows_results(),
            description="Moves the pixels of the keyframes along the lines, the people and the "
            "paths, blends them, and plays the result on the node: the motion of the video in "
            "seconds, without any model. Connect line_matches, both poses, or all three; or a "
            "motion, which may lead over several keyframes.",
            is_output_node=True,
            inputs=[
                io.Image.Input(
                    "first_frame",
                    tooltip="The picture that the video begins with. Of a batch the first picture "
                    "is used.",
                ),
                io.Image.Input(
                    "last_frame",
                    tooltip="The picture that the video ends with. It is cropped and resized to "
                    "the size of first_frame; of a batch the first picture is used.",
                ),
                LineMatchesSocket.Input(
                    "line_matches",
                    optional=True,
                    tooltip=f"{LINE_MATCHES} They must be of these keyframes.",
                ),
                PoseKeypointSocket.Input(
                    "first_pose", optional=True, tooltip=f"{FIRST_POSE} Needs last_pose."
                ),
                PoseKeypointSocket.Input(
                    "last_pose", optional=True, tooltip=f"{LAST_POSE} Needs first_pose."
                ),
                num_frames_input(),
                *timing_inputs(),
                io.Float.Input(
                    "fps",
                    default=7.0,
                    min=1.0,
                    max=60.0,
                    step=1.0,
                    tooltip="Speed at which the node plays the preview, in frames per second. It "
                    "changes nothing in the frames; the speed of a video file is set in Create "
                    "Video.",
                ),
                motion_input(),
                paths_input(),
                keyframes_input("They are cropped and resized to the size of first_frame."),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames",
                    tooltip="The preview, one picture for each frame of the video, in the size of "
                    "first_frame. The first frame, the last and those between that are keyframes "
                    "are the keyframes' own pictures.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        first_frame,
        last_frame,
        num_frames: int,
        timing: str,
        custom_times: str,
        fps: float,
        line_matches=None,
        first_pose=None,
        last_pose=None,
        motion=None,
        paths=None,
        keyframes=None,
    ) -> io.NodeOutput:
        from ..fcvg_core.frames import to_image, to_uint8
        from ..fcvg_core.warp import preview_keyframes
        from .host.animation import show_animation
        from .host.fitting import fit_pictures
        from .host.images import first_picture
        from .host.keyframes import name_pictures
        from .host.motion_preview import collect_moving, place_pictures, put_pictures_back
        from .host.progress import report_progress

        check_linked("fps", fps, bounds.FILE_FPS)
        first = first_picture(first_frame, "first_frame")
        size = tuple(first.shape[1:3])
        named = name_pictures(first, keyframes, first_picture(last_frame, "last_frame"))
        poses = first_pose, last_pose
        moving = collect_moving(motion, line_matches, poses, paths, size, len(named) - 1)
        at = place_pictures(moving, keyframes, num_frames)
        pace = read_timing(timing, custom_times)
        pictures = [fit_pictures(image, size, name)[0] for name, image in named.items()]
        keys = [to_uint8(picture) for picture in pictures]
        frames = preview_keyframes(keys, at, pace, moving, progress=report_progress())
        images = to_image(frames)
        put_pictures_back(images, pictures, at, pace, moving)
        return io.NodeOutput(images, ui=show_animation(frames, fps))


NODES = [PreviewMotion]
