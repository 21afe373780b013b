"""Options of a command as a table, a row of a manifest, with the checks of typed options."""

import argparse
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import ModuleType
from typing import Any

from ...batch.planning.plan import Mode
from ...errors import UserError
from ...quoting import quote
from ..spec import RunSpec
from ..spec.values import SWITCH, ValueKind
from .commands import batch_commands, load_command
from .option_parser import Parser, close_names
from .option_rules import Rules, check_pairs, preset_by, rules_of, without_replaced
from .option_rules import settle_names as settle
from .options import build_command, complete

KEYFRAMES = "keyframes"  # the column of all pictures, in the order of time
PICTURES = (KEYFRAMES, "first", "last")
SHOWN = 20  # wrong options in a message: a table may have thousands of other columns
BETWEEN = ";"  # between the values of a list in one cell
YES, NO = ("true", "yes", "1", "on"), ("false", "no", "0", "off")
# Columns that a row may not have, by their setting, and why.
REFUSED = {
    "output": "batch chooses the folder of each result in OUT",
    "run": "batch reads no run.json; give its options",
}


def batch_modes() -> dict[str, Mode]:
    """The commands whose jobs `batch` can do, by their names."""
    return {name: mode_of(name) for name in batch_commands()}


def mode_of(name: str) -> Mode:
    """What `batch` has to know of a command that has WORK."""
    module = load_command(name)
    return Mode(
        name,
        module.__name__,
        module.WORK.recipe,
        partial(spec_of_table, name),
        partial(unknown_settings, name),
    )


def spec_of_table(
    mode: str, table: Mapping[str, Any], *, typed: bool, settings: Mapping[str, str] | None = None
) -> RunSpec:
    """The spec of a row, with the checks and the defaults of options that are typed.

    Args:
        mode: the command.
        table: options by their names, as run.json has them or as they are typed. `keyframes` are
            all pictures; they, or `first` and `last`, become `images` where a command has these.
        typed: whether values are texts, with `;` between the values of a list, and not values of
            JSON. None is a value that is not given.
        settings: typed options for all rows; what the row has wins. Those that the command has not
            are ignored. Relative paths begin at the current folder.

    Raises:
        UserError: an option is unknown or has a value that it can't hold, or two options do not go
            together. The message names everything that is wrong, up to 20 options.
    """
    command = _command(mode)
    given = command.settled(command.read(table, typed=typed))
    saved = command.saved(settings) if settings else {}
    if saved:
        noted = {**command.parser.defaults, **saved}
        saved = without_replaced(saved, given, command.rules, noted=noted)
    return command.module.read_spec(complete(mode, command.parser, given, saved))


