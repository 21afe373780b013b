"""What the program does: one module a command, and one line for it in the table COMMANDS.

A module of a command has

    HELP                one line, for the list of commands
    DESCRIPTION         the head of the command's own help
    EXAMPLES            lines that can be typed after the program's name
    add_arguments       adds the command's options to its parser
    run                 does the work; its argument are the options
    SPEC                the class of the spec in run.json; only for a command with the option --run

`--help` imports all modules and should come at once: import what needs torch inside `run`.
"""

import importlib
from types import ModuleType

# Name of a command -> its module. A module of another package has its whole name.
COMMANDS = {
    "inbetween": ".inbetween",
    "animate": ".animate",
    "match": ".match",
    "pose": ".pose",
    "models": ".models",
    "doctor": ".doctor",
    "stand-ins": ".stand_ins",
    "sample-frames": ".samples",
}


def load_command(name: str) -> ModuleType:
    """The module of a command."""
    return importlib.import_module(COMMANDS[name], __package__)
