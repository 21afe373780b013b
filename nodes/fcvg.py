"""FCVG's models and what steers them: loaders, conditioning, ControlNeXt."""

from comfy_api.latest import io

from .host import folders
from .search import search_words
from .sockets import ControlNeXtSocket

WEIGHT_DTYPES = ["default", "fp8_e4m3fn", "fp8_e5m2"]  # keys of host.loading.WEIGHT_DTYPES


def size_inputs() -> list[io.Input]:
    """Widgets for the size of a video, shared by the nodes that make one."""
    tooltip = "In pixels, a multiple of 64. FCVG was trained at 1024 x 576."
    return [
        io.Int.Input("width", default=1024, min=64, max=4096, step=64, tooltip=tooltip),
        io.Int.Input("height", default=576, min=64, max=4096, step=64, tooltip=tooltip),
        io.Int.Input("num_frames", default=25, min=2, max=1024,
                     tooltip="Of the video, keyframes included. FCVG was trained on 25."),
    ]  # fmt: skip


def keyframe_inputs() -> list[io.Input]:
    """Widgets for what SVD is told about a video."""
    return [
        io.Int.Input("fps", default=7, min=1, max=30,
                     tooltip="Frames a second that the motion is painted for; FCVG's is 7."),
        io.Int.Input("motion_bucket_id", default=127, min=1, max=1023,
                     tooltip="How much motion: SVD's measure, FCVG's is 127."),
        io.Float.Input("augmentation", default=0.02, min=0.0, max=1.0, step=0.01,
                       tooltip="Noise on the keyframes: more frees the video from them. As SVD "
                       "counts it, in a range of -1 to 1."),
    ]  # fmt: skip


class LoadSVD(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadSVD",
            display_name="Load SVD (diffusers folder)",
            category="FCVG/loaders",
            **search_words("stable video diffusion", "diffusers"),
            description="Stable Video Diffusion from a folder in diffusers' layout. For the single "
            "file svd_xt_1_1.safetensors take Image Only Checkpoint Loader instead.",
            inputs=[
                io.Combo.Input("folder", options=folders.list_svd_folders(),
                               tooltip="A folder with a model_index.json in models/diffusers."),
                io.Boolean.Input("with_unet", default=True,
                                 tooltip="Off saves 3 GB: FCVG's own whole UNet needs no base."),
            ],
            outputs=[
                io.Model.Output(tooltip="SVD's own UNet: the base of a partial FCVG file."),
                io.ClipVision.Output(tooltip="CLIP image encoder."),
                io.Vae.Output(tooltip="VAE with SVD's temporal decoder."),
            ],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, folder: str | None) -> bool | str:
        return folders.is_there(folders.find_svd_folder, folder)

    @classmethod
    def execute(cls, folder: str, with_unet: bool) -> io.NodeOutput:
        from comfy_execution.graph_utils import ExecutionBlocker

        from .host.loading import load_svd_encoders, load_svd_unet

        path = folders.find_svd_folder(folder)
        unet = (
            load_svd_unet(path)
            if with_unet
            else ExecutionBlocker("SVD's UNet was not loaded: switch with_unet on in Load SVD.")
        )
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
                io.Combo.Input("unet_name", options=folders.list_files(folders.UNET),
                               tooltip="A file in models/diffusion_models."),
                io.Combo.Input("weight_dtype", options=WEIGHT_DTYPES, default="default",
                               tooltip="fp8 halves the memory of the weights and costs detail."),
                io.Model.Input("base_model", optional=True,
                               tooltip="SVD, for a file that holds a part of the tensors."),
            ],
            outputs=[io.Model.Output(tooltip="For Apply ControlNeXt and the FCVG Sampler.")],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, unet_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.UNET, unet_name)

    @classmethod
    def execute(cls, unet_name: str, weight_dtype: str, base_model=None) -> io.NodeOutput:
        from .host.loading import load_unet

        if weight_dtype not in WEIGHT_DTYPES:
            raise ValueError(f"weight_dtype is {weight_dtype!r}, but it is one of {WEIGHT_DTYPES}.")
        path = folders.find_file(folders.UNET, unet_name)
        return io.NodeOutput(load_unet(path, base_model, weight_dtype))


