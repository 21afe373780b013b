"""ControlNeXt-SVD: animates a reference image by control frames."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .box_widgets import sampler_inputs, start_inputs
from .messages import display_below_log, shows_log
from .newer import rarely_changed, search_words, shows_results
from .pass_widgets import fast_input, interval_inputs
from .sockets import ControlNeXtSocket
from .widgets import (
    CLIP_VISION,
    EMPTY_VIDEO,
    NO_PICTURE,
    SEED,
    VAE,
    compared_control_input,
    guidance_inputs,
    hint_inputs,
    size_inputs,
)

REFERENCE = (
    "The picture whose person moves in the video. A picture of another size is cropped and "
    "resized; of a batch the first picture is used."
)


def _size_inputs() -> list[io.Input]:
    """Widgets for the size of a video."""
    return size_inputs(
        512,
        768,
        trained="512 x 768 is the default of ControlNeXt-SVD's authors; version 2 was trained up "
        "to 576 x 1024.",
    )


def _hint_inputs() -> list[io.Input]:
    """Widgets for the hints that SVD gets about a video."""
    return hint_inputs(128, model="ControlNeXt-SVD", encoded="the reference picture before it is")


def _guidance_inputs() -> list[io.Input]:
    """Widgets for guidance and windows."""
    return guidance_inputs(
        guidance=2.0,
        window=24,
        start="Guidance at the first frame of a window. Higher values follow the reference picture "
        "more closely. ControlNeXt-SVD's default is 2.0 for version 2 and 3.5 for version 1; try 2 "
        "to 4. 1.0 in both min_guidance and max_guidance switches guidance off and takes about "
        "half the time.",
        end="Guidance at the last frame of a window; it changes linearly in between. "
        "ControlNeXt-SVD uses the same value as in min_guidance, so that guidance is constant.",
        trained="Use 24 for version 2 and 14 for version 1; fewer need less memory, but seams may "
        "show.",
    )


class EncodeReference(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_EncodeReference",
            display_name="ControlNeXt-SVD Conditioning",
            category="FCVG/conditioning",
            **search_words("image to video", "svd conditioning", "animate"),
            **shows_results(),
            description="Prepares the reference picture for the model and makes an empty video of "
            "the chosen size, for Animation Guider.",
            inputs=[
                io.ClipVision.Input("clip_vision", tooltip=CLIP_VISION),
                io.Vae.Input("vae", tooltip=VAE),
                io.Image.Input("reference_image", tooltip=REFERENCE),
                *_size_inputs(),
                io.Int.Input(
                    "num_frames",
                    default=24,
                    **bounds.ANIMATION_FRAMES.widget,
                    tooltip="Number of frames of the video: the number of control frames. Connect "
                    "batch_size of Get Image Size instead of counting them.",
                ),
                *_hint_inputs(),
                io.Int.Input(
                    "augmentation_seed",
                    default=0,
                    **bounds.SEED.widget,
                    **rarely_changed(),
                    tooltip="Seed of the augmentation noise.",
                ),
                compared_control_input(),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive",
                    tooltip="Conditioning of the reference picture, for Animation Guider.",
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
        reference_image,
        width: int,
        height: int,
        num_frames: int,
        fps: int,
        motion_bucket_id: int,
        augmentation: float,
        augmentation_seed: int,
        control_frames=None,
    ) -> io.NodeOutput:
        from .host.svd.conditioning import KeyframeSettings, condition_video

        outputs = condition_video(
            clip_vision,
            vae,
            {"reference_image": reference_image},
            size=(height, width),
            num_frames=num_frames,
            settings=KeyframeSettings(fps, motion_bucket_id, augmentation),
            seed=augmentation_seed,
            control_frames=control_frames,
        )
        return io.NodeOutput(*outputs)


class GuideAnimation(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_GuideAnimation",
            display_name="Animation Guider",
            category="FCVG/sampling",
            **search_words("cfg guider", "context windows", "long video", "animate"),
            **shows_results(),
            description="Samples a video of any length from one reference picture, in overlapping "
            "windows and in the memory of one window. For SamplerCustomAdvanced, with any sampler "
            "and scheduler.",
            inputs=[
                io.Model.Input("model", tooltip="ControlNeXt-SVD's model, from Apply ControlNeXt."),
                io.Conditioning.Input(
                    "positive",
                    tooltip="Conditioning of the reference picture, from ControlNeXt-SVD "
                    "Conditioning.",
                ),
                io.Conditioning.Input(
                    "negative",
                    tooltip="The unconditional input (no picture), from ControlNeXt-SVD "
                    "Conditioning.",
                ),
                *_guidance_inputs(),
                *interval_inputs(),
            ],
            outputs=[io.Guider.Output(tooltip="The guider, for SamplerCustomAdvanced.")],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        model,
        positive,
        negative,
        min_guidance: float,
        max_guidance: float,
        window: int,
        overlap: int,
        guidance_from: float = 0.0,
        guidance_until: float = 1.0,
    ) -> io.NodeOutput:
        from .host.coverage import log_coverage_of
        from .host.guider import AnimationGuider

        guider = AnimationGuider(
            model,
            window=window,
            overlap=overlap,
            guidance_start=min_guidance,
            guidance_end=max_guidance,
            guidance_from=guidance_from,
            guidance_until=guidance_until,
            display=display_below_log(),
        )
        log_coverage_of(model, enough=guider.enough_parts)
        guider.set_conds(positive, negative)
        return io.NodeOutput(guider)


class SampleAnimation(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:

        return io.Schema(
            node_id="FCVG_AnimateSampler",
            display_name="ControlNeXt-SVD Sampler",
            category="FCVG/sampling",
            **search_words("animate anyone", "pose to video", "dance", "faster"),
            **shows_results(),
            description="Makes the person of a picture move like the person of a driving video, "
            "all in one node: conditioning, control, sampling. The video has as many frames as "
            "there are control frames.",
            inputs=[
                io.Model.Input("model", tooltip="ControlNeXt-SVD's model, from Load FCVG Model."),
                io.ClipVision.Input("clip_vision", tooltip=CLIP_VISION),
                io.Vae.Input("vae", tooltip=VAE),
                io.Image.Input("reference_image", tooltip=REFERENCE),
                ControlNeXtSocket.Input(
                    "controlnext",
                    tooltip="ControlNeXt-SVD's ControlNeXt of the same version as the model, from "
                    "Load ControlNeXt.",
                ),
                io.Image.Input(
                    "control_frames",
                    tooltip="One picture for each frame of the video: people on black, from Align "
                    "Poses to Reference.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    **bounds.SEED.widget,
                    control_after_generate=True,
                    tooltip=SEED,
                ),
                io.Int.Input(
                    "steps",
                    default=25,
                    **bounds.STEPS.widget,
                    tooltip="Number of sampling steps. ControlNeXt-SVD uses 25; fewer are faster "
                    "and rougher.",
                ),
                *_guidance_inputs(),
                *sampler_inputs("ControlNeXt-SVD"),
                *_size_inputs(),
                *_hint_inputs(),
                *start_inputs(),
                *interval_inputs(),
                fast_input(whole=50, fast=14),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent", tooltip="Latents of the video, for Decode Frames."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        model,
        clip_vision,
        vae,
        reference_image,
        controlnext,
        control_frames,
        latent_image=None,
        **settings,
    ) -> io.NodeOutput:
        from .host.box_settings import BoxSettings
        from .host.boxes import Control, SvdModels, sample_video
        from .host.guider import AnimationGuider
        from .host.images import check_image, first_picture

        control = Control(controlnext, check_image(control_frames, "control_frames"))
        reference = first_picture(reference_image, "reference_image")
        chosen = BoxSettings.from_widgets(
            num_frames=len(control.frames),
            noise_injection_steps=0,
            noise_injection_ratio=0.0,
            **settings,
        )
        models = SvdModels(model, clip_vision, vae)
        images = {"reference_image": reference}
        latent = sample_video(
            AnimationGuider,
            models,
            images,
            control,
            chosen,
            start=latent_image,
            display=display_below_log(),
        )
        return io.NodeOutput(latent)


NODES = [EncodeReference, GuideAnimation, SampleAnimation]