def unknown_settings(mode: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the settings that a command has not.

    Raises:
        UserError: the value of another one is wrong.
    """
    command = _command(mode)
    command.saved(settings)
    return tuple(name for name in settings if not command.knows(name))


@dataclass(frozen=True)
class _Command:
    """A command's parser, and how its options can be named.

    Attributes:
        names: name of a column -> the action of the option, and whether the name turns it round.
    """

    mode: str
    module: ModuleType
    parser: Parser
    rules: Rules
    kinds: Mapping[str, ValueKind]
    names: Mapping[str, tuple[argparse.Action, bool]]

    def knows(self, name: str) -> bool:
        """Whether there is an option of this name, or one that stands for others."""
        return _plain(name) in self.names or (
            _plain(name) in PICTURES and ("between" in self.names or "images" in self.names)
        )

    def settled(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options with one name for each setting; raises UserError if two contradict."""
        settled = settle(options, self.parser.spell, self.rules)
        check_pairs(settled, self.parser, self.rules)
        return settled

    def saved(self, settings: Mapping[str, str]) -> dict[str, Any]:
        """Settings of all rows that the command has; relative paths begin at the current folder."""
        own = {name: text for name, text in settings.items() if self.knows(name)}
        saved = self.settled(self.read(own, typed=True))
        saved = {name: _absolute(value) for name, value in saved.items()}
        return {**preset_by(saved, {}, self.rules), **saved}

    def read(self, table: Mapping[str, Any], *, typed: bool) -> dict[str, Any]:
        """The values of a table, by the names of the code; None is not given."""
        found, faults, by_name = {}, [], {}
        for name, value in _pictures(table, self.names).items():
            if value is None:
                continue
            if len(faults) == SHOWN:
                faults.append("More may be wrong.")
                break
            try:
                action, reverse = self._find(name, value)
                read = self._read(name, action, value, typed)
            except UserError as error:
                faults.append(str(error))
                continue
            if read is None:
                continue
            read = not read if reverse else read
            before = by_name.setdefault(action.dest, (name, read))
            if before[1] != read:
                faults.append(
                    f"{quote(before[0])} and {quote(name)} are the same option, but their values "
                    "differ: give one of them."
                )
            found[action.dest] = read
        if faults:
            raise UserError(" ".join(faults))
        return found

    def _find(self, name: str, value: Any) -> tuple[argparse.Action, bool]:
        """The option of a column, and whether its name turns it round."""
        plain = _plain(name)
        action, reverse = self.names.get(plain, (None, False))
        setting = self.rules.setting(action.dest) if action else plain
        if setting in REFUSED:
            leads = f", and {quote(value)} leads out of OUT" if _leads_out(setting, value) else ""
            raise UserError(f"{quote(name)} is no column: {REFUSED[setting]}{leads}.")
        if action is None:
            close = close_names(plain, self._columns()) if plain else []
            remedy = f"perhaps {' or '.join(close)}" if close else "leave it out"
            if plain in PICTURES:
                files = [x for x, (of, _) in self.names.items() if not of.option_strings]
                remedy = f"its files are {' and '.join(files)}"
            raise UserError(f"{self.mode} has no option {quote(name)}; {remedy}.")
        return action, reverse

    def _columns(self) -> list[str]:
        """Names that a column can have."""
        every = self.names.items()
        return [name for name, (of, _) in every if self.rules.setting(of.dest) not in REFUSED]

    def _read(self, name: str, action: argparse.Action, value: Any, typed: bool) -> Any:
        """The value of an option; None if it is a switch that is off by itself."""
        kind = self.kinds[action.dest]
        if isinstance(action, argparse._StoreConstAction):  # a switch without a value of its own
            return action.const if _read_switch(name, value, typed) else None
        if action.nargs == 0:
            return _read_switch(name, value, typed)
        if typed:
            return _read_text(name, action, kind, value)
        try:
            return kind.read_saved(value)
        except ValueError as error:
            raise UserError(f"{name} is {quote(value)}: expected {kind.expected}.") from error


@functools.cache
def _command(mode: str) -> _Command:
    """A command; its parser is built once."""
    module, parser = load_command(mode), build_command(mode)
    rules, settings = rules_of(module), module.SPEC.settings_by_key()
    kinds, names = {}, {}
    for dest, actions in parser.by_name().items():
        setting = settings.get(rules.setting(dest))
        own = actions[0].type if isinstance(actions[0].type, ValueKind) else SWITCH
        kinds[dest] = setting.metadata["kind"] if setting else own
        for action in actions:
            words = [word for word in action.option_strings if word.startswith("--")]
            for word in words:
                turned = isinstance(action, argparse.BooleanOptionalAction)
                names[_plain(word)] = (action, turned and word.startswith("--no-"))
        names.setdefault(dest, (actions[0], False))
    return _Command(mode, module, parser, rules, kinds, names)


def _plain(name: str) -> str:
    """The name of an option as the code has it: line_width of --line-width."""
    return name.removeprefix("--").replace("-", "_")


def _leads_out(setting: str, value: Any) -> bool:
    """Whether an output is a path that leads out of the folder of the results."""
    if setting != "output" or not isinstance(value, str):
        return False
    rooted = (PurePosixPath(value).is_absolute(), PureWindowsPath(value).anchor)
    return any(rooted) or ".." in PureWindowsPath(value).parts


def _pictures(table: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """The table with its pictures under the names that the command has for them.

    Raises:
        UserError: pictures are given twice, or too few.
    """
    found = {
        _plain(name) if _plain(name) in PICTURES else name: value
        for name, value in table.items()
        if value is not None
    }
    listed = found.pop(KEYFRAMES, None)
    if listed is None:
        if "images" in names and "first" not in names:
            listed = [found.pop(name, None) for name in ("first", "last")]
            if listed == [None, None]:
                return found
            if listed[0] is None:
                raise UserError("last is given, but first is not: give both, or first alone.")
            return _with_images(found, [name for name in listed if name is not None])
        return found
    pictures = _listed(listed)
    if "images" in names:
        return _with_images(found, pictures)
    if "between" not in names:
        return {**found, KEYFRAMES: listed}
    if len(pictures) < 2:
        raise UserError(f"{KEYFRAMES} is {quote(listed)}: expected 2 pictures or more.")
    if twice := sorted({"first", "last", "between"} & found.keys()):
        raise UserError(f"{KEYFRAMES} and {twice[0]} are both given: leave one out.")
    between = {"between": pictures[1:-1]} if pictures[1:-1] else {}
    return {**found, "first": pictures[0], "last": pictures[-1], **between}


def _with_images(table: dict[str, Any], pictures: list[str]) -> dict[str, Any]:
    if "images" in table:
        raise UserError("images and other pictures are both given: leave one out.")
    return {**table, "images": pictures}


def _listed(value: Any) -> list[Any]:
    """The values of a list, or of a text with `;` between them."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(BETWEEN) if part.strip()]
    if isinstance(value, list):
        return value
    raise UserError(f"{KEYFRAMES} is {quote(value)}: expected a list of pictures.")


def _read_switch(name: str, value: Any, typed: bool) -> bool:
    if isinstance(value, bool):
        return value
    word = value.lower() if typed and isinstance(value, str) else ""
    if word in (*YES, *NO):
        return word in YES
    raise UserError(f"{name} is {quote(value)}: expected true or false.")


def _read_text(name: str, action: argparse.Action, kind: ValueKind, text: Any) -> Any:
    """The value of an option, the same as if its text were typed."""
    several = action.nargs in ("*", "+") or isinstance(action.nargs, int)
    try:
        if several and isinstance(text, str) and text.lower() == "false":
            return kind.read_saved(False)  # no files at all
        if several:
            return kind.read_saved(_listed(text))
        return kind(text)
    except UserError as error:
        raise UserError(f"{name}: {error}.") from error
    except ValueError as error:
        raise UserError(f"{name} is {quote(text)}: expected {kind.expected}.") from error


def _absolute(value: Any) -> Any:
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    return value.absolute() if isinstance(value, Path) else value
