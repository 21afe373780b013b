"""Frames in and out: cropping and resizing before, decoding after."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .host import folders
from .keyframe_widgets import keyframes_input, match_colors_input
from .messages import shows_log
from .newer import search_words, shows_results
from .widgets import ALL_SIZES, VAE

# The second half of the tooltips of width and height.
SIZES = f"in pixels, a multiple of 64. {ALL_SIZES}"


class CropResize(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_CropResize",
            display_name="Crop & Resize",
            category="FCVG/frames",
            **search_words("crop", "resize", "pad", "letterbox", "scale", "mask", "keyframe size"),
            **shows_results(),
            description="Brings a picture, and the mask that belongs to it, to the size of the "
            "video: cropped, padded or stretched. Both keyframes need the same size. The node says "
            "what is cut off.",
            inputs=[
                io.Image.Input(
                    "image",
                    tooltip="One picture or a batch, of any size. Transparency is dropped, grey "
                    "becomes RGB, and values outside 0 to 1 are cut off.",
                ),
                io.Int.Input(
                    "width",
                    default=1024,
                    **bounds.SIZE.widget,
                    tooltip=f"Width of the result {SIZES}",
                ),
                io.Int.Input(
                    "height",
                    default=576,
                    **bounds.SIZE.widget,
                    tooltip=f"Height of the result {SIZES}",
                ),
                io.Combo.Input(
                    "fit",
                    options=list(choices.PICTURE_FITS),
                    default=choices.PICTURE_FITS[0],
                    optional=True,
                    tooltip="What happens to a picture of another shape. crop: the picture fills "
                    "the frame, and what does not fit is cut off. pad: the whole picture is kept, "
                    "with black bars beside it, as in a film; the bars stay in the video. stretch: "
                    "the whole picture fills the frame, and its proportions change.",
                ),
                io.Combo.Input(
                    "anchor",
                    options=list(choices.ANCHORS),
                    default=choices.ANCHORS[0],
                    optional=True,
                    tooltip="With crop: the part of the picture that is kept, for example top for "
                    "a head at the upper edge. With pad: where in the frame the picture lies. Has "
                    "no effect with stretch.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="The mask that belongs to the picture, for example from Load Image: it "
                    "is cropped, padded or stretched exactly as the picture is. A mask of another "
                    "size is first stretched to the picture.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    display_name="image", tooltip="The pictures with the chosen size, in RGB."
                ),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="The mask with the chosen size, for Filter Line Matches. Black bars "
                    "are outside the mask. Without a mask it is empty.",
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        image,
        width: int,
        height: int,
        fit: str = choices.PICTURE_FITS[0],
        anchor: str = choices.ANCHORS[0],
        mask=None,
    ) -> io.NodeOutput:
        import torch

        from ..fcvg_core.models.svd import check_size
        from .host.fitting import fit_masks, fit_pictures
        from .host.images import check_image, check_masks

        check_size(height, width)  # a value of a link passes the limits of the widget
        size = (height, width)
        images = check_image(image, "image")
        masks = torch.zeros(1, *size) if mask is None else check_masks(mask, "mask")
        before = tuple(images.shape[1:3])
        return io.NodeOutput(
            fit_pictures(images, size, "image", fit, anchor),
            fit_masks(masks, before, size, "mask", fit, anchor),
        )


class EncodeFrames(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_EncodeFrames",
            display_name="Encode Frames",
            category="FCVG/frames",
            **search_words("vae encode", "video encode", "svd encode", "video to video"),
            **shows_results(),
            description="Encodes the frames of a video, a fixed number of frames at a time, so "
            "that sampling can start from the video instead of noise alone.",
            inputs=[
                io.Vae.Input("vae", tooltip=VAE),
                io.Image.Input(
                    "frames",
                    tooltip="The video, one picture a frame: as many frames as the sampler makes, "
                    "of the same size, with width and height multiples of 64.",
                ),
                io.Int.Input(
                    "frames_per_chunk",
                    default=2,
                    **bounds.DECODE_CHUNK.widget,
                    tooltip="Number of frames that are encoded at once. Each frame is encoded by "
                    "itself, so the number hardly changes the latents; 1 needs the least memory. "
                    "The number is halved when memory runs out.",
                ),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent",
                    tooltip="Latents of the video, for latent_image of FCVG Sampler, "
                    "ControlNeXt-SVD Sampler or SamplerCustomAdvanced.",
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, vae, frames, frames_per_chunk: int) -> io.NodeOutput:
        from .host.images import check_image
        from .host.svd.encode import encode_frames

        latents = encode_frames(vae, check_image(frames, "frames"), frames_per_chunk)
        return io.NodeOutput({"samples": latents})


class DecodeFrames(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DecodeFrames",
            display_name="Decode Frames",
            category="FCVG/frames",
            **search_words("vae decode", "video decode", "svd decode"),
            **shows_results(),
            description="Decodes the latents of a video, a fixed number of frames at a time, so "
            "the result does not depend on the card's memory. Connect the keyframes to get them "
            "back exactly; match_colors then brings the other frames to their colours.",
            inputs=[
                io.Vae.Input(
                    "vae",
                    tooltip="SVD's VAE with its temporal decoder. For DynamiCrafter: its own VAE.",
                ),
                io.Latent.Input(
                    "latent",
                    tooltip="Latents of the video, from FCVG Sampler, ControlNeXt-SVD Sampler or "
                    "SamplerCustomAdvanced.",
                ),
                io.Int.Input(
                    "frames_per_chunk",
                    default=2,
                    **bounds.DECODE_CHUNK.widget,
                    tooltip="Number of frames that are decoded at once. More frames are smoother "
                    "from chunk to chunk and need more memory: 8 at 1024 x 576 needs a 24 GB card, "
                    "1 needs the least. FCVG uses 2. For DynamiCrafter the number changes nothing "
                    "but the memory. The number is halved when memory runs out.",
                ),
                io.Image.Input(
                    "first_frame",
                    optional=True,
                    tooltip="Replaces the first decoded frame, cropped and resized to fit. Leave "
                    "it out for ControlNeXt-SVD.",
                ),
                io.Image.Input(
                    "last_frame",
                    optional=True,
                    tooltip="Replaces the last decoded frame, cropped and resized to fit. Leave it "
                    "out for ControlNeXt-SVD.",
                ),
                match_colors_input(),
                keyframes_input("They replace the decoded frames at their places."),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="The video, one picture a frame.")
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        vae,
        latent,
        frames_per_chunk: int,
        first_frame=None,
        last_frame=None,
        match_colors: bool = False,
        keyframes=None,
    ) -> io.NodeOutput:
        from .host.decoded import check_ramp, put_back, read_known
        from .host.latents import one_tensor
        from .host.svd.decode import decode_frames

        latents = one_tensor(latent)
        # Checked before the decoding, which takes long.
        known = read_known(first_frame, last_frame, keyframes, len(latents))
        if match_colors:
            check_ramp(known, len(latents))
        frames = decode_frames(vae, latents, frames_per_chunk)
        put_back(frames, known, match_colors=match_colors)
        return io.NodeOutput(frames)


class DecodeDraft(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DecodeDraft",
            display_name="Decode Frames (draft)",
            category="FCVG/frames",
            **search_words("taesdv", "taesd", "tiny vae", "preview video", "faster decode"),
            **shows_results(),
            description="Decodes the latents of a video by the tiny decoder TAESDV: in a fraction "
            "of the time and memory of Decode Frames, with less detail. For a look at the motion "
            "before the video is decoded well.",
            inputs=[
                io.Latent.Input(
                    "latent",
                    tooltip="Latents of a video of SVD, DynamiCrafter or SMCD, from FCVG Sampler, "
                    "ControlNeXt-SVD Sampler or SamplerCustomAdvanced.",
                ),
                io.Combo.Input(
                    "decoder_name",
                    options=folders.list_taesdv(),
                    tooltip="taesdv.pth in models/vae_approx. If the file is there, the moving "
                    "preview of the nodes that sample uses it too.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="The video, one picture a frame.")
            ],
        )

    @classmethod
    def validate_inputs(cls, decoder_name: str | None) -> bool | str:
        return folders.are_there(folders.VAE_APPROX, decoder_name)

    @classmethod
    @shows_log
    def execute(cls, latent, decoder_name: str) -> io.NodeOutput:
        from .host.latents import one_tensor
        from .host.taesdv import decode_draft, load_taesdv

        latents = one_tensor(latent)
        decoder = load_taesdv(folders.find_file(folders.VAE_APPROX, decoder_name))
        return io.NodeOutput(decode_draft(decoder, latents))


NODES = [CropResize, DecodeDraft, DecodeFrames, EncodeFrames]
