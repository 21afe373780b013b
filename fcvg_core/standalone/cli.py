"""The command line: which command, and what its failures look like."""

import argparse
import errno
import importlib
import logging
import os
import sys
from collections.abc import Callable

from .options import parse_options

INSTALL = 'pip install -e ".[standalone]" in the folder of this project'
PACKAGES = {"cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml"}  # of modules by other names


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: of the command line; by default those of the process.

    Returns:
        Exit code: 0, 2 for anything that the user can put right, 130 after an interrupt.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    for name in ("httpx", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("huggingface_hub").propagate = False  # it has a handler of its own
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name of a file may hold what a terminal has not
            stream.reconfigure(errors="backslashreplace")
    try:
        options = parse_options(arguments)
        COMMANDS[options.command](options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail("Interrupted.", 130)
    except BrokenPipeError:  # whoever read on has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImportError as error:
        return _fail(_explain_import(error), 2)
    except (ValueError, OSError) as error:
        more = ""
        if getattr(error, "errno", None) == errno.ENOSPC:
            more = " Make room, or name a folder on another disk."
        return _fail(f"Error: {error}.{more}" if more else f"Error: {error}", 2)
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which may not be imported
            raise
        return _fail("Error: The device's memory ran out. Try --offload, a smaller --window or a "
                     "smaller size.", 2)  # fmt: skip
    return 0


def _explain_import(error: ImportError) -> str:
    module = (error.name or "").split(".")[0]
    package = PACKAGES.get(module, module)
    if isinstance(error, ModuleNotFoundError):
        return (f"The package {package} is not installed: pip install {package}. For all that the "
                f"command line needs: {INSTALL}")  # fmt: skip
    return (f"The package {package or '(unknown)'} is installed and does not work: {error}. What "
            "to do: python -m fcvg_core doctor")  # fmt: skip


def _command(module: str) -> Callable[[argparse.Namespace], None]:
    """A module of `commands`, imported when it is run: --help needs no torch."""
    return lambda options: importlib.import_module(f".commands.{module}", __package__).run(options)


COMMANDS = {
    "inbetween": _command("inbetween"),
    "animate": _command("animate"),
    "match": _command("match"),
    "pose": _command("pose"),
    "models": _command("models"),
    "doctor": _command("doctor"),
    "stand-ins": _command("stand_ins"),
    "sample-frames": _command("samples"),
}


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
