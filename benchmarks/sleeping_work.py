"""The program with one more command, whose jobs sleep: benchmarks/batch.py runs its batches.

    .venv/bin/python benchmarks/sleeping_work.py batch pairs.jsonl -o OUT --mode sleep

`sleep FIRST LAST -o OUT` reads both files, sleeps as long as a GPU would work, and writes a file.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [path for path in (str(ROOT),) if path not in sys.path]

from fcvg_core.bounds import Bounds  # noqa: E402
from fcvg_core.files.claim import Claim, claim_folder  # noqa: E402
from fcvg_core.files.writing import save_text  # noqa: E402
from fcvg_core.progress import Progress, silent  # noqa: E402
from fcvg_core.standalone.cli.commands import COMMANDS  # noqa: E402
from fcvg_core.standalone.cli.option_groups import OUTPUT, options_of  # noqa: E402
from fcvg_core.standalone.spec import RunSpec  # noqa: E402
from fcvg_core.standalone.spec.part import setting  # noqa: E402
from fcvg_core.standalone.spec.values import PATH, number, whole  # noqa: E402
from fcvg_core.standalone.work import Work  # noqa: E402

NAME = "sleep"  # of the command
MODULE = "sleeping_work"  # this file, as workers import it
RESULT = "slept.txt"

HELP = "sleep, for benchmarks"
DESCRIPTION = "Read two files, sleep, and write a file."
EXAMPLES = ("sleep first.png last.png -o result --seconds 0.05",)


@dataclass(frozen=True, kw_only=True)
class SleepSpec(RunSpec):
    """Two files in, a file out.

    Attributes:
        seconds: that painting takes.
        size: of the result, in bytes.
    """

    first: Path | None = setting(PATH, None)
    last: Path | None = setting(PATH, None)
    seconds: float = setting(number(Bounds(0, 3600)), 0.05)
    size: int = setting(whole(Bounds(0, 10**9)), 2000)


SPEC = SleepSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = options_of(SleepSpec, parser)
    add("first", metavar="FIRST", help="a file")
    add("last", metavar="LAST", help="another file")
    add("-o", "--output", metavar="OUT", help=OUTPUT)
    add("--seconds", metavar="SECONDS", help="that it sleeps (%(default)s)")
    add("--size", metavar="BYTES", help="of the result (%(default)s)")


class SleepingWork(Work[SleepSpec]):
    """Sleeps as long as a GPU would work."""

    command = NAME

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        return NAME

    def check(self) -> None:
        """As `Work.check`."""
        self.prepare(None)

    def open(self, like: Any = None) -> str:
        """As `Work.open`."""
        return NAME

    def prepare(self, preparer: Any, progress: Progress = silent) -> int:
        """The sum of all bytes of both files."""
        return sum(sum(path.read_bytes()) for path in (self.spec.first, self.spec.last))

    def finish(
        self, maker: Any, prepared: int | None, claim: Claim, progress: Progress = silent
    ) -> None:
        """Sleep, and write the file."""
        total = self.prepare(maker) if prepared is None else prepared
        time.sleep(self.spec.seconds)
        save_text(claim.path / RESULT, f"{total}\n".ljust(self.spec.size))


WORK = SleepingWork


def read_spec(options: argparse.Namespace) -> SleepSpec:
    """What the options say."""
    return SleepSpec.from_options(vars(options))


def run(options: argparse.Namespace) -> None:
    """Do the job alone."""
    work = SleepingWork(read_spec(options))
    with claim_folder(work.spec.output) as claim:
        work.finish(work.open(), None, claim)
        print(claim.path / RESULT)


if __name__ == "__main__":
    from fcvg_core.standalone.cli.main import main

    COMMANDS[NAME] = MODULE  # not "__main__", which means something else to a worker
    sys.exit(main())
