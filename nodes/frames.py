"""Frames in and out: cropping and resizing before, decoding after."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .newer import search_words


class CropResize(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_CropResize",
            display_name="Crop & Resize",
            category="FCVG/frames",
            **search_words("crop", "resize", "scale", "keyframe size"),
            description="Cut the middle of a picture to the wanted shape, then resize it. "
            "Both keyframes have to go through this with one size.",
            inputs=[
                io.Image.Input("image", tooltip="One picture or a batch, of any size."),
                io.Int.Input(
                    "width",
                    default=1024,
                    **bounds.SIZE.widget,
                    tooltip="In pixels. FCVG was trained at 1024 x 576.",
                ),
                io.Int.Input(
                    "height",
                    default=576,
                    **bounds.SIZE.widget,
                    tooltip="In pixels. FCVG was trained at 1024 x 576.",
                ),
            ],
            outputs=[io.Image.Output(display_name="image", tooltip="Width x height, RGB.")],
        )

    @classmethod
    def execute(cls, image, width: int, height: int) -> io.NodeOutput:
        import torch
        from comfy.model_management import throw_exception_if_processing_interrupted

        from .host.images import check_image
        from .host.svd.conditioning import fit_picture

        fitted = []
        for frame in check_image(image, "image"):
            throw_exception_if_processing_interrupted()
            fitted.append(fit_picture(frame[None], (height, width), "image"))
        return io.NodeOutput(torch.cat(fitted).movedim(1, -1))


class DecodeFrames(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DecodeFrames",
            display_name="Decode Frames",
            category="FCVG/frames",
            **search_words("vae decode", "video decode", "svd decode"),
            description="Latents of a video to frames, a stated number at a time, not as many as "
            "memory allows: so every card gives the same picture. Connect the keyframes to have "
            "them back exactly.",
            inputs=[
                io.Vae.Input("vae", tooltip="SVD's, with its temporal decoder."),
                io.Latent.Input(
                    "latent",
                    tooltip="From FCVG Sampler, ControlNeXt-SVD Sampler or SamplerCustomAdvanced.",
                ),
                io.Int.Input(
                    "frames_per_chunk",
                    default=2,
                    **bounds.DECODE_CHUNK.widget,
                    tooltip="More is smoother between chunks and takes more memory. 2 is "
                    "FCVG's; 8 at 1024 x 576 wants a 24 GB card. Halved when memory "
                    "runs out.",
                ),
                io.Image.Input(
                    "first_frame", optional=True, tooltip="Put in place of the first decoded frame."
                ),
                io.Image.Input(
                    "last_frame", optional=True, tooltip="Put in place of the last decoded frame."
                ),
            ],
            outputs=[io.Image.Output(display_name="frames", tooltip="The video, frame by frame.")],
        )

    @classmethod
    def execute(
        cls, vae, latent, frames_per_chunk: int, first_frame=None, last_frame=None
    ) -> io.NodeOutput:
        from .host.images import first_picture
        from .host.svd.conditioning import fit_picture
        from .host.svd.decode import decode_frames

        given = ((0, first_frame, "first_frame"), (-1, last_frame, "last_frame"))
        # Checked before the decoding, which takes long.
        keyframes = [(at, first_picture(x, name), name) for at, x, name in given if x is not None]
        frames = decode_frames(vae, latent["samples"], frames_per_chunk)
        size = tuple(frames.shape[1:3])
        for at, keyframe, name in keyframes:
            frames[at] = fit_picture(keyframe, size, name)[0].movedim(0, -1)
        return io.NodeOutput(frames)


NODES = [CropResize, DecodeFrames]
