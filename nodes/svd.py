"""Stable Video Diffusion and models trained from it: loaders, and conditioning of keyframes."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .host import folders
from .keyframe_widgets import keyframes_input
from .messages import shows_log
from .newer import rarely_changed, search_words, shows_results
from .weight_formats import check_weight_dtype, weight_dtype_input
from .widgets import (
    CLIP_VISION,
    EMPTY_VIDEO,
    FIRST_FRAME,
    FOR_CONTROL,
    LAST_FRAME,
    NO_PICTURE,
    VAE,
    compared_control_input,
    hint_inputs,
    num_frames_input,
    size_inputs,
)


class LoadSVD(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadSVD",
            display_name="Load SVD (diffusers folder)",
            category="FCVG/loaders",
            **search_words("stable video diffusion", "diffusers"),
            **shows_results(),
            description="Loads Stable Video Diffusion from a folder in diffusers' layout. For the "
            "single file svd_xt_1_1.safetensors use Load Checkpoint Image Only (img2vid model), "
            "which older releases of ComfyUI call Image Only Checkpoint Loader.",
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=folders.list_pipelines(folders.UNET_FOLDER),
                    tooltip="A folder in models/diffusers that holds a model_index.json. Its "
                    "sub-folder unet is needed only if with_unet is on.",
                ),
                io.Boolean.Input(
                    "with_unet",
                    default=True,
                    tooltip="Whether to load SVD's own UNet too. Switch it off for the published "
                    "files of FCVG and ControlNeXt-SVD, which hold a whole UNet: this saves 3 GB "
                    "and the time to load them. Keep it on only if the output MODEL is connected.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    tooltip="SVD's own UNet, for base_model of Load FCVG Model: needed only by a "
                    "file that holds a part of the weights."
                ),
                io.ClipVision.Output(tooltip="SVD's CLIP image encoder."),
                io.Vae.Output(tooltip="SVD's VAE with its temporal decoder."),
            ],
        )

    @classmethod
    def validate_inputs(cls, folder: str | None) -> bool | str:
        return folders.is_there(folders.find_pipeline, folder)

    @classmethod
    @shows_log
    def execute(cls, folder: str, with_unet: bool) -> io.NodeOutput:
        from comfy_execution.graph_utils import ExecutionBlocker

        from .host.files import weights_file
        from .host.svd.loading import load_svd_encoders, load_unet

        path = folders.find_pipeline(folder)
        if with_unet:
            file = weights_file(path, "unet")
            unet = load_unet(file, None, "default")
        else:
            unet = ExecutionBlocker("SVD's UNet was not loaded: switch with_unet on in Load SVD.")
        return io.NodeOutput(unet, *load_svd_encoders(path))


class LoadFcvgModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadModel",
            display_name="Load FCVG Model",
            category="FCVG/loaders",
            **search_words("fcvg unet", "controlnext-svd unet", "load diffusion model"),
            **shows_results(),
            description="Loads the model that paints the video, a UNet that was trained from "
            "SVD's: FCVG's for the frames between two keyframes, or ControlNeXt-SVD's for "
            "animating a picture.",
            inputs=[
                io.Combo.Input(
                    "unet_name",
                    options=folders.list_files(folders.UNET),
                    tooltip="A file in models/diffusion_models, for example FCVG's "
                    "unet.safetensors: .safetensors, .bin or .pt.",
                ),
                weight_dtype_input(more=" Has no effect on a file that needs base_model."),
                io.Model.Input(
                    "base_model",
                    optional=True,
                    tooltip="The SVD model that the file was made from, for a file that holds only "
                    "a part of the weights. The published files do not need it.",
                ),
            ],
            outputs=[io.Model.Output(tooltip=f"The model, {FOR_CONTROL}")],
        )

    @classmethod
    def validate_inputs(cls, unet_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.UNET, unet_name)

    @classmethod
    @shows_log
    def execute(cls, unet_name: str, weight_dtype: str, base_model=None) -> io.NodeOutput:
        from .host.svd.loading import load_unet

        check_weight_dtype(weight_dtype)
        path = folders.find_file(folders.UNET, unet_name)
        return io.NodeOutput(load_unet(path, base_model, weight_dtype))


class EncodeKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_EncodeKeyframes",
            display_name="FCVG Conditioning",
            category="FCVG/conditioning",
            **search_words("keyframes", "image to video", "svd conditioning"),
            **shows_results(),
            description="Prepares the keyframes for the model and makes an empty video of the "
            "chosen size, for Inbetween Guider.",
            inputs=[
                io.ClipVision.Input("clip_vision", tooltip=CLIP_VISION),
                io.Vae.Input("vae", tooltip=VAE),
                io.Image.Input("first_frame", tooltip=FIRST_FRAME),
                io.Image.Input("last_frame", tooltip=LAST_FRAME),
                *size_inputs(),
                num_frames_input(),
                *hint_inputs(),
                io.Int.Input(
                    "augmentation_seed",
                    default=0,
                    **bounds.SEED.widget,
                    **rarely_changed(),
                    tooltip="Seed of the augmentation noise (the same noise is used for all "
                    "keyframes).",
                ),
                compared_control_input(),
                keyframes_input(),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="first",
                    tooltip="Conditioning of the first keyframe, for Inbetween Guider. With "
                    "keyframes: of the keyframe that each span between two keyframes begins with.",
                ),
                io.Conditioning.Output(
                    display_name="last",
                    tooltip="Conditioning of the last keyframe, for Inbetween Guider. With "
                    "keyframes: of the keyframe that each span between two keyframes ends with.",
                ),
                io.Conditioning.Output(display_name="negative", tooltip=NO_PICTURE),
                io.Latent.Output(display_name="latent", tooltip=EMPTY_VIDEO),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        clip_vision,
        vae,
        first_frame,
        last_frame,
        width: int,
        height: int,
        num_frames: int,
        fps: int,
        motion_bucket_id: int,
        augmentation: float,
        augmentation_seed: int,
        control_frames=None,
        keyframes=None,
    ) -> io.NodeOutput:
        from .host.keyframes import name_pictures
        from .host.svd.conditioning import KeyframeSettings, condition_video

        outputs = condition_video(
            clip_vision,
            vae,
            name_pictures(first_frame, keyframes, last_frame),
            size=(height, width),
            num_frames=num_frames,
            settings=KeyframeSettings(fps, motion_bucket_id, augmentation),
            seed=augmentation_seed,
            control_frames=control_frames,
            at=keyframes.at(num_frames) if keyframes else (),
        )
        return io.NodeOutput(*outputs)


NODES = [LoadSVD, LoadFcvgModel, EncodeKeyframes]
