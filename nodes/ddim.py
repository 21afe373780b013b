"""DDIM of DynamiCrafter and SMCD: sampler, schedule, and guidance over a whole clip."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .clip_widgets import (
    DDIM_MODEL,
    MODEL,
    eta_input,
    guidance_input,
    rescale_input,
    spacing_input,
    steps_input,
)
from .messages import shows_log
from .newer import rarely_changed, search_words, shows_results
from .widgets import check_linked


class ChooseDDIMSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DDIMSampler",
            display_name="DDIM Sampler",
            category="FCVG/sampling",
            **search_words("ddim", "eta", "dynamicrafter sampler", "smcd sampler", "ancestral"),
            **shows_results(),
            description="The sampler of DynamiCrafter and SMCD, step by step as in the official "
            "code, with DynamiCrafter's dynamic rescale. For SamplerCustomAdvanced, with the noise "
            "levels of DDIM Schedule.",
            inputs=[eta_input()],
            outputs=[io.Sampler.Output(tooltip="The sampler, for SamplerCustomAdvanced.")],
        )

    @classmethod
    @shows_log
    def execute(cls, eta: float) -> io.NodeOutput:
        from .host.unet3d.sampling import ddim_sampler

        check_linked("eta", eta, bounds.ETA)
        return io.NodeOutput(ddim_sampler(eta))


class ChooseDDIMSchedule(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_DDIMSchedule",
            display_name="DDIM Schedule",
            category="FCVG/sampling",
            **search_words("dynamicrafter schedule", "ddim scheduler", "trailing", "zero snr"),
            **shows_results(),
            description="The noise levels of the steps of DynamiCrafter and SMCD. They end at the "
            "lowest level that the model was trained on, as in the official code. Any of ComfyUI's "
            "samplers can use them too.",
            inputs=[
                io.Model.Input("model", tooltip=DDIM_MODEL),
                steps_input(),
                spacing_input(),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip="How much is painted anew. Keep 1, unless a video to start from is "
                    "connected to SamplerCustomAdvanced: then a lower number keeps more of it. "
                    "Each number above 0 takes the same number of steps.",
                ),
            ],
            outputs=[
                io.Sigmas.Output(tooltip="The noise level of each step, for SamplerCustomAdvanced.")
            ],
        )

    @classmethod
    @shows_log
    def execute(cls, model, steps: int, spacing: str, denoise: float) -> io.NodeOutput:
        from .host.unet3d.sampling import ddim_levels_of

        check_linked("steps", steps, bounds.STEPS)
        check_linked("denoise", denoise, bounds.SHARE)
        return io.NodeOutput(ddim_levels_of(model, steps, spacing, denoise))


class GuideThreeBranches(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_ThreeBranchGuider",
            display_name="Three-Branch Guider",
            category="FCVG/sampling",
            **search_words("dynamicrafter guider", "multiple cond cfg", "image guidance"),
            **shows_results(),
            description="Guides DynamiCrafter with separate strengths for the picture and for the "
            "prompt, or SMCD for picture and boxes and for the prompt. Each step runs the model "
            "three times in place of twice, so it takes half as long again as CFGGuider.",
            inputs=[
                io.Model.Input(
                    "model", tooltip=f"{DDIM_MODEL} Clip Guidance Rescale is not needed."
                ),
                io.Conditioning.Input(
                    "positive",
                    tooltip="Prompt and picture: positive of DynamiCrafter Conditioning or SMCD "
                    "Conditioning.",
                ),
                io.Conditioning.Input(
                    "image_only",
                    tooltip="Picture without prompt: image_only of DynamiCrafter Conditioning, or "
                    "negative of SMCD Conditioning.",
                ),
                io.Conditioning.Input(
                    "negative",
                    tooltip="Neither picture nor prompt: negative of DynamiCrafter Conditioning, "
                    "or nothing of SMCD Conditioning.",
                ),
                guidance_input(
                    "cfg",
                    "How closely the video follows the prompt. DynamiCrafter and SMCD use 7.5.",
                ),
                guidance_input(
                    "cfg_image",
                    "How closely the video follows the picture, and the boxes of SMCD. "
                    "DynamiCrafter's official code uses the same number as for the prompt; a "
                    "smaller number lets more move. SMCD: 1 is the official guidance; try 2 for "
                    "more weight on picture and boxes.",
                ),
                rescale_input(),
            ],
            outputs=[io.Guider.Output(tooltip="The guider, for SamplerCustomAdvanced.")],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        model,
        positive,
        image_only,
        negative,
        cfg: float,
        cfg_image: float,
        rescale: float,
    ) -> io.NodeOutput:
        from .host.unet3d.guider import make_guider

        check_linked("cfg", cfg, bounds.GUIDANCE)
        check_linked("cfg_image", cfg_image, bounds.IMAGE_GUIDANCE)
        check_linked("rescale", rescale, bounds.GUIDANCE_RESCALE)
        return io.NodeOutput(
            make_guider(
                model,
                positive,
                image_only,
                negative,
                cfg=cfg,
                cfg_image=cfg_image,
                rescale=rescale,
            )
        )


class RescaleClipGuidance(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_ClipGuidanceRescale",
            display_name="Clip Guidance Rescale",
            category="FCVG/sampling",
            **search_words("dynamicrafter guidance", "rescale cfg", "contrast", "overexposed"),
            **shows_results(),
            description="Keeps guidance from raising the contrast of a clip, as in DynamiCrafter's "
            "official code: the contrast is measured over all frames at once. ComfyUI's RescaleCFG "
            "measures each frame by itself, so that the brightness flickers.",
            inputs=[io.Model.Input("model", tooltip=MODEL), rescale_input()],
            outputs=[io.Model.Output(tooltip="The model with rescaled guidance, for CFGGuider.")],
        )

    @classmethod
    @shows_log
    def execute(cls, model, rescale: float) -> io.NodeOutput:
        from .host.unet3d.sampling import rescale_clip_guidance

        check_linked("rescale", rescale, bounds.GUIDANCE_RESCALE)
        return io.NodeOutput(rescale_clip_guidance(model, rescale))


NODES = [ChooseDDIMSampler, ChooseDDIMSchedule, GuideThreeBranches, RescaleClipGuidance]
