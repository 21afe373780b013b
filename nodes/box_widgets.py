"""Inputs that only the all-in-one samplers have."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices


def sampler_inputs(family: str) -> list[io.Input]:
    """Widgets of the all-in-one samplers: the strength of control, the sampler and the scheduler.

    Args:
        family: name of the models, for the tooltips.
    """
    import comfy.samplers

    return [
        io.Float.Input(
            "control_weight",
            default=1.0,
            **bounds.CONTROL_WEIGHT.widget,
            step=0.05,
            tooltip=f"How strongly the control frames steer the model. {family} uses 1.0; 0.5 to "
            "0.8 leaves the model more freedom, 0 is no control.",
        ),
        io.Combo.Input(
            "sampler_name",
            options=comfy.samplers.SAMPLER_NAMES,
            default="euler",
            tooltip=f"The sampler: any of ComfyUI's. {family} uses euler.",
        ),
        io.Combo.Input(
            "scheduler",
            options=[*comfy.samplers.SCHEDULER_NAMES, choices.AYS],
            default="karras",
            tooltip="The scheduler, which sets the noise level of each step: any of ComfyUI's, "
            f"or ays, whose levels Align Your Steps chose for SVD and 10 steps. {family} uses "
            "karras.",
        ),
    ]


def start_inputs() -> list[io.Input]:
    """A video to start from, and how much of it is painted anew; older graphs lack both inputs."""
    return [
        io.Latent.Input(
            "latent_image",
            optional=True,
            tooltip="A video to start from: its latents, from Encode Frames, of as many frames as "
            "the new video and of its size. Needs denoise below 1; at 1 it has no effect.",
        ),
        io.Float.Input(
            "denoise",
            default=1.0,
            **bounds.SHARE.widget,
            step=0.01,
            optional=True,
            tooltip="How much is painted anew. 1 starts from noise alone. A lower value adds less "
            "noise to latent_image and keeps more of it; 0 gives latent_image back. Each value "
            "above 0 takes the same number of steps.",
        ),
    ]
