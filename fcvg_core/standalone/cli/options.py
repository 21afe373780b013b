"""The command line's options: those of every command in the table COMMANDS."""

import argparse
from typing import Any

from ...errors import UserError
from .commands import COMMANDS, load_command
from .option_parser import Parser
from .option_rules import check_pairs, preset_by, rules_of, settle_names, without_replaced

PROGRAM = "python -m fcvg_core"


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line; `command` is the name of the command.

    A typed option wins over the file of --run, and the file wins over the defaults. `run` is then
    the `EarlierRun`. `given` has the names of all options that are typed or in the file.

    Raises:
        UserError: two options contradict each other, the device does not exist, or the file of
            --run is no run.json, belongs to another command, or has a value that its option can't
            hold.
        SystemExit: an option is wrong (2), or only help was asked for (0).
    """
    parser, commands = _build_parser()
    typed = parser.parse_typed(arguments)
    name = typed.pop("command")
    command = commands[name]
    rules = rules_of(load_command(name))
    typed = settle_names(typed, command.spell, rules)
    check_pairs(typed, command, rules)
    saved = {}
    if "run" in typed:
        from .run_options import read_run_options  # needs numpy, which --help does without
        from .run_record import EarlierRun, read_run

        typed["run"] = EarlierRun(typed["run"], read_run(typed["run"]), command.spell)
        saved = read_run_options(typed["run"], name, command, typed)
        noted = command.defaults | typed["run"].table["options"]
        saved = without_replaced(saved, typed, rules, noted=noted)
    options = complete(name, command, typed, saved)
    if getattr(options, "device", "auto") != "auto":
        _check_device(options, where="" if "device" in typed else f"{options.run.path}: device: ")
    return options


def complete(
    name: str, command: Parser, typed: dict[str, Any], saved: dict[str, Any]
) -> argparse.Namespace:
    """All options of a command, those that are not given with their defaults.

    Args:
        name: of the command.
        command: its parser.
        typed: options that are typed; each has the one name of its setting.
        saved: options of an earlier run, without those that typed options replace.
    """
    rules = rules_of(load_command(name))
    defaults = settle_names(command.defaults, command.spell, rules)
    given = {**saved, **preset_by(typed, saved, rules), **typed}
    return argparse.Namespace(command=name, given=frozenset(given), **{**defaults, **given})


def build_command(name: str, command: Parser | None = None) -> Parser:
    """The parser of a command.

    Args:
        name: of the command.
        command: a new parser that gets the options; by default one is made.
    """
    module = load_command(name)
    command = command or Parser(prog=f"{PROGRAM} {name}", description=module.DESCRIPTION)
    module.add_arguments(command)
    lines = [f"  {PROGRAM} {example}" for example in module.EXAMPLES]
    command.epilog = "\n".join(["examples:", *lines])
    command.tell_typed_apart()
    return command


def _check_device(options: argparse.Namespace, *, where: str) -> None:
    """Raise UserError if the device does not exist; the message begins with `where`."""
    from ..networks.device import choose_device

    try:
        choose_device(options.device)
    except UserError as error:
        raise UserError(f"{where}{error} Give another --device.") from error


def _build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The parser, and the parsers of the commands by their names."""
    parser = Parser(
        prog=PROGRAM,
        description="Paint the frames between two frames, along lines and people that both show "
        "(FCVG), animate a picture by a video (ControlNeXt-SVD), or make clips and stories of "
        "pictures and prompts (DynamiCrafter, DropletVideo), or of boxes that move (SMCD).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = load_command(name)
        build_command(
            name, commands.add_parser(name, help=module.HELP, description=module.DESCRIPTION)
        )
    return parser, commands.choices
