"""A run of `batch`: which pairs are to be done, and by whom."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ...batch.counts import Counts, Limits, Summary
from ...batch.driver.drivers import driver_name
from ...batch.driver.faults import note_faults
from ...batch.driver.leases import Leases, clean_partial, open_leases
from ...batch.driver.ledger import Ledger, reconcile
from ...batch.driver.runner import run_batch
from ...batch.planning.plan import Plan, make_plan
from ...batch.reporting.metrics import MetricsFile
from ...batch.reporting.progress import Pace, ProgressDisplay
from ...errors import UserError
from .table import batch_modes

if TYPE_CHECKING:
    from ...batch.manifest import Manifest
    from ...batch.planning.hashes import Hashes
    from ...batch.types import Engine, Store


def plan_of(manifest: Manifest, store: Store, hashes: Hashes, options: argparse.Namespace) -> Plan:
    """What is to be done with the options of the command; raises as `make_plan` does."""
    settings = dict(options.set)
    if len(settings) < len(options.set):
        raise UserError("--set gives one option twice: give each once.")
    return make_plan(
        manifest,
        batch_modes(),
        store=store,
        mode=options.mode,
        settings=settings,
        hashes=hashes,
        shard=options.shard,
        retry_failed=options.retry_failed,
        changed=options.changed,
    )


def do_plan(plan: Plan, store: Store, options: argparse.Namespace) -> Summary:
    """Do all that a plan has left, with a heartbeat, a ledger and workers; end them all.

    Raises:
        UserError: OUT has other results of these pairs or can't be written, or there can be no
            workers.
        KeyboardInterrupt: a signal came.
    """
    if plan.conflict:
        raise UserError(plan.conflict)
    with ExitStack() as stack:
        driver = driver_name()
        leases = open_leases(
            store, driver, alone=options.shard is not None, ends_after=options.lease
        )
        stack.callback(leases.close)
        ledger = Ledger(store, driver)
        stack.callback(ledger.close)
        clean_partial(store, leases)
        reconcile(store, ledger, leases)
        new = note_faults(plan, store, ledger)
        most = None if options.max_failures is None else options.max_failures - new
        if not plan.tasks or (most is not None and most <= 0):
            return _do_nothing(plan, options)
        engine = _open_engine(options, driver)
        stack.callback(engine.close)
        limits = Limits(options.retries, most)
        return _run(plan, store, engine, leases, ledger, limits, options)


def _run(
    plan: Plan,
    store: Store,
    engine: Engine,
    leases: Leases,
    ledger: Ledger,
    limits: Limits,
    options: argparse.Namespace,
) -> Summary:
    """Do all tasks, and show how far it is."""
    logging.info("%s to do.", pairs(len(plan.tasks)))
    with ExitStack() as stack:
        pace = Pace()
        shows = [stack.enter_context(ProgressDisplay(pace))]
        if options.metrics:
            shows.append(stack.enter_context(MetricsFile(options.metrics, pace)))

        def watch(counts: Counts) -> None:
            pace.note(counts.done + counts.failed)
            for show in shows:
                show(counts)

        try:
            return run_batch(
                plan,
                store=store,
                engine=engine,
                leases=leases,
                ledger=ledger,
                limits=limits,
                watch=watch,
            )
        except KeyboardInterrupt:
            logging.info(
                "Stopped: what is done is kept, and the same command goes on with the rest."
            )
            raise


def _do_nothing(plan: Plan, options: argparse.Namespace) -> Summary:
    """What a run came to that had nothing to do, or that has too many failures already."""
    left = len(plan.tasks)
    if options.metrics:
        with MetricsFile(options.metrics, Pace()) as metrics:
            metrics(Counts(plan.total, 0, 0, left, running=0, workers=0, found=plan.done))
    return Summary(0, 0, left, plan.done, reasons=(), stopped=left > 0)


def _open_engine(options: argparse.Namespace, driver: str) -> Engine:
    """The workers: processes of this machine, or Ray's actors."""
    if options.ray is None:
        from ...batch.workers.local_engine import LocalEngine

        return LocalEngine(options.output, workers=options.workers, owner=driver)
    try:
        from ...batch.ray_engine import RayEngine
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UserError(
            "--ray needs the package ray, which is not installed: pip install "
            '-e ".[batch]" in the folder of this project.'
        ) from error
    address = options.ray or None  # ANY_RAY
    return RayEngine(options.output, address=address, workers=options.workers, owner=driver)


def pairs(count: int) -> str:
    """A number of pairs in words."""
    return "1 pair" if count == 1 else f"{count:,} pairs"
