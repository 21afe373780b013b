"""Stable Video Diffusion, FCVG's own included: loaders and the conditioning of keyframes."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .host import folders
from .newer import rarely_changed, search_words
from .widgets import EMPTY_VIDEO, FOR_CONTROL, NO_PICTURE, keyframe_inputs, size_inputs

WEIGHT_DTYPES = ["default", "fp8_e4m3fn", "fp8_e5m2"]  # keys of host.svd.loading.WEIGHT_DTYPES


class LoadSVD(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadSVD",
            display_name="Load SVD (diffusers folder)",
            category="FCVG/loaders",
            **search_words("stable video diffusion", "diffusers"),
            description="Stable Video Diffusion from a folder in diffusers' layout. For the single "
            "file svd_xt_1_1.safetensors take Load Checkpoint Image Only (img2vid model), which "
            "older releases call Image Only Checkpoint Loader.",
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=folders.list_svd_folders(),
                    tooltip="A folder with a model_index.json in models/diffusers.",
                ),
                io.Boolean.Input(
                    "with_unet",
                    default=True,
                    tooltip="Off saves 3 GB: FCVG's and ControlNeXt-SVD's own files "
                    "are whole UNets. Then connect nothing to MODEL.",
                ),
            ],
            outputs=[
                io.Model.Output(tooltip="SVD's own UNet: the base of a partial FCVG file."),
                io.ClipVision.Output(tooltip="CLIP image encoder."),
                io.Vae.Output(tooltip="VAE with SVD's temporal decoder."),
            ],
        )

    @classmethod
    def validate_inputs(cls, folder: str | None) -> bool | str:
        return folders.is_there(folders.find_svd_folder, folder)

    @classmethod
    def execute(cls, folder: str, with_unet: bool) -> io.NodeOutput:
        from comfy_execution.graph_utils import ExecutionBlocker

        from .host.files import weights_file
        from .host.svd.loading import load_svd_encoders, load_unet

        path = folders.find_svd_folder(folder)
        if with_unet:
            file = weights_file(path, "unet", "diffusion_pytorch_model")
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
            description="FCVG's UNet (unet.safetensors) or ControlNeXt-SVD's. A file that holds "
            "only some of the tensors needs the SVD model that it was made from.",
            inputs=[
                io.Combo.Input(
                    "unet_name",
                    options=folders.list_files(folders.UNET),
                    tooltip="A file in models/diffusion_models.",
                ),
                io.Combo.Input(
                    "weight_dtype",
                    options=WEIGHT_DTYPES,
                    default="default",
                    tooltip="fp8 halves the memory of the weights and costs detail, "
                    "fp8_e5m2 more than fp8_e4m3fn. Not for a file that needs "
                    "base_model.",
                ),
                io.Model.Input(
                    "base_model",
                    optional=True,
                    tooltip="SVD, for a file that holds a part of the tensors.",
                ),
            ],
            outputs=[io.Model.Output(tooltip=FOR_CONTROL)],
        )

    @classmethod
    def validate_inputs(cls, unet_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.UNET, unet_name)

    @classmethod
    def execute(cls, unet_name: str, weight_dtype: str, base_model=None) -> io.NodeOutput:
        from .host.svd.loading import load_unet

        if weight_dtype not in WEIGHT_DTYPES:
            raise ValueError(f"weight_dtype is {weight_dtype!r}, but it is one of {WEIGHT_DTYPES}.")
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
            description="Prepare both keyframes for the model and make an empty video.",
            inputs=[
                io.ClipVision.Input("clip_vision", tooltip="SVD's CLIP image encoder."),
                io.Vae.Input("vae", tooltip="SVD's VAE."),
                io.Image.Input("first_frame", tooltip="The frame that the video begins with."),
                io.Image.Input("last_frame", tooltip="The frame that it ends with."),
                *size_inputs(),
                *keyframe_inputs(),
                io.Int.Input(
                    "augmentation_seed",
                    default=0,
                    **bounds.SEED.widget,
                    **rarely_changed(),
                    tooltip="Of the augmentation noise, one and the same for both.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="first", tooltip="What the model is told of the first keyframe."
                ),
                io.Conditioning.Output(
                    display_name="last", tooltip="What the model is told of the last keyframe."
                ),
                io.Conditioning.Output(display_name="negative", tooltip=NO_PICTURE),
                io.Latent.Output(display_name="latent", tooltip=EMPTY_VIDEO),
            ],
        )

    @classmethod
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
    ) -> io.NodeOutput:
        from ..fcvg_core.models.svd import check_size
        from ..fcvg_core.sampling import draw_augmentation
        from .host.svd.conditioning import (
            KeyframeSettings,
            empty_video,
            encode_keyframes,
            fit_keyframe,
        )

        check_size(height, width)
        size = (height, width)
        frames = (
            fit_keyframe(first_frame, size, "first_frame"),
            fit_keyframe(last_frame, size, "last_frame"),
        )
        noise = draw_augmentation(augmentation_seed, size)
        settings = KeyframeSettings(fps, motion_bucket_id, augmentation)
        encoded = encode_keyframes(clip_vision, vae, frames, noise, settings)
        return io.NodeOutput(*encoded.images, encoded.negative, empty_video(num_frames, size))


NODES = [LoadSVD, LoadFcvgModel, EncodeKeyframes]
