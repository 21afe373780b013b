"""SMCD: its loader, and conditioning of a clip by a picture, boxes that move, and a prompt."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .clip_widgets import encoded_prompt_inputs
from .host import folders
from .messages import display_below_log, shown_log, shows_log
from .newer import rarely_changed, search_words, shows_results
from .sockets import BoxTracksSocket, SmcdEncodersSocket
from .weight_formats import check_weight_dtype, weight_dtype_input
from .widgets import EMPTY_VIDEO, check_linked, size_inputs

FRAMES, SIDE = 8, 256  # that SMCD was trained on
MISSING = (
    "{folder} holds no {part} that auto could take ({names}): connect {instead} in place of this "
    "output of Load SMCD, or put the file there."
)


class LoadSMCD(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadSMCD",
            display_name="Load SMCD",
            category="FCVG/loaders",
            **search_words("animate your motion", "boxes to video", "modelscope", "gligen video"),
            **shows_results(),
            description="Loads SMCD (Animate Your Motion), which animates a picture by boxes that "
            "move and a prompt: the three official files, or one file that holds all three.",
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=folders.list_files(folders.UNET),
                    tooltip="A file in models/diffusion_models: the official pytorch_model.bin, "
                    "beside which pytorch_model_1.bin and pytorch_model_2.bin lie, or a file that "
                    "holds all three, made by the command smcd-merge.",
                ),
                weight_dtype_input("the UNet's weights"),
                io.Combo.Input(
                    "clip_name",
                    options=_with_auto(folders.TEXT_ENCODERS),
                    default=folders.AUTO,
                    tooltip="The text encoder: a file in models/text_encoders, of ModelScope or of "
                    "Stable Diffusion 2.1. auto: one of the known files, if it is there. Not "
                    "needed if another node gives the text encoder.",
                ),
                io.Combo.Input(
                    "vae_name",
                    options=_with_auto(folders.VAES),
                    default=folders.AUTO,
                    tooltip="The VAE: a file in models/vae, of ModelScope or of Stable Diffusion "
                    "1 or 2. auto: one of the known files, if it is there. Not needed if another "
                    "node gives the VAE.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    tooltip="The model that paints, for KSampler, CFGGuider, Three-Branch Guider "
                    "and DDIM Schedule."
                ),
                io.Clip.Output(
                    tooltip="The text encoder, for CLIP Text Encode and SMCD Conditioning."
                ),
                io.Vae.Output(tooltip="The VAE, for SMCD Conditioning and Decode Frames."),
                SmcdEncodersSocket.Output(
                    display_name="smcd_encoders",
                    tooltip="The networks that read boxes and the picture, for SMCD Conditioning.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, model_name: str | None, clip_name: str | None, vae_name: str | None
    ) -> bool | str:
        answers = (
            folders.is_there(folders.find_file, folders.UNET, model_name),
            folders.are_there(folders.TEXT_ENCODERS, clip_name),
            folders.are_there(folders.VAES, vae_name),
        )
        return next((answer for answer in answers if answer is not True), True)

    @classmethod
    @shows_log
    def execute(
        cls, model_name: str, weight_dtype: str, clip_name: str, vae_name: str
    ) -> io.NodeOutput:
        from ..fcvg_core.catalogue.smcd import SMCD_TEXT, SMCD_VAE
        from .host.smcd.loading import load_clip, load_smcd, load_vae
        from .host.smcd.runs import tell_of_runs

        check_weight_dtype(weight_dtype)
        path = folders.find_file(folders.UNET, model_name)
        clip = folders.find_auto(clip_name, SMCD_TEXT)
        vae = folders.find_auto(vae_name, SMCD_VAE)
        loaded = load_smcd(path, weight_dtype)
        tell_of_runs(loaded.model, shown_log, display_below_log)
        return io.NodeOutput(
            loaded.model,
            load_clip(clip) if clip else _missing(SMCD_TEXT, "text encoder", "Load CLIP"),
            load_vae(vae) if vae else _missing(SMCD_VAE, "VAE", "Load VAE"),
            loaded.encoders,
        )

    @classmethod
    def fingerprint_inputs(cls, **names: str) -> str:
        kinds = (folders.TEXT_ENCODERS, folders.VAES)
        return "".join(folders.fingerprint(kind) for kind in kinds)


def _with_auto(kind: str) -> list[str]:
    return [folders.AUTO, *folders.list_files(kind)]


def _missing(row, part: str, instead: str):
    """What blocks an output whose file is not there."""
    from comfy_execution.graph_utils import ExecutionBlocker

    names = ", ".join(row.names(row.kind))
    folder = f"models/{row.kind}"
    return ExecutionBlocker(MISSING.format(folder=folder, part=part, names=names, instead=instead))


class ConditionBoxes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_SMCDConditioning",
            display_name="SMCD Conditioning",
            category="FCVG/conditioning",
            **search_words(
                "animate your motion", "boxes to video", "image to video", "i2v", "bounding box"
            ),
            **shows_results(),
            description="Animates a picture by boxes that move and a prompt (SMCD): adds the "
            "picture and the boxes to the prompts, and makes an empty video of the chosen size.",
            inputs=[
                *encoded_prompt_inputs(),
                SmcdEncodersSocket.Input(
                    "smcd_encoders",
                    tooltip="The networks that read boxes and the picture, from Load SMCD.",
                ),
                io.Clip.Input(
                    "clip",
                    tooltip="The text encoder, which reads the labels of the boxes, from Load SMCD "
                    "or Load CLIP.",
                ),
                io.Vae.Input("vae", tooltip="The VAE, from Load SMCD or Load VAE."),
                io.Image.Input(
                    "image",
                    tooltip="The picture that the video begins with; of a batch the first picture "
                    "is used.",
                ),
                *size_inputs(SIDE, SIDE, trained="SMCD was trained at 256 x 256."),
                io.Int.Input(
                    "num_frames",
                    default=FRAMES,
                    **bounds.FRAMES.widget,
                    tooltip="Number of frames of the video. SMCD was trained on 8; other numbers "
                    "work, but the motion may be worse. Boxes of another number of frames are "
                    "spread over the video.",
                ),
                io.Combo.Input(
                    "fit",
                    options=list(choices.PICTURE_FITS),
                    default=choices.STRETCH,
                    tooltip="What happens to a picture of another shape, and to its boxes with it. "
                    "crop: the picture fills the frame, and what does not fit is cut off. pad: the "
                    "whole picture is kept, with black bars beside it. stretch: the whole picture "
                    "fills the frame, and its proportions change, as in the official code.",
                ),
                io.Int.Input(
                    "pad_to",
                    default=0,
                    **bounds.OBJECTS.widget,
                    **rarely_changed(),
                    tooltip="The model reads at least so many objects: absent ones are added. 0: "
                    "the boxes as they are, as in the official script for one picture. 8: as in "
                    "the training.",
                ),
                BoxTracksSocket.Input(
                    "boxes",
                    optional=True,
                    tooltip="Where each object is in every frame, in shares of the picture, from "
                    "Box Track, Combine Box Tracks or Load Box Tracks. Without boxes the picture "
                    "and the prompt alone count.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive",
                    tooltip="Prompt, picture and boxes, for KSampler, CFGGuider or Three-Branch "
                    "Guider.",
                ),
                io.Conditioning.Output(
                    display_name="negative",
                    tooltip="The negative prompt with picture and boxes, for KSampler or "
                    "CFGGuider, and for image_only of Three-Branch Guider.",
                ),
                io.Conditioning.Output(
                    display_name="nothing",
                    tooltip="The negative prompt without picture and boxes, for negative of "
                    "Three-Branch Guider alone.",
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
        smcd_encoders,
        clip,
        vae,
        image,
        width: int,
        height: int,
        num_frames: int,
        fit: str,
        pad_to: int,
        boxes=None,
    ) -> io.NodeOutput:
        from .host.smcd.conditioning import BoxSettings, condition_boxes

        check_linked("num_frames", num_frames, bounds.FRAMES)
        check_linked("pad_to", pad_to, bounds.OBJECTS)
        settings = BoxSettings(num_frames=num_frames, size=(height, width), fit=fit, pad_to=pad_to)
        return io.NodeOutput(
            *condition_boxes(positive, negative, smcd_encoders, clip, vae, image, boxes, settings)
        )


NODES = [LoadSMCD, ConditionBoxes]
