"""Options that set the same thing, or that exclude each other: no option is ignored silently.

Options that name files of models exclude nothing: a model may be named and not be used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ...errors import UserError
from ...quoting import quote
from .option_parser import Parser

BOTH_ENDS = "guidance_scale"  # one number for two options
ENDS = ("min_guidance", "max_guidance")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How the options of a command depend on each other; all options by their names in the code.

    Attributes:
        aliases: an option -> the option that sets the same thing.
        pairs: two options of which one would be ignored.
        replaces: a typed option -> the option, or options, of an earlier run that it replaces.
        presets: a switch -> the values of options that it sets, unless they are typed.
        unused: an option and one of its values -> the options that are not used then.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    replaces: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unused: Mapping[tuple[str, Any], tuple[str, ...]] = field(default_factory=dict)

    def setting(self, name: str) -> str:
        """The setting that an option sets; of two settings the first."""
        return ENDS[0] if name == BOTH_ENDS else self.aliases.get(name, name)


def rules_of(command: ModuleType) -> Rules:
    """The rules of a command's module."""
    return getattr(command, "RULES", Rules())


def settle_names(
    options: dict[str, Any], spell: Callable[[str], str], rules: Rules
) -> dict[str, Any]:
    """The options with one name for each setting: `first` instead of `image1_path`, and so on.

    Args:
        options: by their names in the code.
        spell: how an option is written, for messages.

    Raises:
        UserError: two names of one setting have different values.
    """
    settled = dict(options)
    for other, name in (*rules.aliases.items(), *((BOTH_ENDS, end) for end in ENDS)):
        value = options.get(other)
        if value is None:
            continue
        if settled.get(name, value) not in (None, value):
            raise UserError(
                f"{spell(name)} is {quote(str(settled[name]))} and {spell(other)} is "
                f"{quote(str(value))}, but both are for the same: give one of them."
            )
        settled[name] = value
    return {k: v for k, v in settled.items() if k not in rules.aliases and k != BOTH_ENDS}


def check_pairs(typed: dict[str, Any], command: Parser, rules: Rules) -> None:
    """Look for two typed options of which one would be ignored.

    Args:
        typed: the typed options, by their names in the code.

    Raises:
        UserError: two such options are typed.
    """
    for pair in rules.pairs:
        if all(name in typed and typed[name] != command.defaults[name] for name in pair):
            one, other = map(command.spell, pair)
            raise UserError(
                f"{one} and {other} are both given, but one would be ignored: leave one out."
            )


def without_replaced(
    saved: dict[str, Any], typed: dict[str, Any], rules: Rules, *, noted: Mapping[str, Any]
) -> dict[str, Any]:
    """The options of an earlier run, without those that typed options replace or leave unused.

    Args:
        noted: all options of the earlier run; an option that its file lacks has its default. An
            option that has the typed value there too leaves nothing unused that was used before.
    """
    replaced: set[str] = set()
    for others in (rules.replaces[name] for name in typed if name in rules.replaces):
        replaced |= {others} if isinstance(others, str) else set(others)
    for (name, value), unused in rules.unused.items():
        if typed.get(name) == value != noted.get(name):
            replaced |= set(unused)
    return {name: value for name, value in saved.items() if name not in replaced - set(typed)}


def preset_by(typed: dict[str, Any], saved: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """The options that typed switches set, but for options that are typed or would be ignored.

    Args:
        saved: the options of an earlier run that stay.
    """
    chosen = {**saved, **typed}
    unused = {
        other
        for (name, value), others in rules.unused.items()
        if chosen.get(name) == value
        for other in others
    }
    return {
        name: value
        for switch, values in rules.presets.items()
        if typed.get(switch)
        for name, value in values.items()
        if name not in typed and name not in unused
    }
