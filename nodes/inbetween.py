"""Sampling between two keyframes: nodes for ComfyUI's own samplers, and one node for all."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .box_widgets import sampler_inputs, start_inputs
from .keyframe_widgets import keyframes_input
from .messages import display_below_log, shows_log
from .newer import search_words, shows_results
from .pass_widgets import fast_input, forward_share_input, interval_inputs
from .sockets import ControlNeXtSocket
from .widgets import (
    CLIP_VISION,
    EXTRA_STEPS,
    FIRST_FRAME,
    LAST_FRAME,
    SEED,
    VAE,
    guidance_inputs,
    hint_inputs,
    num_frames_input,
    size_inputs,
)

REPEATED_SHARE = (
    "Share of all steps that are repeated, from the first step on; 0 switches noise injection off. "
    "0.5 is a good value."
)


class GuideInbetween(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_GuideInbetween",
            display_name="Inbetween Guider",
            category="FCVG/sampling",
            **search_words("cfg guider", "time reversal", "fusion", "first last frame"),
            **shows_results(),
            description="Samples forward from the first keyframe and backward from the last "
            "keyframe at once, and fuses both at every step, so the video begins and ends with the "
            "keyframes. Between more keyframes each span has both directions of its own, all in "
            "one run. For SamplerCustomAdvanced, with any sampler and scheduler.",
            inputs=[
                io.Model.Input("model", tooltip="FCVG's model, from Apply ControlNeXt."),
                io.Conditioning.Input(
                    "first", tooltip="Conditioning of the first keyframe, from FCVG Conditioning."
                ),
                io.Conditioning.Input(
                    "last", tooltip="Conditioning of the last keyframe, from FCVG Conditioning."
                ),
                io.Conditioning.Input(
                    "negative",
                    tooltip="The unconditional input (no picture), from FCVG Conditioning.",
                ),
                *guidance_inputs(),
                *interval_inputs(),
                forward_share_input(),
            ],
            outputs=[io.Guider.Output(tooltip="The guider, for SamplerCustomAdvanced.")],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        model,
        first,
        last,
        negative,
        min_guidance: float,
        max_guidance: float,
        window: int,
        overlap: int,
        guidance_from: float = 0.0,
        guidance_until: float = 1.0,
        forward_share: float = 0.0,
    ) -> io.NodeOutput:
        from .host.coverage import log_coverage_of
        from .host.guider import InbetweenGuider

        guider = InbetweenGuider(
            model,
            window=window,
            overlap=overlap,
            guidance_start=min_guidance,
            guidance_end=max_guidance,
            guidance_from=guidance_from,
            guidance_until=guidance_until,
            forward_share=forward_share,
            display=display_below_log(),
        )
        log_coverage_of(model, enough=guider.enough_parts)
        guider.set_conds(first, last, negative)
        return io.NodeOutput(guider)


class InjectNoise(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_InjectNoise",
            display_name="Noise Injection Sampler",
            category="FCVG/sampling",
            **search_words("noise reinjection", "sampler"),
            **shows_results(),
            description="Repeats the first steps with new noise in between, which helps the "
            "forward and the backward direction to agree and costs time. For euler and other "
            "samplers that work one step at a time.",
            inputs=[
                io.Sampler.Input(
                    "sampler",
                    tooltip="The sampler whose steps are repeated, from KSamplerSelect. FCVG uses "
                    "euler. uni_pc, sa_solver, dpm_fast and dpm_adaptive do not work one step at a "
                    "time and are refused.",
                ),
                io.Int.Input(
                    "steps",
                    default=1,
                    **bounds.INJECTION_TIMES.widget,
                    tooltip=f"{EXTRA_STEPS} 1 or 2 is a good start.",
                ),
                io.Float.Input(
                    "ratio",
                    default=0.5,
                    **bounds.SHARE.widget,
                    step=0.05,
                    tooltip=REPEATED_SHARE,
                ),
            ],
            outputs=[
                io.Sampler.Output(
                    tooltip="The sampler with noise injection, for SamplerCustomAdvanced."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, sampler, steps: int, ratio: float) -> io.NodeOutput:
        from .host.injection import inject_into

        return io.NodeOutput(inject_into(sampler, times=steps, ratio=ratio))


class SampleInbetween(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:

        return io.Schema(
            node_id="FCVG_Sampler",
            display_name="FCVG Sampler",
            category="FCVG/sampling",
            **search_words(
                "inbetweening",
                "frame interpolation",
                "tween",
                "interpolate video",
                "first last frame",
                "start end frame",
                "faster",
            ),
            **shows_results(),
            description="Paints the frames between two keyframes or more, all in one node: "
            "conditioning, control, both directions, sampling. The same seed gives the same video "
            "as the command line.",
            inputs=[
                io.Model.Input("model", tooltip="FCVG's model, from Load FCVG Model."),
                io.ClipVision.Input("clip_vision", tooltip=CLIP_VISION),
                io.Vae.Input("vae", tooltip=VAE),
                io.Image.Input("first_frame", tooltip=FIRST_FRAME),
                io.Image.Input("last_frame", tooltip=LAST_FRAME),
                ControlNeXtSocket.Input(
                    "controlnext",
                    optional=True,
                    tooltip="FCVG's ControlNeXt, from Load ControlNeXt. Needs control_frames.",
                ),
                io.Image.Input(
                    "control_frames",
                    optional=True,
                    tooltip="One picture for each frame of the video (as many as num_frames), from "
                    "Interpolate Conditions, Draw Inbetween Lines or Interpolate & Draw Poses. "
                    "Needs controlnext. Without control frames the model finds its own way between "
                    "the keyframes.",
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
                    tooltip="Number of sampling steps. FCVG uses 25; fewer are faster and rougher.",
                ),
                *guidance_inputs(),
                *sampler_inputs("FCVG"),
                *size_inputs(),
                num_frames_input(),
                *hint_inputs(),
                io.Int.Input(
                    "noise_injection_steps",
                    default=0,
                    **bounds.INJECTION_TIMES.widget,
                    tooltip=f"{EXTRA_STEPS} Helps the forward and the backward direction to agree. "
                    "Needs noise_injection_ratio above 0. FCVG uses 0; try 1 with a ratio of 0.5, "
                    "which takes half as much time again.",
                ),
                io.Float.Input(
                    "noise_injection_ratio",
                    default=0.0,
                    **bounds.SHARE.widget,
                    step=0.05,
                    tooltip=REPEATED_SHARE,
                ),
                *start_inputs(),
                *interval_inputs(),
                forward_share_input(),
                fast_input(whole=100, fast=28),
                keyframes_input(),
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
        first_frame,
        last_frame,
        controlnext=None,
        control_frames=None,
        latent_image=None,
        keyframes=None,
        **settings,
    ) -> io.NodeOutput:
        from .host.box_settings import BoxSettings
        from .host.boxes import SvdModels, make_control, sample_inbetween
        from .host.images import check_image, first_picture
        from .host.keyframes import name_pictures

        if control_frames is not None:
            control_frames = check_image(control_frames, "control_frames")
        images = name_pictures(
            first_picture(first_frame, "first_frame"),
            keyframes,
            first_picture(last_frame, "last_frame"),
        )
        control = make_control(controlnext, control_frames)
        models = SvdModels(model, clip_vision, vae)
        chosen = BoxSettings.from_widgets(**settings)
        latent = sample_inbetween(
            models,
            images,
            control,
            chosen,
            at=keyframes.at(chosen.sampling.num_frames) if keyframes else (),
            start=latent_image,
            display=display_below_log(),
        )
        return io.NodeOutput(latent)


NODES = [GuideInbetween, InjectNoise, SampleInbetween]
