"""`batch`: many jobs of the other commands, each done once, by several processes or machines."""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ....errors import UserError
from ....files.writing import save_text
from ....quoting import readable
from ..batch_options import add_batch_options, missing_manifest
from . import batch_commands

if TYPE_CHECKING:
    from ....batch.counts import Summary
    from ....batch.types import Store

HELP = "do thousands of pairs, each once, on one machine or on Ray"
DESCRIPTION = (
    "Do every row of a manifest as inbetween, preview, animate, dynamicrafter, droplet or smcd "
    "would do it alone. Each result appears whole or not at all, in OUT/results. Whatever ends a "
    "run, the same command goes on where it was. The exit code is 0 if all pairs are done, 1 if "
    "some have failed, and 2 if the run could not begin or go on. docs/batch.md explains the rest."
)
EXAMPLES = (
    "batch pairs.csv -o results --mode preview",
    "batch pairs.jsonl -o results --dry-run",
    "batch folder_of_pairs -o results --set steps=10 --workers 2",
    "batch pairs.jsonl -o s3://bucket/results --ray",
    "batch pairs.jsonl -o results --shard 3/8",
)
SOME_FAILED = 1  # exit code; 2 is that of every UserError
SHOWN = 5  # failures whose messages are printed at the end


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_batch_options(parser, batch_commands())


def prints_result(options: argparse.Namespace) -> bool:
    """Whether what is printed is all that was asked for: the faults of a dry run."""
    return options.dry_run


def run(options: argparse.Namespace) -> None:
    """Read the manifest and do what is not done yet; with --dry-run only look for faults.

    Raises:
        UserError: the run can't begin or go on, or the dry run has found faults.
        SystemExit: some pairs have failed (1).
    """
    from ....batch.manifest import read_manifest
    from ....batch.planning.hashes import Hashes
    from ....batch.store import open_store
    from ....batch.store.layout import begin
    from ..batch_run import do_plan, pairs, plan_of

    if options.manifest is None:
        raise UserError(missing_manifest(options.ray))
    if options.dry_run:
        _look(options)
        return
    manifest = read_manifest(options.manifest, batch_commands())
    store = open_store(options.output)
    begin(store)
    if options.metrics:
        save_text(options.metrics, "")  # better now than after all inputs were read
    logging.info("%s: reading the inputs of %s.", options.manifest, pairs(len(manifest.rows)))
    plan = plan_of(manifest, store, Hashes(store), options)
    summary = do_plan(plan, store, options)
    failed = summary.failed + plan.failed_before + len(plan.faults)
    _tell(summary, store, failed, options)
    if failed or summary.left:
        raise SystemExit(SOME_FAILED)


def _look(options: argparse.Namespace) -> None:
    """Print everything that is wrong with a manifest; raise UserError if anything is."""
    from ....batch.manifest import ManifestError, read_manifest
    from ....batch.planning.check import check_all
    from ....batch.planning.hashes import Hashes
    from ....batch.store import open_store
    from ....batch.store.layout import begin
    from ..batch_run import pairs, plan_of

    faults, also = [], []
    try:
        manifest = read_manifest(options.manifest, batch_commands())
    except ManifestError as error:
        manifest = error.manifest
        faults += error.faults
    try:
        store = open_store(options.output)
        begin(store, make=False)
        plan = plan_of(manifest, store, Hashes(store, dry=True), options)
        also += filter(None, [plan.conflict])
        with _quiet():
            faults += map(str, check_all(plan))
    except UserError as error:  # of OUT or of --set: the rows can't be looked at
        also.append(str(error))
    for fault in sorted(faults, key=_line_of):
        print(readable(fault.replace("\n", "\\n")))
    if faults:
        count = "1 fault was" if len(faults) == 1 else f"{len(faults):,} faults were"
        also.append(f"{count} found in {options.manifest}; nothing was done.")
    if also:
        raise UserError("\n".join(also))
    done = f"; {plan.done:,} of them are done" if plan.done else ""
    print(f"All inputs and options of {pairs(plan.total)} are right{done}.")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without remarks on single pictures; there may be thousands of them."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def _line_of(fault: str) -> int:
    found = re.match(r"line ([0-9]{1,15})", fault)
    return int(found[1]) if found else 0


def _tell(summary: Summary, store: Store, failed: int, options: argparse.Namespace) -> None:
    """Write the report, and say what the run came to.

    Args:
        failed: pairs that have failed, also in earlier runs.

    Raises:
        UserError: the run could not go on.
    """
    from ..batch_run import pairs

    notes = list(summary.reasons)
    if summary.left and not notes and options.max_failures is not None:
        notes.append("The run stopped because of failed pairs (--max-failures).")
    if summary.left:
        notes.append(f"{pairs(summary.left)} left: the same command goes on.")
    report = None if options.no_report else _write_report(store, summary.left, notes)
    done = summary.done + summary.found_done
    before = f", {summary.found_done:,} of them before" if summary.found_done else ""
    print(f"done:    {done:,}{before}")
    print(f"failed:  {failed:,}")
    print(f"left:    {summary.left:,}")
    print(f"results: {store.where('').rstrip('/')}")
    if report:
        print(f"report:  {report}")
    if failed:
        _tell_failures(store, failed)
    if summary.reasons:
        raise UserError("\n".join(notes))
    for note in notes:
        logging.warning("%s", note)


def _write_report(store: Store, left: int, notes: list[str]) -> str | None:
    """Path or URL of the report; None if it can't be written, which is no failure of the run."""
    from ....batch.reporting.report import write_report

    try:
        return write_report(store, left=left, notes=notes)
    except UserError as error:
        logging.warning("There is no report. %s", error)
        return None


def _tell_failures(store: Store, failed: int) -> None:
    """Print some messages of pairs that failed, and the remedy."""
    from ....batch.driver.faults import first_failures
    from ..batch_run import pairs

    lines = [f"  {name}: {said}" for name, said in first_failures(store, most=SHOWN)]
    more = [f"  and {failed - len(lines):,} more"] if failed > len(lines) else []
    logging.warning("%s failed:", pairs(failed))
    for line in (*lines, *more):
        logging.warning("%s", line)
    logging.warning(
        "Correct their files or options and start the same command again; --retry-failed "
        "also tries those again that you have not changed."
    )
