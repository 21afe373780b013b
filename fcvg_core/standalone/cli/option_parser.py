"""argparse with short messages and whole names; it distinguishes typed options from defaults."""

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NoReturn

from ...errors import UserError
from ...quoting import quote, shorten
from ..spec.values import ValueKind


class Parser(argparse.ArgumentParser):
    """A parser of the program or of one of its commands."""

    def __init__(self, **settings: Any):
        super().__init__(allow_abbrev=False, formatter_class=_Help, **settings)
        self._mixing = False
        self.register("action", None, _Store)

    def tell_typed_apart(self) -> None:
        """Mark every default, so that a typed value differs from it. Call it after all options."""
        for action in self._actions:
            if action.default is not argparse.SUPPRESS:
                action.default = _Untyped(action.default)

    def parse_known_args(self, args=None, namespace=None):
        """As argparse, but options of a command may also stand between its files.

        With a `--`, after which all words are files, options may not stand between files, because
        argparse can't do both.
        """
        has_commands = any(action.nargs == argparse.PARSER for action in self._actions)
        if self._mixing or has_commands or "--" in args:
            return super().parse_known_args(args, namespace)
        self._mixing = True  # before Python 3.13 argparse calls this method again, twice
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False

    def parse_typed(self, arguments: list[str] | None) -> dict[str, Any]:
        """Only the command and the options that were typed, by their names in the code.

        Raises:
            SystemExit: an option is wrong (2), or only help was asked for (0).
        """
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            self._commands()[options.command].refuse(unknown)
        return {k: v for k, v in vars(options).items() if not isinstance(v, _Untyped)}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The default of each option, by its name in the code; once all options are added."""
        return {name: actions[0].default.value for name, actions in self.by_name().items()}

    def by_name(self) -> dict[str, list[argparse.Action]]:
        """The actions that set each option, by its name in the code; several may set one."""
        found: dict[str, list[argparse.Action]] = {}
        for action in self._actions:
            if isinstance(action.default, _Untyped):
                found.setdefault(action.dest, []).append(action)
        return found

    def spell(self, name: str) -> str:
        """An option as it is typed: "--line-width" of line_width, "FIRST" of first."""
        action = self.by_name()[name][0]
        return next((x for x in action.option_strings if x.startswith("--")), str(action.metavar))

    def refuse(self, unknown: list[str]) -> NoReturn:
        """Exit because these options do not exist; suggest the option that may be meant."""
        for word in unknown:
            typed = word.split("=")[0]
            names = [name for name in self._option_string_actions if name.startswith("--")]
            close = close_names(typed, names) if typed[2:] else []
            if typed.startswith("--") and close:
                self.error(f"there is no option {quote(typed)}; perhaps {' or '.join(close)}")
        self.error(f"unrecognized arguments: {' '.join(map(quote, unknown[:10]))}")

    def error(self, message: str) -> NoReturn:
        """Exit with one line, without the long list of options that argparse prints."""
        self.exit(2, f"Error: {shorten(message)}. All options: {self.prog} --help\n")

    def _commands(self) -> dict[str, "Parser"]:
        return next(action.choices for action in self._actions if action.dest == "command")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """As argparse, but --option=-- is an error; argparse reads it as the end of all options."""
        if action.option_strings and arg_strings == ["--"]:
            raise argparse.ArgumentError(action, "expected a value, got '--'")
        return super()._get_values(action, arg_strings)

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        if not isinstance(action.type, ValueKind):
            return super()._get_value(action, arg_string)
        try:
            return action.type(arg_string)
        except UserError as error:
            raise argparse.ArgumentError(action, str(error)) from error

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = ", ".join(action.choices)
            raise argparse.ArgumentError(action, f"expected one of {choices}; got {quote(value)}")


def close_names(typed: str, names: Iterable[str]) -> list[str]:
    """The names that a wrong name may mean: those that begin with it, otherwise the nearest one.

    Capital letters do not count here.
    """
    names = list(names)
    begun = [name for name in names if name.lower().startswith(typed.lower())]
    return begun or get_close_matches(typed, names, n=1)


class _Store(argparse._StoreAction):
    """Stores a value. The same name may come again; two names must not contradict each other."""

    typed_as: str | None = None

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest)
        if self.typed_as not in (None, option_string) and before != values:
            raise argparse.ArgumentError(
                None,
                f"{self.typed_as} and {option_string} are the same option, but their values "
                "differ: give one of them",
            )
        self.typed_as = option_string
        super().__call__(parser, namespace, values, option_string)


class Gather(argparse.Action):
    """Gathers the values of an option that may come several times."""

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest)
        gathered = [] if isinstance(before, _Untyped) else before
        setattr(namespace, self.dest, [*gathered, values])


class _Untyped:
    """A default; it differs from the same value typed."""

    def __init__(self, value: Any):
        self.value = value

    def __str__(self) -> str:
        return str(self.value)


class _Help(argparse.HelpFormatter):
    """Keeps the lines of the examples, and adds the bounds of numbers."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        bounded = isinstance(action.type, ValueKind) and action.type.bounds
        return f"{action.help}; {action.type.bounds}" if bounded else action.help
