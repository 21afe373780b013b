"""Options that say one thing twice, or that exclude each other: none is ignored silently.

Files of models are no such options: they say where a model lies, whether or not it is used.
"""

from collections.abc import Callable
from typing import Any

from ...errors import UserError
from ...quoting import quote
from .option_parser import Parser

# The reference's names of options that have a shorter one.
ALIASES = {
    "image1_path": "first",
    "image2_path": "last",
    "ref_image_path": "image",
    "validation_control_video_path": "video",
}
BOTH_ENDS = "guidance_scale"  # one number for two options
ENDS = ("min_guidance", "max_guidance")
PAIRS = (
    ("matches", "matcher"),
    ("video", "control_frames"),
    ("convert", "mode"),
    ("convert", "needed"),
)
# What is typed replaces what a run said otherwise.
REPLACES = {
    "matcher": "matches",
    "gluestick": "matches",
    "superpoint": "matches",
    "dwpose_det": "poses",
    "dwpose_pose": "poses",
    "video": "control_frames",
    "control_frames": "video",
}


def settle_names(options: dict[str, Any], spell: Callable[[str], str]) -> dict[str, Any]:
    """Options with one name for each thing: `first` instead of `image1_path`, and so on.

    Args:
        options: by their names in the code.
        spell: how an option is written, for messages.

    Raises:
        UserError: two names of one thing have different values.
    """
    settled = dict(options)
    for other, name in (*ALIASES.items(), *((BOTH_ENDS, end) for end in ENDS)):
        value = options.get(other)
        if value is None:
            continue
        if settled.get(name, value) not in (None, value):
            raise UserError(
                f"{spell(name)} is {quote(str(settled[name]))} and {spell(other)} is "
                f"{quote(str(value))}, but both are for the same: give one of them."
            )
        settled[name] = value
    return {k: v for k, v in settled.items() if k not in ALIASES and k != BOTH_ENDS}


def check_pairs(typed: dict[str, Any], command: Parser) -> None:
    """Look for two options of which one would be ignored.

    Args:
        typed: options of the command line that were typed, by their names in the code.

    Raises:
        UserError: there are.
    """
    for pair in PAIRS:
        if all(name in typed and typed[name] != command.defaults[name] for name in pair):
            one, other = map(command.spell, pair)
            raise UserError(
                f"{one} and {other} are both given, but one would be ignored: leave one out."
            )


def without_replaced(saved: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    """The options of an earlier run, without those that what is typed now stands for."""
    replaced = {REPLACES[name] for name in typed if name in REPLACES} - set(typed)
    return {name: value for name, value in saved.items() if name not in replaced}
