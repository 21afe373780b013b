"""The command line: runs a command, and says how it failed."""

import argparse
import errno
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import ISSUES
from ...failures import explain
from ...quoting import readable
from ...signals import Interrupted, signals_as_interrupts
from .commands import load_command
from .options import parse_options
from .streams import Stream, enduring_streams

DEBUG = "FCVG_DEBUG"  # set to 1, it shows the traceback of every error
FAULT = (
    f"This is a fault of the program, not yours. Please report it at {ISSUES} with all the "
    "lines above and those of: python -m fcvg_core doctor"
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: of the command line; by default those of the process.

    Returns:
        Exit code: 0 for success; 1 if the output of a command could not be printed; 2 for
        anything that the user can put right; after a signal 128 plus its number (Ctrl+C 130,
        SIGTERM 143, SIGHUP 129).

    Raises:
        SystemExit: an option is wrong (2), only help was asked for (0), or the program has a
            fault (1); its traceback was printed.
    """
    ending = arguments is None  # otherwise another program called this function and goes on
    with signals_as_interrupts(to_the_end=ending), enduring_streams() as output:
        try:
            with _logging():
                options = parse_options(arguments)
                load_command(options.command).run(options)
                return _check_output(output, options)
        except SystemExit as stop:
            if stop.code or not _is_lost(output):
                raise
            return _fail(f"Error: {_lost(output)}.", 1)  # help, which nobody could read
        except KeyboardInterrupt as stop:
            number = stop.exit_code if isinstance(stop, Interrupted) else 130
            return _fail(str(stop) or "Interrupted.", number)
        except Exception as error:
            said = explain(error)
            if said is None or os.environ.get(DEBUG, "0") not in ("", "0"):
                traceback.print_exc()
            if said is None:
                raise SystemExit(_fail(FAULT, 1)) from error
            return _fail(f"Error: {said}", 2)


class _Readable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return readable(super().format(record))


@contextmanager
def _logging() -> Iterator[None]:
    """Show the log on standard error, unless another program has set up logging."""
    for name in ("httpx", "httpx2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("huggingface_hub").propagate = False  # it has a handler of its own
    root = logging.getLogger()
    if root.handlers:
        yield
        return
    level, handler = root.level, logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Readable())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def _check_output(output: Stream, options: argparse.Namespace) -> int:
    """Exit code of a command that is done; it depends on whether its output was printed.

    A list that was not printed is a failure. A run is no failure, because all its files are there.
    """
    if not _is_lost(output):
        return 0
    said = _lost(output)
    prints_result = getattr(load_command(options.command), "prints_result", None)
    if prints_result is None or not prints_result(options):
        return _fail(f"{said}; the files are all written.", 0)
    return _fail(f"Error: {said}: what was asked for is not there, or not whole.", 1)


def _is_lost(output: Stream) -> bool:
    """Whether output was lost for another reason than a reader that closed its pipe."""
    output.flush()
    return output.lost is not None and output.lost.errno != errno.EPIPE


def _lost(output: Stream) -> str:
    return f"Standard output can't be written ({output.lost.strerror})"


def _fail(message: str, code: int) -> int:
    print(readable(message), file=sys.stderr)
    return code
