"""What the program does: one module a command, and one line for it in the table COMMANDS.

A module of a command has

    HELP                one line, for the list of commands
    DESCRIPTION         the head of the command's own help
    EXAMPLES            lines that can be typed after the program's name
    add_arguments       adds the command's options to its parser
    run                 does the work; it is given the options
    SPEC                only with an option --run: the class of the spec that run.json holds
    RULES               only if options depend on each other: the `Rules` for it
    WORK                only if `batch` can do the command's jobs too: the class of its jobs, see
                        `Work` in `standalone/work.py`; run does its job by it. It needs SPEC
    read_spec           only with WORK: gives the spec that options say, without reading a file
    prints_result       only if what is printed may be the result, and no file: whether it is, by
                        the options

All modules are imported for --help, which should come at once: import what needs torch inside
`run`, or inside the methods of WORK.
"""

import importlib
from types import ModuleType

# Name of a command -> its module. A module of another package has its whole name.
COMMANDS = {
    "inbetween": ".inbetween",
    "preview": ".preview",
    "animate": ".animate",
    "dynamicrafter": ".dynamicrafter",
    "story": ".story",
    "droplet": ".droplet",
    "smcd": ".smcd",
    "batch": ".batch",
    "train": ".train",
    "smcd-train": ".smcd_train",
    "export": ".export",
    "diff-weights": ".diff_weights",
    "camera": ".camera",
    "match": ".match",
    "pose": ".pose",
    "evaluate": ".evaluate",
    "smcd-eval": ".smcd_eval",
    "smcd-prepare": ".smcd_prepare",
    "smcd-merge": ".smcd_merge",
    "estimate": ".estimate",
    "models": ".models",
    "doctor": ".doctor",
    "demo": ".demo",
    "sample-frames": ".samples",
}


def load_command(name: str) -> ModuleType:
    """The module of a command."""
    return importlib.import_module(COMMANDS[name], __package__)


def batch_commands() -> tuple[str, ...]:
    """Names of the commands whose jobs `batch` can do."""
    return tuple(name for name in COMMANDS if hasattr(load_command(name), "WORK"))
