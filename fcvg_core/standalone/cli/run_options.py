"""The options of an earlier run, each checked as if it were typed."""

import logging
from typing import Any

from ... import bounds
from ...errors import UserError
from ...quoting import in_short, quote
from ..spec.jobs import check_version_of
from ..spec.part import to_plain
from ..spec.values import ValueKind
from .commands import COMMANDS, load_command
from .option_parser import Parser
from .option_rules import BOTH_ENDS, ENDS, Rules, rules_of, settle_names
from .run_record import EarlierRun

# Command -> an option that only it has: up to version 0.3.0 a run.json names no command.
MARKS = {"inbetween": "first", "animate": "image"}
SHOWN = 5  # names in a list


def read_run_options(
    run: EarlierRun, name: str, command: Parser, typed: dict[str, Any]
) -> dict[str, Any]:
    """The options that a run.json has for a command; their names are those of `typed`.

    Args:
        name: of the command.
        command: its parser.
        typed: options of the command line; the file may have any value for these.

    Raises:
        UserError: the file belongs to another command or a newer version, or it has a value that
            its option can't hold. Unknown options, which other versions may have, are only named
            in the log.
    """
    _check_command(run, name)
    _check_version(run)
    options, rules = command.by_name(), rules_of(load_command(name))
    settings = load_command(name).SPEC.settings_by_key()
    defaults = {key: to_plain(setting.default) for key, setting in settings.items()}
    noted = {
        key: value
        for key, value in run.table["options"].items()
        # A spec may have settings that its command has no option for.
        if key != "version" and (key in options or key not in defaults or value != defaults[key])
    }
    unknown = sorted(
        key for key in noted if key not in options or rules.setting(key) not in settings
    )
    if unknown:
        names = in_short([*map(quote, unknown)], most=SHOWN, between=", ")
        logging.warning("%s: unknown options are left out: %s.", run.path, names)
    wanted = {
        key: value
        for key, value in noted.items()
        if key not in unknown and not _is_typed(key, typed, rules)
    }
    saved = {}
    for key, value in wanted.items():
        kind = settings[rules.setting(key)].metadata["kind"]
        saved[key] = _read(run, key, value, kind, command)
    saved = settle_names(saved, lambda key: f"{run.path}: {key}", rules)
    seed = noted.get("seed")
    if type(seed) is int and seed in bounds.SEED:  # up to version 0.2.0 it coloured lines as well
        saved.setdefault("color_seed", seed % (bounds.COLOR_SEED.maximum + 1))
    return {key: value for key, value in saved.items() if key in options}


def _check_version(run: EarlierRun) -> None:
    try:
        check_version_of(run.table["options"])
    except UserError as error:
        raise UserError(f"{run.path}: {error}") from error


def _check_command(run: EarlierRun, name: str) -> None:
    """Raise UserError if another command wrote the file."""
    path, noted, other = run.path, run.table["options"], run.table.get("command")
    if not isinstance(other, str) or other not in _commands_with_runs():
        marked = (
            key for key, mark in MARKS.items() if mark in noted and MARKS.get(name) not in noted
        )
        other = next(marked, name)
    if other != name:
        raise UserError(
            f"{path} is of the command {other}, not of {name}: "
            f"python -m fcvg_core {other} --run {path}"
        )


def _commands_with_runs() -> list[str]:
    return [name for name in COMMANDS if hasattr(load_command(name), "SPEC")]


def _is_typed(key: str, typed: dict[str, Any], rules: Rules) -> bool:
    return all(end in typed for end in ENDS) if key == BOTH_ENDS else rules.setting(key) in typed


def _read(run: EarlierRun, key: str, value: Any, kind: ValueKind, command: Parser) -> Any:
    """The value of an option: the same as if it were typed.

    Raises:
        UserError: the option can't hold it.
    """
    if value is None and command.defaults[key] is None:
        return None
    try:
        return kind.read_saved(value)
    except ValueError as error:
        raise UserError(
            f"{run.path}: {key} is {quote(value)}: expected {kind.expected}. Change it there, or "
            f"give {command.spell(key)}."
        ) from error
