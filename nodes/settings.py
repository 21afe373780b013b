"""Size, length and speed of the video, once for a whole graph."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .messages import shows_log
from .newer import search_words, shows_results
from .widgets import ALL_SIZES, check_linked, size_inputs


class VideoSettings(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_VideoSettings",
            display_name="Video Settings",
            category="FCVG/frames",
            **search_words("width", "height", "frame count", "length", "frame rate", "resolution"),
            **shows_results(),
            description="Size, length and playback speed of the video in one place: connect each "
            "output to every node that asks for this value, so that all nodes agree.",
            inputs=[
                *size_inputs(trained=ALL_SIZES),
                io.Int.Input(
                    "num_frames",
                    default=25,
                    **bounds.FRAMES.widget,
                    tooltip="Number of frames of the whole video, both keyframes included. FCVG "
                    "was trained on 25, DynamiCrafter on 16.",
                ),
                io.Float.Input(
                    "fps",
                    default=7.0,
                    min=1.0,
                    max=120.0,
                    step=1.0,
                    tooltip="Playback speed of the video file, in frames per second. FCVG uses "
                    "7, DynamiCrafter 8. The hints fps and fs of the conditioning nodes are other "
                    "values.",
                ),
            ],
            outputs=[
                io.Int.Output(
                    display_name="width",
                    tooltip="Width in pixels, for Crop & Resize, conditioning nodes and samplers.",
                ),
                io.Int.Output(
                    display_name="height",
                    tooltip="Height in pixels, for Crop & Resize, conditioning nodes and samplers.",
                ),
                io.Int.Output(
                    display_name="num_frames",
                    tooltip="Number of frames, for the nodes that draw control frames or a "
                    "preview, for FCVG Conditioning and FCVG Sampler.",
                ),
                io.Float.Output(
                    display_name="fps",
                    tooltip="Frames per second, for Create Video and Preview Motion.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, width: int, height: int, num_frames: int, fps: float) -> io.NodeOutput:
        from ..fcvg_core.models.svd import check_size

        check_size(height, width)  # a value of a link passes the limits of the widget
        check_linked("num_frames", num_frames, bounds.FRAMES)
        check_linked("fps", fps, bounds.FILE_FPS)
        return io.NodeOutput(width, height, num_frames, fps)


NODES = [VideoSettings]
