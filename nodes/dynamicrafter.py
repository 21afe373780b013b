"""DynamiCrafter: loaders, and conditioning of a clip by one or two pictures and a prompt."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from ..fcvg_core.models.dynamicrafter.variants import FRAMES
from .clip_widgets import (
    CLIP_VISION,
    IMAGE_PROJECTOR,
    clip_size_inputs,
    encoded_prompt_inputs,
    fs_input,
)
from .host import folders
from .messages import display_below_log, shown_log, shows_log
from .newer import rarely_changed, search_words, shows_results
from .sockets import ImageProjectorSocket
from .weight_formats import check_weight_dtype, weight_dtype_input
from .widgets import EMPTY_VIDEO, check_linked

PAINTS = "The model that paints, for Clip Guidance Rescale, a guider, DDIM Schedule and Story Shot."
MISSING = "The file {name} holds no {part}: connect {instead} in place of this output of {node}."
UNET_ALONE = (
    "This node takes a file that holds DynamiCrafter's UNet and image projector alone. With the "
    "official model.ckpt, or with a smaller file that holds a VAE too, use Load DynamiCrafter, "
    "whose files are in models/checkpoints."
)


def _variant_inputs() -> list[io.Input]:
    """Widgets of both loaders: which of the four models a file is, and its number format."""
    return [
        io.Combo.Input(
            "variant",
            options=list(choices.DYNAMICRAFTER_MODELS),
            default=choices.AUTO,
            tooltip="Which of the four published models the file holds. auto reads it from the "
            "file: 256 and 1024 are told by what the file holds, 512 and 512_interp by the name "
            "of the file or of its folder alone. If the name tells nothing, as model.ckpt does, "
            "auto takes 512: choose 512_interp if the file is this model.",
        ),
        weight_dtype_input("the UNet's weights"),
    ]


def _projector_output() -> io.Output:
    return ImageProjectorSocket.Output(
        display_name="image_projector",
        tooltip="The network that turns a picture into tokens for the model, for DynamiCrafter "
        "Conditioning and Story Shot.",
    )


def _outputs(model, parts: dict[str, tuple], name: str, node: str) -> io.NodeOutput:
    """Outputs of a loader, whose model says what its runs need.

    Args:
        parts: each further output by the name of its part, None if the file lacks the part; and
            what to connect instead.
        name: of the file.
        node: name of the loader.
    """
    from comfy_execution.graph_utils import ExecutionBlocker

    from .host.dynamicrafter.runs import tell_of_runs

    tell_of_runs(model, shown_log, display_below_log)
    outputs = (
        ExecutionBlocker(MISSING.format(name=name, part=part, instead=instead, node=node))
        if value is None
        else value
        for part, (value, instead) in parts.items()
    )
    return io.NodeOutput(model, *outputs)


class LoadDynamiCrafter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDynamiCrafter",
            display_name="Load DynamiCrafter",
            category="FCVG/loaders",
            **search_words("dynamicrafter checkpoint", "image to video", "i2v", "animate"),
            **shows_results(),
            description="Loads a checkpoint of DynamiCrafter, which animates a picture by a "
            "prompt: the official model.ckpt of 10.4 GB, or a smaller file made from it. An output "
            "whose part is not in the file says so when it is used.",
            inputs=[
                io.Combo.Input(
                    "ckpt_name",
                    options=folders.list_files(folders.CHECKPOINTS),
                    tooltip="A file in models/checkpoints, for example "
                    "dynamicrafter_512_v1/model.ckpt: .ckpt or .safetensors.",
                ),
                *_variant_inputs(),
            ],
            outputs=[
                io.Model.Output(tooltip=PAINTS),
                io.Clip.Output(tooltip="The text encoder, for CLIP Text Encode and Story Shot."),
                io.ClipVision.Output(
                    tooltip="The CLIP image encoder, for DynamiCrafter Conditioning and Story Shot."
                ),
                io.Vae.Output(
                    tooltip="The VAE, for DynamiCrafter Conditioning, Story Shot and Decode Frames."
                ),
                _projector_output(),
            ],
        )

    @classmethod
    def validate_inputs(cls, ckpt_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.CHECKPOINTS, ckpt_name)

    @classmethod
    @shows_log
    def execute(cls, ckpt_name: str, variant: str, weight_dtype: str) -> io.NodeOutput:
        from .host.dynamicrafter.loading import load_checkpoint

        check_weight_dtype(weight_dtype)
        path = folders.find_file(folders.CHECKPOINTS, ckpt_name)
        loaded = load_checkpoint(path, variant, weight_dtype)
        parts = {
            "text encoder": (loaded.clip, "Load CLIP with an SD2.1 text encoder"),
            "CLIP image encoder": (loaded.clip_vision, "Load CLIP Vision with a ViT-H encoder"),
            "VAE": (loaded.vae, "Load VAE with a VAE of Stable Diffusion 1 or 2"),
            "image projector": (loaded.projector, "a loader with the official file of this model"),
        }
        return _outputs(loaded.model, parts, ckpt_name, "Load DynamiCrafter")


class LoadDynamiCrafterUNet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDynamiCrafterUNet",
            display_name="Load DynamiCrafter UNet",
            category="FCVG/loaders",
            **search_words("dynamicrafter pruned", "load diffusion model", "image projector"),
            **shows_results(),
            description="Loads the UNet and the image projector of DynamiCrafter from a file "
            "without encoders and VAE. All four published models have the same encoders and the "
            "same VAE, so these may come from another file of DynamiCrafter, or from ComfyUI's own "
            "loaders.",
            inputs=[
                io.Combo.Input(
                    "unet_name",
                    options=folders.list_files(folders.UNET),
                    tooltip="A file in models/diffusion_models that holds a UNet and an image "
                    "projector of DynamiCrafter: .safetensors, .bin or .pt.",
                ),
                *_variant_inputs(),
            ],
            outputs=[
                io.Model.Output(tooltip=PAINTS),
                _projector_output(),
            ],
        )

    @classmethod
    def validate_inputs(cls, unet_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.UNET, unet_name, UNET_ALONE)

    @classmethod
    @shows_log
    def execute(cls, unet_name: str, variant: str, weight_dtype: str) -> io.NodeOutput:
        from .host.dynamicrafter.loading import load_unet

        check_weight_dtype(weight_dtype)
        path = folders.find_file(folders.UNET, unet_name, UNET_ALONE)
        loaded = load_unet(path, variant, weight_dtype)
        instead = "the image_projector of Load DynamiCrafter, with the official file of this model,"
        parts = {"image projector": (loaded.projector, instead)}
        return _outputs(loaded.model, parts, unet_name, "Load DynamiCrafter UNet")


class ConditionClip(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DynamiCrafterConditioning",
            display_name="DynamiCrafter Conditioning",
            category="FCVG/conditioning",
            **search_words(
                "image to video", "i2v", "animate picture", "prompt video", "interpolate", "loop"
            ),
            **shows_results(),
            description="Animates a picture by a prompt, goes from picture to picture, or loops "
            "(DynamiCrafter): adds one or two pictures to the prompts and makes an empty video of "
            "the chosen size.",
            inputs=[
                *encoded_prompt_inputs(),
                ImageProjectorSocket.Input("image_projector", tooltip=IMAGE_PROJECTOR),
                io.ClipVision.Input("clip_vision", tooltip=CLIP_VISION),
                io.Vae.Input("vae", tooltip="The VAE, from Load DynamiCrafter or Load VAE."),
                io.Image.Input(
                    "image",
                    tooltip="The picture to animate, with which the video begins. A picture of "
                    "another size is cropped and resized; of a batch the first picture is used.",
                ),
                io.Combo.Input(
                    "mode",
                    options=list(choices.CLIP_MODES),
                    default=choices.ANIMATE,
                    tooltip="animate: image moves as the prompt says. interpolate: the video goes "
                    "from image to last_image. loop: the video returns to image; add Trim Loop "
                    "after decoding. interpolate and loop need the model 512_interp, animate needs "
                    "any other model.",
                ),
                *clip_size_inputs(),
                io.Int.Input(
                    "num_frames",
                    default=FRAMES,
                    **bounds.FRAMES.widget,
                    tooltip="Number of frames of the video. DynamiCrafter was trained on 16; other "
                    "numbers work, but the motion may be worse.",
                ),
                fs_input(),
                io.Combo.Input(
                    "image_tokens",
                    options=list(choices.IMAGE_TOKENS),
                    default=choices.AUTO,
                    **rarely_changed(),
                    tooltip="How the frames share what the projector says of the picture. per "
                    "frame: each frame gets its own 16 tokens. shared: every frame gets all "
                    "tokens. auto: per frame for 16 frames, otherwise shared, as the official code "
                    "does.",
                ),
                io.Combo.Input(
                    "clip_picture",
                    options=list(choices.CLIP_PICTURES),
                    default=choices.AS_THE_VIDEO,
                    **rarely_changed(),
                    tooltip="The picture that the CLIP image encoder sees. as the video: cropped "
                    "and resized, as in the official command line. whole: with what is cut off "
                    "from the video, as in the official web page.",
                ),
                io.Image.Input(
                    "last_image",
                    optional=True,
                    tooltip="The picture that the video ends with, for mode interpolate alone. A "
                    "picture of another size is cropped and resized; of a batch the first picture "
                    "is used.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive",
                    tooltip="Prompt and pictures, for CFGGuider, KSampler or Three-Branch Guider.",
                ),
                io.Conditioning.Output(
                    display_name="negative",
                    tooltip="The negative prompt with a grey picture in place of image, for "
                    "guidance.",
                ),
                io.Conditioning.Output(
                    display_name="image_only",
                    tooltip="The negative prompt with the picture, for Three-Branch Guider alone.",
                ),
                io.Latent.Output(display_name="latent", tooltip=EMPTY_VIDEO),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        positive,
        negative,
        image_projector,
        clip_vision,
        vae,
        image,
        mode: str,
        width: int,
        height: int,
        num_frames: int,
        fs: int,
        image_tokens: str,
        clip_picture: str,
        last_image=None,
    ) -> io.NodeOutput:
        from .host.dynamicrafter.conditioning import ClipSettings, condition_clip

        check_linked("fs", fs, bounds.RATE)
        check_linked("num_frames", num_frames, bounds.FRAMES)
        settings = ClipSettings(
            mode=mode,
            size=(height, width),
            num_frames=num_frames,
            rate=fs,
            image_tokens=image_tokens,
            clip_picture=clip_picture,
        )
        return io.NodeOutput(
            *condition_clip(
                positive,
                negative,
                image_projector,
                clip_vision,
                vae,
                image,
                last_image,
                settings,
            )
        )


NODES = [LoadDynamiCrafter, LoadDynamiCrafterUNet, ConditionClip]
