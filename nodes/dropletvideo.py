"""DropletVideo: loaders, and the prompts of a video."""

from comfy_api.latest import io

from .host import folders
from .messages import shows_log
from .newer import rarely_changed, search_words, shows_results
from .weight_formats import check_weight_dtype, weight_dtype_input

PAINTS = "The model that paints, for KSampler, CFGGuider and Trailing Schedule."
VAE = "The VAE, for DropletVideo Conditioning and VAE Decode."
WEIGHTS = "the transformer's weights"


class LoadDropletVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDropletVideo",
            display_name="Load DropletVideo",
            category="FCVG/loaders",
            **search_words("dropletvideo folder", "image to video", "i2v", "cogvideox fun"),
            **shows_results(),
            description="Loads DropletVideo-5B, which animates a picture by a long prompt and a "
            "number for the strength of motion, from its official folder: transformer, T5 text "
            "encoder and VAE.",
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=folders.list_pipelines(folders.TRANSFORMER),
                    tooltip="A folder in models/diffusers that holds a model_index.json and a "
                    "sub-folder transformer, for example DropletVideo-V1.0-weights.",
                ),
                weight_dtype_input(WEIGHTS),
            ],
            outputs=[
                io.Model.Output(tooltip=PAINTS),
                io.Clip.Output(tooltip="The T5 text encoder, for DropletVideo Text Encode."),
                io.Vae.Output(tooltip=VAE),
            ],
        )

    @classmethod
    def validate_inputs(cls, folder: str | None) -> bool | str:
        return folders.is_there(folders.find_pipeline, folder)

    @classmethod
    @shows_log
    def execute(cls, folder: str, weight_dtype: str) -> io.NodeOutput:
        from .host.dropletvideo.loading import load_folder

        check_weight_dtype(weight_dtype)
        loaded = load_folder(folders.find_pipeline(folder), weight_dtype)
        return io.NodeOutput(loaded.model, loaded.clip, loaded.vae)


class LoadDropletVideoModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDropletVideoModel",
            display_name="Load DropletVideo Transformer",
            category="FCVG/loaders",
            **search_words("dropletvideo unet", "load diffusion model", "fp8", "fps embedding"),
            **shows_results(),
            description="Loads DropletVideo's transformer from a file of its own. The text encoder "
            "then comes from Load CLIP, with a T5-XXL of type sd3, and the VAE from Load "
            "DropletVideo VAE.",
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=folders.list_files(folders.UNET),
                    tooltip="A file in models/diffusion_models that holds DropletVideo's "
                    "transformer: .safetensors, also in fp8.",
                ),
                weight_dtype_input(WEIGHTS),
            ],
            outputs=[io.Model.Output(tooltip=PAINTS)],
        )

    @classmethod
    def validate_inputs(cls, model_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.UNET, model_name)

    @classmethod
    @shows_log
    def execute(cls, model_name: str, weight_dtype: str) -> io.NodeOutput:
        from .host.dropletvideo.loading import load_transformer

        check_weight_dtype(weight_dtype)
        path = folders.find_file(folders.UNET, model_name)
        return io.NodeOutput(load_transformer(path, weight_dtype))


class LoadDropletVideoVAE(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadDropletVideoVAE",
            display_name="Load DropletVideo VAE",
            category="FCVG/loaders",
            **search_words("dropletvideo vae", "cogvideox vae", "video vae"),
            **shows_results(),
            description="Loads DropletVideo's VAE from a file of its own. ComfyUI's own Load VAE "
            "reads the same file in newer releases, but computes other numbers than the official "
            "code: other chunks, and 85 frames in place of 88.",
            inputs=[
                io.Combo.Input(
                    "vae_name",
                    options=folders.list_files(folders.VAES),
                    tooltip="A file in models/vae that holds DropletVideo's VAE: .safetensors.",
                ),
            ],
            outputs=[io.Vae.Output(tooltip=VAE)],
        )

    @classmethod
    def validate_inputs(cls, vae_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.VAES, vae_name)

    @classmethod
    @shows_log
    def execute(cls, vae_name: str) -> io.NodeOutput:
        from .host.dropletvideo.loading import load_vae

        return io.NodeOutput(load_vae(folders.find_file(folders.VAES, vae_name)))


class EncodeDropletPrompts(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DropletVideoTextEncode",
            display_name="DropletVideo Text Encode",
            category="FCVG/conditioning",
            **search_words("t5 prompt", "clip text encode", "negative prompt", "dropletvideo text"),
            **shows_results(),
            description="Encodes prompt and negative prompt as DropletVideo's official code does: "
            "400 tokens of T5 each, without a mask, with words about quality. Brackets are "
            "ordinary text here, not weights.",
            inputs=[
                io.Clip.Input(
                    "clip",
                    tooltip="The T5-XXL text encoder, from Load DropletVideo, or from Load CLIP "
                    "with type sd3, pixart or chroma. With most other types, Load CLIP masks the "
                    "empty places of a prompt, which DropletVideo does not expect.",
                ),
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    tooltip="What the video shows and how the camera moves. DropletVideo was "
                    "trained with captions of about 200 words; what exceeds 400 tokens is left "
                    "out, and the node says so.",
                ),
                io.String.Input(
                    "negative_prompt",
                    multiline=True,
                    default="",
                    tooltip="What the video should not show, besides the official negative prompt.",
                ),
                io.Boolean.Input(
                    "quality_words",
                    default=True,
                    **rarely_changed(),
                    tooltip="Whether the official words about quality follow the prompt: The video "
                    "is of high quality, and the view is very clear ...",
                ),
                io.Boolean.Input(
                    "default_negative",
                    default=True,
                    **rarely_changed(),
                    tooltip="Whether the negative prompt begins with the official text: The video "
                    "is low quality, blurry, distortion.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive", tooltip="The prompt, for DropletVideo Conditioning."
                ),
                io.Conditioning.Output(
                    display_name="negative",
                    tooltip="The negative prompt, for DropletVideo Conditioning.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls, clip, prompt: str, negative_prompt: str, quality_words: bool, default_negative: bool
    ) -> io.NodeOutput:
        from .host.dropletvideo.text import encode_prompts

        prompts = encode_prompts(
            clip, prompt, negative_prompt, quality=quality_words, default_negative=default_negative
        )
        return io.NodeOutput(*prompts)


NODES = [LoadDropletVideo, LoadDropletVideoModel, LoadDropletVideoVAE, EncodeDropletPrompts]
