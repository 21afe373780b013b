"""Sampling between two keyframes: the parts for the host's own nodes, and all in one box."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .newer import search_words
from .sockets import ControlNeXtSocket
from .widgets import SEED, TIMES_MORE, guidance_inputs, keyframe_inputs, size_inputs


class GuideInbetween(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_GuideInbetween",
            display_name="Inbetween Guider",
            category="FCVG/sampling",
            **search_words("cfg guider", "time reversal", "fusion", "first last frame"),
            description="For SamplerCustomAdvanced: sample from the first keyframe forward and "
            "from the last one backward at once, and fuse the two at every step.",
            inputs=[
                io.Model.Input("model", tooltip="FCVG's model, after Apply ControlNeXt."),
                io.Conditioning.Input("first", tooltip="From FCVG Conditioning."),
                io.Conditioning.Input("last", tooltip="From FCVG Conditioning."),
                io.Conditioning.Input("negative", tooltip="From FCVG Conditioning."),
                *guidance_inputs(),
            ],
            outputs=[io.Guider.Output(tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
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
    ) -> io.NodeOutput:
        from .host.guider import InbetweenGuider

        guider = InbetweenGuider(
            model,
            window=window,
            overlap=overlap,
            guidance_start=min_guidance,
            guidance_end=max_guidance,
        )
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
            description="Take the first steps several times, with new noise in between. Helps the "
            "two directions to agree; costs time. For euler and other samplers without noise.",
            inputs=[
                io.Sampler.Input("sampler", tooltip="From KSamplerSelect."),
                io.Int.Input(
                    "steps", default=1, **bounds.INJECTION_TIMES.widget, tooltip=TIMES_MORE
                ),
                io.Float.Input(
                    "ratio",
                    default=0.5,
                    **bounds.SHARE.widget,
                    step=0.05,
                    tooltip="Share of all steps that are taken several times.",
                ),
            ],
            outputs=[io.Sampler.Output(tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(cls, sampler, steps: int, ratio: float) -> io.NodeOutput:
        from .host.injection import inject_into

        return io.NodeOutput(inject_into(sampler, times=steps, ratio=ratio))


class SampleInbetween(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        import comfy.samplers

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
            ),
            description="All in one box: conditioning, control, both directions, sampling. The "
            "same seed gives the same video as the command line.",
            inputs=[
                io.Model.Input("model", tooltip="From Load FCVG Model."),
                io.ClipVision.Input("clip_vision", tooltip="SVD's CLIP image encoder."),
                io.Vae.Input("vae", tooltip="SVD's VAE."),
                io.Image.Input("first_frame", tooltip="The frame that the video begins with."),
                io.Image.Input("last_frame", tooltip="The frame that it ends with."),
                ControlNeXtSocket.Input(
                    "controlnext",
                    optional=True,
                    tooltip="From Load ControlNeXt; with control_frames.",
                ),
                io.Image.Input(
                    "control_frames",
                    optional=True,
                    tooltip="As many as num_frames. Without them the model finds its own way.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    **bounds.SEED.widget,
                    control_after_generate=True,
                    tooltip=SEED,
                ),
                io.Int.Input("steps", default=25, **bounds.STEPS.widget, tooltip="FCVG's is 25."),
                *guidance_inputs(),
                io.Float.Input(
                    "control_weight",
                    default=1.0,
                    **bounds.CONTROL_WEIGHT.widget,
                    step=0.05,
                    tooltip="How strongly the control frames steer; FCVG's is 1.0.",
                ),
                io.Combo.Input(
                    "sampler_name",
                    options=comfy.samplers.SAMPLER_NAMES,
                    default="euler",
                    tooltip="FCVG's is euler.",
                ),
                io.Combo.Input(
                    "scheduler",
                    options=comfy.samplers.SCHEDULER_NAMES,
                    default="karras",
                    tooltip="FCVG's is karras.",
                ),
                *size_inputs(),
                *keyframe_inputs(),
                io.Int.Input(
                    "noise_injection_steps",
                    default=0,
                    **bounds.INJECTION_TIMES.widget,
                    tooltip=f"{TIMES_MORE} Needs noise_injection_ratio above 0.",
                ),
                io.Float.Input(
                    "noise_injection_ratio",
                    default=0.0,
                    **bounds.SHARE.widget,
                    step=0.05,
                    tooltip="Share of all steps, from the first on, that "
                    "are repeated; 0 is off. 0.5 is a good value.",
                ),
            ],
            outputs=[io.Latent.Output(display_name="latent", tooltip="For Decode Frames.")],
        )

    @classmethod
    def execute(
        cls,
        model,
        clip_vision,
        vae,
        first_frame,
        last_frame,
        controlnext=None,
        control_frames=None,
        **settings,
    ) -> io.NodeOutput:
        from .host.boxes import BoxSettings, SvdModels, make_control, sample_inbetween
        from .host.images import check_image, first_picture

        if control_frames is not None:
            control_frames = check_image(control_frames, "control_frames")
        keyframes = (
            first_picture(first_frame, "first_frame"),
            first_picture(last_frame, "last_frame"),
        )
        control = make_control(controlnext, control_frames)
        models = SvdModels(model, clip_vision, vae)
        chosen = BoxSettings.from_widgets(**settings)
        return io.NodeOutput(sample_inbetween(models, keyframes, control, chosen))


NODES = [GuideInbetween, InjectNoise, SampleInbetween]
