"""Worker processes that draw clips while the main process does other work."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import Any

import cv2
import torch

from fcvg_core.errors import UserError

from .clips import DrawnClip, Shape, draw_clips

# As many processes draw as there are cores, so each takes one. Libraries read this as they start.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Supply:
    """Draws clips of one town after the other until there are enough, or until it is closed.

    Args:
        shape: of the clips.
        workers: processes; 0 draws in this one, when clips are asked for.
        most: clips to draw; all clips of the last town are drawn.
        moves: clips of each town.

    Attributes:
        clips: that are drawn so far, in the order in which they came.
    """

    def __init__(self, shape: Shape, *, workers: int, most: int, moves: int = 8):
        self.clips: list[DrawnClip] = []
        self._shape, self._moves = shape, moves
        self._towns = iter(range(-(-most // moves)))
        self._pending: set[Future] = set()
        self._pool: ProcessPoolExecutor | None = None
        self._opened = ExitStack()
        if workers:
            self._opened.enter_context(_children_with_one_thread())
            # Not forked: threads of CUDA and of OpenCV would be copied while they hold locks.
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start)
            self._opened.callback(self._pool.shutdown, cancel_futures=True)
            self._begin(workers + 2)

    def __enter__(self) -> "Supply":
        return self

    def __exit__(self, *failure) -> None:
        """End the workers; clips that are drawn stay."""
        self._opened.close()

    def collect(self) -> int:
        """Take what is drawn, and let more be drawn; how many clips there are.

        Raises:
            UserError: a worker has ended.
        """
        for future in [each for each in self._pending if each.done()]:
            self._pending.remove(future)
            self.clips += _result(future)
            self._begin(1)
        return len(self.clips)

    def draw(self) -> bool:
        """Wait for the next clips; False if all are drawn.

        Raises:
            UserError: a worker has ended.
        """
        if self._pool is not None:
            wait(self._pending, return_when="FIRST_COMPLETED")
            before = len(self.clips)
            return self.collect() > before
        drawn = [draw_clips(town, self._shape, self._moves) for town in islice(self._towns, 1)]
        for clips in drawn:
            self.clips += clips
        return bool(drawn)

    def call(self, function: Callable, *given: Any) -> Callable[[], Any]:
        """Let a worker call a function, among the towns.

        Returns:
            A function that waits for the result. It raises UserError if the worker has ended.
        """
        if self._pool is None:
            return lambda: function(*given)
        future = self._pool.submit(function, *given)
        return lambda: _result(future)

    def _begin(self, count: int) -> None:
        for town in islice(self._towns, count):
            self._pending.add(self._pool.submit(_draw_town, town, self._shape, self._moves))


def _result(future: Future) -> Any:
    try:
        return future.result()
    except RuntimeError as error:  # the pool is broken
        raise UserError(
            "A process that draws clips has ended, perhaps because memory is too small: give "
            "fewer --workers."
        ) from error


@contextmanager
def _children_with_one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _start() -> None:
    """A worker begins: it takes one core, and it ends when the main process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the main process too
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """A worker of a process that was killed would wait for work for ever."""
    connection.wait([parent_process().sentinel])
    os._exit(1)


def _draw_town(town: int, shape: Shape, moves: int) -> list[DrawnClip]:
    return list(draw_clips(town, shape, moves))
