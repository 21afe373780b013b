"""Frames of finished clips: loops, clips in a row, another pace."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .messages import shows_log
from .newer import search_words, shows_results
from .widgets import check_linked, read_timing, timing_inputs

FRAMES = "The frames of a clip, one picture a frame, from Decode Frames or VAE Decode."
CLIP = "one picture a frame, from Decode Frames or from another Join Clips."


class TrimLoop(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_TrimLoop",
            display_name="Trim Loop",
            category="FCVG/frames",
            **search_words("dynamicrafter loop", "seamless loop", "drop last frame"),
            **shows_results(),
            description="Leaves out the last frame of a loop. The last frame shows the same "
            "picture as the first frame, and would make the loop stop for a moment whenever it "
            "begins again.",
            inputs=[
                io.Image.Input(
                    "frames",
                    tooltip="The frames of a clip that DynamiCrafter Conditioning has made with "
                    "mode loop, from Decode Frames or VAE Decode.",
                )
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames", tooltip="All frames but the last, for Create Video."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, frames) -> io.NodeOutput:
        from ..fcvg_core.sampling import trim_loop
        from .host.images import check_image

        frames = check_image(frames, "frames")
        return io.NodeOutput(frames[trim_loop(len(frames))])


class JoinClips(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_JoinClips",
            display_name="Join Clips",
            category="FCVG/frames",
            **search_words("dynamicrafter keyframes", "concatenate videos", "append frames"),
            **shows_results(),
            description="Puts two clips in a row. A picture that ends the first clip and begins "
            "the second clip is shown once. For more clips connect the result to another Join "
            "Clips.",
            inputs=[
                io.Image.Input("first_clip", tooltip=f"The clip that comes first, {CLIP}"),
                io.Image.Input(
                    "second_clip",
                    tooltip=f"The clip that follows, {CLIP} It must have the size of first_clip.",
                ),
                io.Boolean.Input(
                    "shares_frame",
                    default=True,
                    tooltip="Whether the second clip begins with the picture that the first clip "
                    "ends with, as clips between keyframes do. Its first frame is then left out.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames",
                    tooltip="The frames of both clips, for Create Video or another Join Clips.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, first_clip, second_clip, shares_frame: bool) -> io.NodeOutput:
        from .host.clips import join_frames
        from .host.images import check_image

        clips = {
            "first_clip": check_image(first_clip, "first_clip"),
            "second_clip": check_image(second_clip, "second_clip"),
        }
        return io.NodeOutput(join_frames(clips, shares_frame))


class RetimeFrames(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_RetimeFrames",
            display_name="Retime Frames",
            category="FCVG/frames",
            **search_words("dynamicrafter timing", "speed ramp", "slow motion", "time remap"),
            **shows_results(),
            description="Spreads the frames of a finished clip over another number of frames, with "
            "another pace: slow at the start, at the end, or as you like. No frame is painted or "
            "blended: some are shown twice, others not at all.",
            inputs=[
                io.Image.Input("frames", tooltip=FRAMES),
                io.Int.Input(
                    "num_frames",
                    default=16,
                    **bounds.FRAMES.widget,
                    tooltip="Number of frames of the result. The number of frames of the clip, "
                    "with timing uniform, changes nothing.",
                ),
                *timing_inputs("uniform"),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames", tooltip="The clip with the new pace, for Create Video."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, frames, num_frames: int, timing: str, custom_times: str) -> io.NodeOutput:
        from ..fcvg_core.sampling import spread_frames
        from ..fcvg_core.timeline import inbetween_times
        from .host.images import check_image

        check_linked("num_frames", num_frames, bounds.FRAMES)
        times = inbetween_times(num_frames, read_timing(timing, custom_times))
        frames = check_image(frames, "frames")
        return io.NodeOutput(frames[spread_frames(len(frames), times)])


NODES = [TrimLoop, JoinClips, RetimeFrames]
