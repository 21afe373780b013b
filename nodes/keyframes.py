"""More than two keyframes: where they stand in the video, and what moves between them."""

from comfy_api.latest import io, ui

from ..fcvg_core import bounds
from .keyframe_widgets import keyframes_input
from .line_widgets import matcher_inputs, show_ids_input
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import DWPoseSocket, KeyframesSocket, MotionSocket
from .widgets import FIRST_FRAME, check_linked

FOR_NODES = (
    "for Match Keyframes, Interpolate Conditions, Preview Motion, FCVG Conditioning, FCVG Sampler "
    "and Decode Frames."
)
# The frame of a keyframe: there are 4 frames or more from the first frame to it, and from it to the
# last frame.
FRAME = bounds.Bounds(3, bounds.FRAMES.maximum - 4)
MOTION = "All that moves, for Interpolate Conditions, Preview Motion or Join Motions."


class AddKeyframe(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_Keyframe",
            display_name="Keyframe",
            category="FCVG/motion",
            **search_words("middle frame", "several keyframes", "key pose", "storyboard"),
            **shows_results(),
            description="Puts a picture at a frame between the first and the last frame of the "
            "video. For more keyframes connect the result to another Keyframe, in any order.",
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="The picture. It is cropped and resized to the size of the video; of a "
                    "batch the first picture is used.",
                ),
                io.Int.Input(
                    "frame",
                    default=24,
                    **FRAME.widget,
                    tooltip="The frame of the video that shows the picture. The first frame of the "
                    "video is 0. From one keyframe to the next there are at least 4 frames, both "
                    "included; FCVG was trained on 25, so put keyframes at 24, 48, 72.",
                ),
                KeyframesSocket.Input(
                    "keyframes",
                    optional=True,
                    tooltip="Other keyframes, from another Keyframe. The picture is added to them.",
                ),
            ],
            outputs=[
                KeyframesSocket.Output(
                    display_name="keyframes",
                    tooltip=f"The keyframes between the first and the last frame, {FOR_NODES}",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, image, frame: int, keyframes=None) -> io.NodeOutput:
        from .host.images import first_picture
        from .host.keyframes import NO_KEYFRAMES

        check_linked("frame", frame, FRAME)
        added = (keyframes or NO_KEYFRAMES).add(first_picture(image, "image"), frame)
        return io.NodeOutput(added)


class KeyframesFromBatch(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_KeyframesFromBatch",
            display_name="Keyframes from Batch",
            category="FCVG/motion",
            **search_words("several keyframes", "image batch", "storyboard"),
            **shows_results(),
            description="Spreads the pictures of a batch over a video: the first picture begins "
            "the video, the last picture ends it, and the others are keyframes between them.",
            inputs=[
                io.Image.Input("images", tooltip="Two pictures or more, in the order of time."),
                io.String.Input(
                    "frames",
                    default="",
                    tooltip="The frame of each picture, from 0 on, for example 0, 24, 60. Empty: "
                    "0, 24, 48 and so on, so that FCVG paints 25 frames from each keyframe to the "
                    "next, both included, as it was trained.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="first_frame", tooltip="The picture that the video begins with."
                ),
                io.Image.Output(
                    display_name="last_frame", tooltip="The picture that the video ends with."
                ),
                KeyframesSocket.Output(
                    display_name="keyframes", tooltip=f"The pictures between them, {FOR_NODES}"
                ),
                io.Int.Output(
                    display_name="num_frames",
                    tooltip="Number of frames of the whole video, for every node that asks for it.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, images, frames: str) -> io.NodeOutput:
        from .host.images import check_image
        from .host.keyframes import Keyframes, place_batch

        images = check_image(images, "images")
        at = place_batch(frames, len(images))
        pictures = images.split(1)
        keyframes = Keyframes(pictures[1:-1], at[1:-1])
        return io.NodeOutput(pictures[0], pictures[-1], keyframes, at[-1] + 1)


class MatchKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_MatchKeyframes",
            display_name="Match Keyframes",
            category="FCVG/motion",
            **search_words("match lines", "gluestick", "several keyframes", "dwpose"),
            **shows_results(),
            description="Finds what moves between all keyframes: lines as in Match Lines, between "
            "each two neighbouring keyframes, and people if DWPose is connected.",
            inputs=[
                io.Image.Input("first_frame", tooltip=f"{FIRST_FRAME} At least 64 pixels a side."),
                io.Image.Input(
                    "last_frame",
                    tooltip="The picture that the video ends with. It is cropped and resized to "
                    "the size of first_frame; of a batch the first picture is used.",
                ),
                *matcher_inputs(),
                show_ids_input(),
                keyframes_input(),
                DWPoseSocket.Input(
                    "dwpose",
                    optional=True,
                    tooltip="DWPose, from Load DWPose. Without DWPose only lines move.",
                ),
            ],
            outputs=[
                MotionSocket.Output(display_name="motion", tooltip=MOTION),
                io.Image.Output(
                    display_name="preview",
                    tooltip="A picture for each two neighbouring keyframes, side by side. The two "
                    "lines of a match have one colour.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        first_frame,
        last_frame,
        gluestick=None,
        show_ids: bool = False,
        keyframes=None,
        dwpose=None,
        **matcher,
    ) -> io.NodeOutput:
        from ..fcvg_core.frames import to_image
        from .host.images import first_picture
        from .host.keyframes import name_pictures
        from .host.line_matching import MatcherSettings
        from .host.motion import draw_found, find_motion

        pictures = name_pictures(
            first_picture(first_frame, "first_frame"),
            keyframes,
            first_picture(last_frame, "last_frame"),
        )
        frames, motion = find_motion(pictures, gluestick, MatcherSettings(**matcher), dwpose)
        preview = to_image(draw_found(frames, motion, show_ids=show_ids))
        return io.NodeOutput(motion, preview, ui=ui.PreviewImage(preview))


class JoinMotions(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_JoinMotions",
            display_name="Join Motions",
            category="FCVG/motion",
            **search_words("several keyframes", "chain motions", "concatenate"),
            **shows_results(),
            description="Puts two motions in a row: what moves from A to B, then what moves from B "
            "to C. A line that goes on is one line. For more motions connect the result to another "
            "Join Motions.",
            inputs=[
                MotionSocket.Input(
                    "first_motion",
                    tooltip="What moves first, from Edit Motion, Match Keyframes or another Join "
                    "Motions.",
                ),
                MotionSocket.Input(
                    "second_motion",
                    tooltip="What moves then. It begins with the keyframe that first_motion ends "
                    "with, and its keyframes have the same size.",
                ),
            ],
            outputs=[MotionSocket.Output(display_name="motion", tooltip=MOTION)],
        )

    @classmethod
    @shows_log
    def execute(cls, first_motion, second_motion) -> io.NodeOutput:
        from ..fcvg_core.motion import join_motions

        return io.NodeOutput(join_motions([first_motion, second_motion]))


NODES = [AddKeyframe, KeyframesFromBatch, MatchKeyframes, JoinMotions]
