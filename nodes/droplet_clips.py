"""Clips of DropletVideo: picture and FPS of a video, its noise levels, its frames, its motion."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from ..fcvg_core.models.dropletvideo import rules
from .messages import shows_log
from .newer import rarely_changed, search_words, shows_results
from .widgets import check_linked

SIZE = (
    "of the video in pixels, a multiple of 16. DropletVideo was trained from 512 x 512 to 1120 x "
    "640 and 896 x 896; 672 x 384 is the official default. For any other size connect a node "
    "that gives the number, and switch pad_to_16 on."
)
HEIGHT, WIDTH = rules.SIZE
MOVING_FRAMES = bounds.Bounds(rules.FEWEST_FRAMES, bounds.DROPLET_FRAMES.maximum)
ANY_SIDE = bounds.Bounds(0, bounds.DROPLET_SIZE.maximum)  # pixels of a decoded frame; 0: all


class ConditionDroplet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DropletVideoConditioning",
            display_name="DropletVideo Conditioning",
            category="FCVG/conditioning",
            **search_words("image to video", "i2v", "motion strength", "fps", "first last frame"),
            **shows_results(),
            description="Animates a picture by a prompt, with as much motion as FPS says "
            "(DropletVideo): adds the picture and FPS to the prompts, and makes an empty video of "
            "the chosen size.",
            inputs=[
                io.Conditioning.Input(
                    "positive", tooltip="The prompt: positive of DropletVideo Text Encode."
                ),
                io.Conditioning.Input(
                    "negative", tooltip="The negative prompt: negative of DropletVideo Text Encode."
                ),
                io.Vae.Input(
                    "vae", tooltip="The VAE, from Load DropletVideo or Load DropletVideo VAE."
                ),
                io.Image.Input(
                    "image",
                    tooltip="The picture that the video begins with, of any size; of a batch the "
                    "first picture is used.",
                ),
                io.Int.Input(
                    "width",
                    default=WIDTH,
                    **bounds.DROPLET_SIZE.widget,
                    tooltip=f"Width {SIZE}",
                ),
                io.Int.Input(
                    "height",
                    default=HEIGHT,
                    **bounds.DROPLET_SIZE.widget,
                    tooltip=f"Height {SIZE}",
                ),
                io.Int.Input(
                    "num_frames",
                    default=rules.FRAMES,
                    **bounds.DROPLET_FRAMES.widget,
                    step=rules.FRAMES_A_LATENT,
                    tooltip="Number of frames of the video: 5, 9, 13 ... DropletVideo was trained "
                    "on 85. Another number is rounded down. With 5, 13, 21 ... 85 the VAE gives "
                    "three frames more, which Trim DropletVideo leaves out.",
                ),
                io.Int.Input(
                    "fps",
                    default=rules.FPS,
                    **bounds.DROPLET_FPS.widget,
                    tooltip="How much moves: a smaller number moves more from frame to frame. The "
                    "published samples use 4, 8, 16 and 32. The playback speed is set in Create "
                    "Video; the official code always plays 8 frames a second.",
                ),
                io.Combo.Input(
                    "fit",
                    options=list(choices.PICTURE_FITS),
                    default=choices.PICTURE_FITS[0],
                    tooltip="What happens to a picture of another shape. crop: the picture fills "
                    "the frame, and what does not fit is cut off. pad: the whole picture is kept, "
                    "with black bars beside it. stretch: the whole picture fills the frame, and "
                    "its proportions change, as in the official code.",
                ),
                io.Boolean.Input(
                    "pad_to_16",
                    default=False,
                    **rarely_changed(),
                    tooltip="Whether a width or height that is no multiple of 16 is allowed: the "
                    "border of the picture is then repeated at the right and below. Give the same "
                    "width and height to Trim DropletVideo, which cuts this off again.",
                ),
                io.Float.Input(
                    "augmentation",
                    default=rules.AUGMENTATION,
                    **bounds.AUGMENTATION.widget,
                    step=0.0001,
                    **rarely_changed(),
                    tooltip="Noise added to the pictures before they are encoded (standard "
                    "deviation, for pixels in -1..1). 0.0563 is the official value; 0 keeps the "
                    "picture exact.",
                ),
                io.Int.Input(
                    "augmentation_seed",
                    default=0,
                    **bounds.SEED.widget,
                    **rarely_changed(),
                    tooltip="Seed of the augmentation noise.",
                ),
                io.Image.Input(
                    "end_image",
                    optional=True,
                    tooltip="A picture that the video ends with. DropletVideo was not trained for "
                    "this: try it, but expect less.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive",
                    tooltip="Prompt, picture and FPS, for KSampler or CFGGuider.",
                ),
                io.Conditioning.Output(
                    display_name="negative",
                    tooltip="Negative prompt, picture and FPS, for KSampler or CFGGuider.",
                ),
                io.Latent.Output(
                    display_name="latent",
                    tooltip="An empty video of the chosen size, for latent_image of KSampler or "
                    "SamplerCustomAdvanced.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        positive,
        negative,
        vae,
        image,
        width: int,
        height: int,
        num_frames: int,
        fps: int,
        fit: str,
        pad_to_16: bool,
        augmentation: float,
        augmentation_seed: int,
        end_image=None,
    ) -> io.NodeOutput:
        from .host.dropletvideo.conditioning import DropletClip, condition_clip

        check_linked("augmentation", augmentation, bounds.AUGMENTATION)
        check_linked("augmentation_seed", augmentation_seed, bounds.SEED)
        clip = DropletClip(
            size=(height, width),
            num_frames=num_frames,
            fps=fps,
            fit=fit,
            pads=pad_to_16,
            augmentation=augmentation,
            seed=augmentation_seed,
        )
        return io.NodeOutput(*condition_clip(positive, negative, vae, image, end_image, clip))


class ChooseTrailingSchedule(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_TrailingSchedule",
            display_name="Trailing Schedule",
            category="FCVG/sampling",
            **search_words("dropletvideo schedule", "ddim trailing", "zero snr", "sigmas"),
            **shows_results(),
            description="The noise levels of DropletVideo's official steps, for any number of "
            "steps. With 50 steps they are those of ComfyUI's scheduler simple; with other numbers "
            "simple differs by a little.",
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="The model, from Load DropletVideo or Load DropletVideo Transformer.",
                ),
                io.Int.Input(
                    "steps",
                    default=rules.STEPS,
                    **bounds.STEPS.widget,
                    tooltip="Number of sampling steps. DropletVideo uses 50; 25 take half the time "
                    "and are rougher.",
                ),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip="How much is painted anew. Keep 1, unless a video to start from is "
                    "connected to SamplerCustomAdvanced: then a lower number keeps more of it.",
                ),
            ],
            outputs=[
                io.Sigmas.Output(
                    tooltip="The noise level of each step, for SamplerCustomAdvanced with the "
                    "sampler euler."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, model, steps: int, denoise: float) -> io.NodeOutput:
        from .host.dropletvideo.sampling import trailing_levels

        check_linked("steps", steps, bounds.STEPS)
        check_linked("denoise", denoise, bounds.SHARE)
        return io.NodeOutput(trailing_levels(model, steps, denoise))


class TrimDroplet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_TrimDropletVideo",
            display_name="Trim DropletVideo",
            category="FCVG/frames",
            **search_words("dropletvideo frames", "88 frames", "cut padding", "drop first frames"),
            **shows_results(),
            description="Leaves out the frames that DropletVideo's VAE gives beyond the number "
            "that was asked for, 88 for 85, and cuts off what pad_to_16 has added.",
            inputs=[
                io.Image.Input(
                    "frames", tooltip="The decoded video, one picture a frame, from VAE Decode."
                ),
                io.Combo.Input(
                    "keep",
                    options=list(choices.KEPT_FRAMES),
                    default=choices.TRIMMED,
                    tooltip="trimmed: the frames that were asked for; of the first four frames, "
                    "which all show nearly the given picture, the last is kept. official: all "
                    "frames, as in the official code.",
                ),
                io.Int.Input(
                    "width",
                    default=0,
                    **ANY_SIDE.widget,
                    tooltip="Width in pixels that is kept, from the left: the width that "
                    "DropletVideo Conditioning was given with pad_to_16. 0 keeps all.",
                ),
                io.Int.Input(
                    "height",
                    default=0,
                    **ANY_SIDE.widget,
                    tooltip="Height in pixels that is kept, from the top: the height that "
                    "DropletVideo Conditioning was given with pad_to_16. 0 keeps all.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames",
                    tooltip="The frames of the video, for Create Video or Put Keyframes Back.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, frames, keep: str, width: int, height: int) -> io.NodeOutput:
        from .host.dropletvideo.frames import trim_video
        from .host.images import check_image

        check_linked("width", width, ANY_SIDE)
        check_linked("height", height, ANY_SIDE)
        video = trim_video(check_image(frames, "frames"), keep, size=(height, width))
        return io.NodeOutput(video)


class MeasureMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_MeasureMotion",
            display_name="Measure Motion",
            category="FCVG/frames",
            **search_words("displacement", "optical flow", "motion amount", "choose fps"),
            **shows_results(),
            description="Measures how far a clip, or a pair of pictures, moves, and gives the FPS "
            "that DropletVideo could be tried with for as much motion. FPS is a guess from the "
            "published samples: nobody has measured how exactly the model follows it.",
            inputs=[
                io.Image.Input(
                    "frames",
                    tooltip="The frames of a clip that moves as much as wanted, or one picture if "
                    "end_image is connected.",
                ),
                io.Int.Input(
                    "num_frames",
                    default=rules.FRAMES,
                    **MOVING_FRAMES.widget,
                    tooltip="Number of frames of the video that DropletVideo should make with as "
                    "much motion from its beginning to its end.",
                ),
                io.Image.Input(
                    "end_image",
                    optional=True,
                    tooltip="The picture that the video should end with: motion is measured from "
                    "the first picture of frames to this picture.",
                ),
            ],
            outputs=[
                io.Float.Output(
                    display_name="displacement",
                    tooltip="Mean way of a pixel, as a share of the diagonal of the picture.",
                ),
                io.Int.Output(
                    display_name="fps", tooltip="The FPS to try in DropletVideo Conditioning."
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, frames, num_frames: int, end_image=None) -> io.NodeOutput:
        from .host.dropletvideo.frames import measure_motion
        from .host.images import check_image, first_picture

        if end_image is None:
            frames = check_image(frames, "frames")
        else:
            frames = first_picture(frames, "frames")
            end_image = first_picture(end_image, "end_image")
        check_linked("num_frames", num_frames, MOVING_FRAMES)
        return io.NodeOutput(*measure_motion(frames, end_image, num_frames))


NODES = [ConditionDroplet, ChooseTrailingSchedule, TrimDroplet, MeasureMotion]
