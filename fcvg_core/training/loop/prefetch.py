"""Makes the next batches while the networks work on one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
AHEAD = 2  # numbers


def prefetch(make: Callable[[int], T], numbers: Iterable[int]) -> Iterator[T]:
    """`make` of each number in turn, made in a thread, up to `AHEAD` numbers ahead.

    To end before the last number, close the iterator. What `make` raises is raised at its number.
    """

    @torch.no_grad()  # this setting belongs to a thread
    def quietly(number: int) -> T:
        return make(number)

    thread = ThreadPoolExecutor(1, thread_name_prefix="samples")
    waiting = deque()
    try:
        for number in numbers:
            waiting.append(thread.submit(quietly, number))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)
