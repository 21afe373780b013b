"""The keyframes' own pixels, moved along the lines and people: a video without any model."""

from comfy_api.latest import io

from ..fcvg_core import bounds
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
            description="Moves the pixels of both keyframes along the lines and the people, blends "
            "them, and plays the result on the node: the motion of the video in seconds, without "
            "any model.",
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
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames",
                    tooltip="The preview, one picture for each frame of the video, in the size of "
                    "first_frame. The first frame and the last are the keyframes.",
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
    ) -> io.NodeOutput:
        import torch

        from ..fcvg_core.frames import to_image, to_uint8
        from ..fcvg_core.timeline import inbetween_times
        from ..fcvg_core.warp import preview_motion
        from .host.animation import show_animation
        from .host.fitting import fit_pictures
        from .host.images import first_picture
        from .host.poses import keyframe_frames, keyframe_people
        from .host.progress import report_progress

        check_linked("fps", fps, bounds.FILE_FPS)
        first = first_picture(first_frame, "first_frame")
        size = tuple(first.shape[1:3])
        _check_matches(line_matches, size)
        last = fit_pictures(first_picture(last_frame, "last_frame"), size, "last_frame")
        ends = first[0], last[0]
        people = None
        if first_pose is not None or last_pose is not None:
            people = keyframe_people(keyframe_frames(first_pose, last_pose), size)
        times = inbetween_times(num_frames, read_timing(timing, custom_times))
        frames = preview_motion(
            (to_uint8(ends[0]), to_uint8(ends[1])),
            times,
            matches=line_matches,
            people=people,
            progress=report_progress(),
        )
        images = to_image(frames)
        still = torch.equal(*ends)
        for i, time in enumerate([0.0, *times.tolist()[1:-1], 1.0]):
            if still or time in (0.0, 1.0):
                # As exact as it came in: a keyframe may have more than 8 bits.
                images[i] = ends[round(time)]
        return io.NodeOutput(images, ui=show_animation(frames, fps))


def _check_matches(matches, size: tuple[int, int]) -> None:
    """Raise ValueError unless matches are of pictures of a size (height, width)."""
    if matches is not None and tuple(matches.size) != size:
        raise ValueError(
            f"line_matches are of pictures of {matches.size[1]} x {matches.size[0]} pixels, but "
            f"first_frame has {size[1]} x {size[0]}: connect the same pictures to Match Lines and "
            "to Preview Motion, both from Crop & Resize."
        )


NODES = [PreviewMotion]
