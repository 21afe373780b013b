"""What the messages of a run call the settings that a user can change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The words of a command; the defaults are those of `train`.

    Attributes:
        resume: what goes on with a run.
        steps: what says how many steps there are.
        less_memory: what helps when memory is too small.
        calmer: what helps when losses are no numbers.
    """

    resume: str = "--resume"
    steps: str = "steps"
    less_memory: str = (
        'Set batch = 1 and save_memory = true, train less (trained = "control"), or lower width, '
        "height or frames"
    )
    calmer: str = (
        'Lower unet_rate and controlnext_rate or raise warmup, or set dtype = "fp32" under '
        "[machine]"
    )


TRAIN = Words()
