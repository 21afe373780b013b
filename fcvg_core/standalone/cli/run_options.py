"""The options of an earlier run, each checked as if it were typed."""

import argparse
import logging
from pathlib import Path
from typing import Any

from ... import bounds
from ...errors import UserError
from ...quoting import in_short, quote
from .option_parser import Parser
from .option_rules import ALIASES, BOTH_ENDS, ENDS, settle_names
from .run_record import read_run

# An option that every run of a command has noted, and no other command's.
MARKS = {"inbetween": "first", "animate": "image"}
SHOWN = 5  # names in a list


def read_run_options(
    path: Path, name: str, command: Parser, typed: dict[str, Any]
) -> dict[str, Any]:
    """What a run.json says of the options of a command, in the words that `typed` has for them.

    Args:
        path: of the run.json.
        name: of the command.
        command: its parser.
        typed: options that the command line has; of these the file may say anything.

    Raises:
        UserError: the file is no run.json, is another command's, or an option can't hold what it
            says. Options that there are not are named in the log: other versions have others.
    """
    run = read_run(path)
    noted = run["options"]
    _check_command(path, name, run)
    options = command.by_name()
    unknown = sorted(key for key in noted if key not in options or key == "run")
    if unknown:
        names = in_short([*map(quote, unknown)], most=SHOWN, between=", ")
        logging.warning("%s: unknown options are left out: %s.", path, names)
    wanted = {
        key: value
        for key, value in noted.items()
        if key not in unknown and not _is_typed(key, typed)
    }
    saved = {key: _read(path, key, value, command) for key, value in wanted.items()}
    saved = settle_names(saved, lambda key: f"{path}: {key}")
    seed = noted.get("seed")
    if type(seed) is int and seed in bounds.SEED:  # up to version 0.2.0 it coloured lines as well
        saved.setdefault("color_seed", seed % (bounds.COLOR_SEED.maximum + 1))
    return {key: value for key, value in saved.items() if key in options}


def _check_command(path: Path, name: str, run: dict[str, Any]) -> None:
    """Raise UserError where another command wrote the file; up to version 0.3.0 it does not say."""
    noted, other = run["options"], run.get("command")
    if other not in tuple(MARKS):
        marked = (key for key, mark in MARKS.items() if mark in noted and MARKS[name] not in noted)
        other = next(marked, name)
    if other != name:
        raise UserError(
            f"{path} is of the command {other}, not of {name}: "
            f"python -m fcvg_core {other} --run {path}"
        )


def _is_typed(key: str, typed: dict[str, Any]) -> bool:
    return all(end in typed for end in ENDS) if key == BOTH_ENDS else ALIASES.get(key, key) in typed


def _read(path: Path, key: str, value: Any, command: Parser) -> Any:
    """The value of an option, as it would be had it been typed.

    Raises:
        UserError: the option can't hold it.
    """
    if value is None and command.defaults[key] is None:
        return None
    expected = []
    for action in command.by_name()[key]:
        try:
            return _read_as(action, value)
        except ValueError:
            expected.append(_expected(action))
    raise UserError(
        f"{path}: {key} is {quote(value)}: expected {' or '.join(expected)}. Change it there, or "
        f"give {command.spell(key)}."
    )


def _read_as(action: argparse.Action, value: Any) -> Any:
    """As `_read`, but raises ValueError where one way of typing the option does not fit."""
    if isinstance(action, argparse.BooleanOptionalAction):
        return _one_of((True, False), value)
    if action.nargs == 0:
        return _one_of((action.const,), value)
    if action.choices is not None:
        return _one_of(action.choices, value)
    if not isinstance(action.nargs, int):
        return action.type.read_saved(value)
    if type(value) is not list or len(value) != action.nargs:
        raise ValueError(value)
    return [action.type.read_saved(item) for item in value]


def _one_of(allowed: tuple, value: Any) -> Any:
    if not any(type(value) is type(item) and value == item for item in allowed):
        raise ValueError(value)  # 1 is not true here
    return value


def _expected(action: argparse.Action) -> str:
    if isinstance(action, argparse.BooleanOptionalAction):
        return "true or false"
    if action.nargs == 0:
        return quote(action.const).lower()
    if action.choices is not None:
        return f"one of {', '.join(action.choices)}"
    if isinstance(action.nargs, int):
        return f"a list of {action.nargs}, each {action.type.expected}"
    return action.type.expected
