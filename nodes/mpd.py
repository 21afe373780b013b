"""Frames between two keyframes by SVD alone, without FCVG's weights."""

from comfy_api.latest import io

from .messages import shows_log
from .newer import search_words, shows_results


class SampleByMotionPrior(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_MPDSampler",
            display_name="MPD Sampler",
            category="FCVG/sampling",
            **search_words(
                "motion prior distillation",
                "inbetweening",
                "first last frame",
                "svd",
                "without fcvg",
            ),
            **shows_results(),
            description="Makes the frames between two keyframes with plain Stable Video Diffusion, "
            "without FCVG's weights and without control frames. Experimental: it follows Motion "
            "Prior Distillation (MPD). For SamplerCustomAdvanced together with Inbetween Guider, "
            "whose guidance has no effect on it. 25 steps take 130 passes of the model, where "
            "FCVG takes 100. It starts from noise alone, and it is led to the keyframes as FCVG "
            "Conditioning encodes them: set augmentation to 0 there for exact ends.",
            inputs=[],
            outputs=[
                io.Sampler.Output(
                    tooltip="The sampler, for SamplerCustomAdvanced with Inbetween Guider."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(cls) -> io.NodeOutput:
        from .host.mpd import MpdSampler

        return io.NodeOutput(MpdSampler())


NODES = [SampleByMotionPrior]
