"""A driving video: the frames that are used, and the sound that belongs to them."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .messages import shows_log
from .newer import search_words, shows_results

LONGEST = 10_000.0  # seconds
STEP = 0.05  # seconds


class DrivingVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DrivingVideo",
            display_name="Driving Video",
            category="FCVG/frames",
            **search_words(
                "get video components",
                "trim video",
                "select every nth frame",
                "skip first frames",
                "frame load cap",
                "audio",
            ),
            **shows_results(),
            description="Takes every n-th frame of a part of a video, with the sound and the frame "
            "rate that belong to these frames. Only these frames are in memory.",
            inputs=[
                io.Video.Input("video", tooltip="A video, from Load Video."),
                io.Float.Input(
                    "start_time",
                    default=0.0,
                    min=0.0,
                    max=LONGEST,
                    step=STEP,
                    tooltip="Where the part begins, in seconds from the beginning of the video.",
                ),
                io.Float.Input(
                    "end_time",
                    default=0.0,
                    min=0.0,
                    max=LONGEST,
                    step=STEP,
                    tooltip="Where the part ends, in seconds from the beginning of the video; 0 is "
                    "the end of the video.",
                ),
                io.Int.Input(
                    "select_every_nth",
                    default=2,
                    **bounds.STRIDE.widget,
                    tooltip="1 takes every frame of the part, 2 every second frame. "
                    "ControlNeXt-SVD's authors use 2. The result plays at the same speed as the "
                    "video if the output fps is connected to Create Video.",
                ),
                io.Int.Input(
                    "frame_load_cap",
                    default=240,
                    min=1,
                    max=bounds.ANIMATION_FRAMES.maximum,
                    tooltip="Largest number of frames to take. More frames need more memory and "
                    "more time for sampling.",
                ),
                io.Boolean.Input(
                    "reference_first",
                    default=True,
                    tooltip="Whether the animation begins with the pose of the reference picture, "
                    "as reference_first of Align Poses to Reference says. The sound then begins "
                    "one frame later, so that it stays in time with the frames of the video.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="images", tooltip="The frames, for Extract Poses, in RGB."
                ),
                io.Audio.Output(
                    display_name="audio",
                    tooltip="The sound of the frames, for audio of Create Video; nothing if the "
                    "video has no sound.",
                ),
                io.Float.Output(
                    display_name="fps",
                    tooltip="Frames per second of the frames that are taken, for fps of Create "
                    "Video.",
                ),
                io.Int.Output(
                    display_name="frame_count", tooltip="Number of frames that are taken."
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        video,
        start_time: float,
        end_time: float,
        select_every_nth: int,
        frame_load_cap: int,
        reference_first: bool,
    ) -> io.NodeOutput:
        from .host.video import VideoPart, read_part

        part = VideoPart(
            start=start_time,
            end=end_time or LONGEST,
            stride=select_every_nth,
            max_frames=frame_load_cap,
        )
        clip = read_part(video, part)
        audio = clip.audio_after_silence(1 / clip.fps if reference_first else 0.0)
        return io.NodeOutput(clip.images, audio, clip.fps, len(clip.images))


NODES = [DrivingVideo]
