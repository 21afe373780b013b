"""This pack's conditions for other video models, and exact keyframes in their videos."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .keyframe_widgets import keyframes_input, match_colors_input
from .messages import shows_log
from .newer import search_words, shows_results


class ControlForVace(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_ControlForVace",
            display_name="Control for VACE",
            category="FCVG/other models",
            **search_words("wan", "vace", "control video", "first last frame", "pose video"),
            **shows_results(),
            description="Gives control frames and keyframes in the form that WanVaceToVideo takes: "
            "the keyframes are kept (mask 0), and all frames between are painted (mask 1), guided "
            "by the control frames. VACE was trained on people in OpenPose's colours, not on "
            "FCVG's lines.",
            inputs=[
                io.Image.Input(
                    "control_frames",
                    tooltip="One picture for each frame of the video, for example from Interpolate "
                    "Conditions or Interpolate & Draw Poses, with colors openpose and pose_width "
                    "2. Wan's models make 4 * n + 1 frames: 17, 33, 49 or 81.",
                ),
                io.Image.Input(
                    "first_frame",
                    optional=True,
                    tooltip="The picture that the video begins with, cropped and resized to fit. "
                    "Without it VACE paints the first frame too.",
                ),
                io.Image.Input(
                    "last_frame",
                    optional=True,
                    tooltip="The picture that the video ends with, cropped and resized to fit. "
                    "Without it VACE paints the last frame too.",
                ),
                io.Int.Input(
                    "width",
                    default=832,
                    **bounds.WAN_SIZE.widget,
                    tooltip="Width of the video in pixels, a multiple of 16. Wan 2.1 was trained "
                    "at 832 x 480 and 1280 x 720.",
                ),
                io.Int.Input(
                    "height",
                    default=480,
                    **bounds.WAN_SIZE.widget,
                    tooltip="Height of the video in pixels, a multiple of 16. Wan 2.1 was trained "
                    "at 832 x 480 and 1280 x 720.",
                ),
                keyframes_input("They are kept as first_frame and last_frame are."),
            ],
            outputs=[
                io.Image.Output(
                    display_name="control_video",
                    tooltip="Control frames, with the keyframes in their places. For control_video "
                    "of WanVaceToVideo.",
                ),
                io.Mask.Output(
                    display_name="control_masks",
                    tooltip="A mask for each frame: 0 for keyframes, 1 for frames that are "
                    "painted. For control_masks of WanVaceToVideo.",
                ),
                io.Int.Output(display_name="width", tooltip="For width of WanVaceToVideo."),
                io.Int.Output(display_name="height", tooltip="For height of WanVaceToVideo."),
                io.Int.Output(
                    display_name="length",
                    tooltip="Number of frames, for length of WanVaceToVideo.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        control_frames,
        width: int,
        height: int,
        first_frame=None,
        last_frame=None,
        keyframes=None,
    ) -> io.NodeOutput:
        from .host.decoded import read_known
        from .host.images import check_image
        from .host.wan import vace_control

        control = check_image(control_frames, "control_frames")
        known = read_known(first_frame, last_frame, keyframes, len(control))
        video, masks = vace_control(control, known, (height, width))
        return io.NodeOutput(video, masks, width, height, len(video))


class PutKeyframesBack(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_PutKeyframesBack",
            display_name="Put Keyframes Back",
            category="FCVG/other models",
            **search_words("exact first frame", "exact last frame", "replace frames"),
            **shows_results(),
            description="Replaces frames of a decoded video by the keyframes themselves, pixel by "
            "pixel: for videos of models that only come near to them. Can bring the other frames "
            "to their colours. Decode Frames does the same for SVD and DynamiCrafter.",
            inputs=[
                io.Image.Input("frames", tooltip="The video, one picture a frame."),
                io.Image.Input(
                    "first_frame",
                    optional=True,
                    tooltip="Replaces the first frame, cropped and resized to fit.",
                ),
                io.Image.Input(
                    "last_frame",
                    optional=True,
                    tooltip="Replaces the last frame, cropped and resized to fit.",
                ),
                match_colors_input(),
                keyframes_input("They replace the frames at their places."),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames", tooltip="The video with the keyframes in their places."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls, frames, first_frame=None, last_frame=None, keyframes=None, match_colors: bool = False
    ) -> io.NodeOutput:
        from .host.decoded import check_ramp, put_back, read_known
        from .host.images import check_image

        video = check_image(frames, "frames").clone()
        known = read_known(first_frame, last_frame, keyframes, len(video))
        if match_colors:
            check_ramp(known, len(video))
        put_back(video, known, match_colors=match_colors)
        return io.NodeOutput(video)


NODES = [ControlForVace, PutKeyframesBack]
