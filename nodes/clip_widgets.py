"""Widgets and words of the nodes that make short clips with DynamiCrafter or SMCD."""

from comfy_api.latest import io

from ..fcvg_core import bounds, choices
from .widgets import size_inputs

CLIP_VISION = "The CLIP image encoder ViT-H, from Load DynamiCrafter or Load CLIP Vision."
IMAGE_PROJECTOR = (
    "The network that turns a picture into tokens for the model, from the loader that also gives "
    "the model."
)
MODEL = "The model, from Load DynamiCrafter or Load DynamiCrafter UNet."
DDIM_MODEL = "The model, from Load DynamiCrafter, Load DynamiCrafter UNet or Load SMCD."


def encoded_prompt_inputs() -> list[io.Input]:
    """The two prompts of a conditioning node."""
    return [
        io.Conditioning.Input(
            "positive",
            tooltip="The prompt, which says what happens in the video, from CLIP Text Encode.",
        ),
        io.Conditioning.Input(
            "negative",
            tooltip="What the video should not show, from CLIP Text Encode. The official code uses "
            "an empty text.",
        ),
    ]


def clip_size_inputs() -> list[io.Input]:
    """Widgets for the size of a clip."""
    return size_inputs(
        512,
        320,
        trained="The models 512 and 512_interp were trained at 512 x 320, 1024 at 1024 x 576 and "
        "256 at 256 x 256.",
    )


def fs_input() -> io.Input:
    """The widget for DynamiCrafter's `fs`, which sets how much moves."""
    return io.Int.Input(
        "fs",
        default=24,
        **bounds.RATE.widget,
        tooltip="How much moves. The models 512 (try 24, from 15 to 30), 1024 (10, from 5 to 15) "
        "and 512_interp (5, from 5 to 30) take frames per second: a smaller number moves more. The "
        "model 256 (3, from 1 to 6) takes a stride: a larger number moves more. The playback speed "
        "is set in Create Video.",
    )


def eta_input() -> io.Input:
    """The widget for the share of noise that DDIM draws anew in each step."""
    return io.Float.Input(
        "eta",
        default=1.0,
        **bounds.ETA.widget,
        step=0.05,
        tooltip="How much of the noise is drawn anew in each step. 1 is DynamiCrafter's value; 0, "
        "SMCD's value, draws none, so that only the first noise decides.",
    )


def steps_input() -> io.Input:
    """The widget for the number of sampling steps."""
    return io.Int.Input(
        "steps",
        default=50,
        **bounds.STEPS.widget,
        tooltip="Number of sampling steps. DynamiCrafter and SMCD use 50; 25 take half the time "
        "and are rougher.",
    )


def spacing_input() -> io.Input:
    """The widget for how the steps are spread over the noise levels."""
    return io.Combo.Input(
        "spacing",
        options=list(choices.SPACINGS),
        default=choices.SPACINGS[0],
        tooltip="How the steps are spread over the noise levels. uniform_trailing: from pure "
        "noise, for the models 512, 1024 and 512_interp. uniform: for the model 256 and for SMCD; "
        "a number of steps that does not divide 1000 gives a step or more in addition, as in the "
        "official code. quad: more steps at little noise.",
    )


def rescale_input() -> io.Input:
    """The widget for rescaled guidance."""
    return io.Float.Input(
        "rescale",
        default=0.7,
        **bounds.GUIDANCE_RESCALE.widget,
        step=0.05,
        tooltip="How far the contrast, which guidance raises, is brought back to the contrast "
        "without guidance, over the whole clip. 0.7 for the models 512, 1024 and 512_interp, 0 "
        "(off) for the model 256.",
    )


def guidance_input(name: str, tooltip: str, **more) -> io.Input:
    """A widget for a strength of guidance: 7.5 in the official code."""
    return io.Float.Input(
        name, default=7.5, **bounds.GUIDANCE.widget, step=0.5, tooltip=tooltip, **more
    )


def prompt_input(name: str, tooltip: str) -> io.Input:
    """A widget for a prompt of several lines."""
    return io.String.Input(name, multiline=True, default="", tooltip=tooltip)
