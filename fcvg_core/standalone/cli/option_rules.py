"""Options that set the same thing, or that exclude each other: no option is ignored silently.

Options that name files of models exclude nothing: a model may be named and not be used.
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
# A typed option -> the option of an earlier run that it replaces.
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
    """The options with one name for each setting: `first` instead of `image1_path`, and so on.

    Args:
        options: by their names in the code.
        spell: how an option is written, for messages.

    Raises:
        UserError: two names of one setting have different values.
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
    """Look for two typed options of which one would be ignored.

    Args:
        typed: the typed options, by their names in the code.

    Raises:
        UserError: two such options are typed.
    """
    for pair in PAIRS:
        if all(name in typed and typed[name] != command.defaults[name] for name in pair):
            one, other = map(command.spell, pair)
            raise UserError(
                f"{one} and {other} are both given, but one would be ignored: leave one out."
            )


def without_replaced(saved: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    """The options of an earlier run, without the options that a typed option replaces."""
    replaced = {REPLACES[name] for name in typed if name in REPLACES} - set(typed)
    return {name: value for name, value in saved.items() if name not in replaced}
