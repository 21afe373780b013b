"""Widgets that spare passes of the model, each at some cost; graphs of older releases lack them."""

from comfy_api.latest import io

from ..fcvg_core import bounds

# The scale of widgets that name a part of the sampling, as ComfyUI counts it.
LEVELS = (
    "from 0 (pure noise) to 1 (the finished picture). The number counts the noise level, not the "
    "steps"
)
UNGUIDED = (
    "A step outside guidance_from to guidance_until takes half of its passes and follows the "
    "picture less closely, so the video changes."
)


def interval_inputs() -> list[io.Input]:
    """Widgets for the noise levels between which guidance acts."""
    return [
        io.Float.Input(
            "guidance_from",
            default=0.0,
            **bounds.SHARE.widget,
            step=0.01,
            optional=True,
            tooltip=f"Where guidance begins, {LEVELS}. {UNGUIDED} 0 guides from the first step on. "
            "To save time try 0.25, with 0.49 in guidance_until.",
        ),
        io.Float.Input(
            "guidance_until",
            default=1.0,
            **bounds.SHARE.widget,
            step=0.01,
            optional=True,
            tooltip=f"Where guidance ends, {LEVELS}. {UNGUIDED} 1 guides up to the last step. To "
            "save time try 0.49, with 0.25 in guidance_from.",
        ),
    ]


def forward_share_input() -> io.Input:
    """The widget for early steps that are forward only."""
    return io.Float.Input(
        "forward_share",
        default=0.0,
        **bounds.SHARE.widget,
        step=0.05,
        optional=True,
        tooltip="An experiment: share of the steps, from the first one on, that compute only the "
        "forward direction. The backward direction is built from it, shifted so that it ends at "
        "the last keyframe. Such a step takes half of its passes, and the video changes. 0 "
        "computes both directions in every step. To try it take 0.2, the share that Motion Prior "
        "Distillation uses.",
    )


def fast_input(whole: int, fast: int) -> io.Input:
    """The switch of the all-in-one samplers for few and cheap steps.

    Args:
        whole, fast: passes of the model by default, and with this switch.
    """
    from ..fcvg_core.settings import FAST

    return io.Boolean.Input(
        "fast",
        default=False,
        optional=True,
        tooltip=f"A rougher video in a fraction of the time: {fast} passes of the model instead of "
        f"the {whole} of 25 steps, and half of these {fast} are cheap. Takes the place of "
        f"five settings: {FAST['steps']} steps, scheduler {FAST['schedule']}, guidance_from "
        f"{FAST['guidance_from']}, guidance_until {FAST['guidance_until']}, and SVD Cache with "
        f"interval {FAST['cache_interval']}. How much the video loses was not measured.",
    )
