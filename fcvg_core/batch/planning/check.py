"""The dry run: every input is opened and all options are checked, before any model is loaded."""

import importlib
import itertools
import multiprocessing
import os
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from pathlib import Path

from ...errors import UserError
from ...failures import explain
from ..store.layout import result_name
from ..types import Task
from .drafts import Fault
from .inputs import fetch_inputs
from .plan import Plan

MOST = 8  # processes: each loads what reads the inputs, up to 300 MB
CHUNK = 16  # tasks that a process gets at once
AHEAD = 2  # chunks that wait for each process


def check_all(plan: Plan, *, processes: int | None = None) -> list[Fault]:
    """Everything that is wrong with the rows of a plan, its faults too, in the manifest's order.

    Every input is opened, and what options do not go together is found; no model is loaded.

    Args:
        processes: that read inputs; by default one a CPU, up to 8. Few tasks are checked in this
            process.

    Raises:
        UserError: a process was killed.
    """
    if len(plan.tasks) <= CHUNK:
        found = _check_chunk(list(plan.tasks.with_lines()))
    else:
        processes = processes or min(os.cpu_count() or 1, MOST)
        found = _check_in_processes(plan.tasks.with_lines(), processes)
    return sorted([*plan.faults, *found], key=lambda fault: fault.line)


def _check_in_processes(tasks: Iterator[tuple[int, Task]], processes: int) -> Iterator[Fault]:
    # Processes and not threads: one reader of pictures closes the standard error of its process.
    context = multiprocessing.get_context("spawn")
    waiting: deque = deque()
    try:
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            while chunk := list(itertools.islice(tasks, CHUNK)):
                waiting.append(pool.submit(_check_chunk, chunk))
                if len(waiting) > AHEAD * processes:
                    yield from waiting.popleft().result()
            for each in waiting:
                yield from each.result()
    except BrokenProcessPool as error:
        raise UserError(
            "A process that reads the inputs was killed, perhaps because memory ran out: end other "
            "programs, or check a share of the manifest (--shard)."
        ) from error


def _check_chunk(tasks: list[tuple[int, Task]]) -> list[Fault]:
    said = ((line, task, _check(task)) for line, task in tasks)
    return [
        Fault(task.id, line, message, result_name(task.id, task.key), task.key, task.mode)
        for line, task, message in said
        if message
    ]


def _check(task: Task) -> str:
    """What is wrong with a task; empty if nothing is."""
    module = importlib.import_module(task.module)
    try:
        with tempfile.TemporaryDirectory() if task.remote else nullcontext("") as folder:
            options = fetch_inputs(task, Path(folder)).options
            module.WORK(module.SPEC.from_json(options)).check()
    except Exception as error:
        said = explain(error)
        if said is None:
            raise
        return said
    return ""