class LoadControlNeXt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadControlNeXt",
            display_name="Load ControlNeXt",
            category="FCVG/loaders",
            **search_words("controlnet", "controlnext-svd"),
            description="FCVG's controlnext.safetensors, or ControlNeXt-SVD's, version 2 or 1.",
            inputs=[
                io.Combo.Input("controlnext_name", options=folders.list_files(folders.CONTROLNEXT),
                               tooltip="A file in models/controlnext.")
            ],
            outputs=[ControlNeXtSocket.Output(display_name="controlnext",
                                              tooltip="For Apply ControlNeXt.")],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, controlnext_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.CONTROLNEXT, controlnext_name)

    @classmethod
    def execute(cls, controlnext_name: str) -> io.NodeOutput:
        from .host.loading import load_controlnext

        path = folders.find_file(folders.CONTROLNEXT, controlnext_name)
        return io.NodeOutput(load_controlnext(path))


class EncodeKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_EncodeKeyframes",
            display_name="FCVG Conditioning",
            category="FCVG/conditioning",
            **search_words("keyframes", "image to video", "svd conditioning"),
            description="What the model takes of the two keyframes, and an empty video.",
            inputs=[
                io.ClipVision.Input("clip_vision", tooltip="SVD's CLIP image encoder."),
                io.Vae.Input("vae", tooltip="SVD's VAE."),
                io.Image.Input("first_frame", tooltip="The frame that the video begins with."),
                io.Image.Input("last_frame", tooltip="The frame that it ends with."),
                *size_inputs(),
                *keyframe_inputs(),
                io.Int.Input("augmentation_seed", default=0, min=0, max=2**64 - 1,
                             tooltip="Of the augmentation noise, one and the same for both."),
            ],
            outputs=[
                io.Conditioning.Output(display_name="first", tooltip="Of the first keyframe."),
                io.Conditioning.Output(display_name="last", tooltip="Of the last keyframe."),
                io.Conditioning.Output(display_name="negative", tooltip="Unconditional."),
                io.Latent.Output(display_name="latent", tooltip="An empty video."),
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, clip_vision, vae, first_frame, last_frame, width: int, height: int, num_frames: int,
        fps: int, motion_bucket_id: int, augmentation: float, augmentation_seed: int,
    ) -> io.NodeOutput:  # fmt: skip
        import torch

        from ..fcvg_core.models.fcvg import check_size
        from ..fcvg_core.sampling import draw_noise
        from .host.conditioning import KeyframeSettings, encode_keyframes, fit_keyframe

        check_size(height, width)
        size = (height, width)
        frames = (
            fit_keyframe(first_frame, size, "first_frame"),
            fit_keyframe(last_frame, size, "last_frame"),
        )
        noise = draw_noise(augmentation_seed, size, num_frames)
        settings = KeyframeSettings(fps, motion_bucket_id, augmentation)
        conditions = encode_keyframes(clip_vision, vae, frames, noise.augmentation, settings)
        return io.NodeOutput(*conditions, {"samples": torch.zeros_like(noise.latents)})


class ApplyControlNeXt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_ApplyControlNeXt",
            display_name="Apply ControlNeXt",
            category="FCVG/conditioning",
            **search_words("controlnet", "apply control"),
            description="Steer the model frame by frame. The model that comes in is not changed.",
            inputs=[
                io.Model.Input("model", tooltip="From Load FCVG Model."),
                ControlNeXtSocket.Input("controlnext", tooltip="From Load ControlNeXt."),
                io.Image.Input("control_frames",
                               tooltip="As many as the video has frames, lines or poses on black."),
                io.Float.Input("strength", default=1.0, min=0.0, max=10.0, step=0.05,
                               tooltip="FCVG's is 1.0; 0 is no control."),
                io.Float.Input("start_percent", default=0.0, min=0.0, max=1.0, step=0.01,
                               tooltip="Where in the sampling control begins to act."),
                io.Float.Input("end_percent", default=1.0, min=0.0, max=1.0, step=0.01,
                               tooltip="Where in the sampling it ceases to act."),
            ],
            outputs=[io.Model.Output(tooltip="For the Inbetween or the Animation Guider.")],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model, controlnext, control_frames, strength: float, start_percent: float,
        end_percent: float,
    ) -> io.NodeOutput:  # fmt: skip
        from .host.control_patch import steer

        return io.NodeOutput(
            steer(
                model,
                controlnext,
                control_frames,
                strength=strength,
                start_percent=start_percent,
                end_percent=end_percent,
            )
        )


NODES = [LoadSVD, LoadFcvgModel, LoadControlNeXt, EncodeKeyframes, ApplyControlNeXt]
