"""SVD Cache: fewer blocks of the model are computed in some steps."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .messages import shown_log, shows_log
from .newer import rarely_changed, search_words, shows_results
from .pass_widgets import LEVELS


class CacheFeatures(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_SVDCache",
            display_name="SVD Cache",
            category="FCVG/sampling",
            **search_words("deepcache", "feature cache", "faster", "speed", "easycache"),
            **shows_results(),
            description="Makes sampling with SVD faster: in some steps only the outer blocks of "
            "the model are computed, and features of an earlier step stand in for the rest. The "
            "video changes, so compare it with a video without this node. The model that comes in "
            "is not changed.",
            inputs=[
                io.Model.Input(
                    "model",
                    tooltip="An SVD model: from Load FCVG Model, from Apply ControlNeXt, or any "
                    "SVD checkpoint.",
                ),
                io.Int.Input(
                    "interval",
                    default=2,
                    **bounds.CACHE_INTERVAL.widget,
                    tooltip="How often a step is computed whole: with 2 every second step, with 3 "
                    "every third step. With a larger number the kept features are older. 1 "
                    "switches the cache off. The interval can't be larger than the number of "
                    "steps.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip=f"Where the cache begins to act, {LEVELS}. Before it every "
                    "step is whole. A number such as 0.2 keeps the first steps, which set the "
                    "motion, whole.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip=f"Where the cache ceases to act, {LEVELS}. After it every "
                    "step is whole. A number such as 0.9 keeps the last steps, which draw fine "
                    "detail, whole.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    tooltip="The model with the cache, for Inbetween Guider, Animation Guider or "
                    "KSampler."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls, model, interval: int, start_percent: float, end_percent: float
    ) -> io.NodeOutput:
        from .host.svd.cache import cache_features

        return io.NodeOutput(
            cache_features(
                model,
                interval=interval,
                start_percent=start_percent,
                end_percent=end_percent,
                shown=shown_log,  # by the sampler, which is no node of this pack
            )
        )


NODES = [CacheFeatures]
