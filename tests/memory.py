"""Measures memory: the peak of bytes in tensors, and the process's own memory."""

import re
import weakref
from collections import Counter
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakBytes(TorchDispatchMode):
    """Counts the bytes of storages that are made inside the block; `peak` is their maximum."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self._users: Counter = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        given = {x.untyped_storage().data_ptr() for x in tree_leaves(args) if torch.is_tensor(x)}
        for tensor in tree_leaves(out):
            if not torch.is_tensor(tensor):
                continue
            storage = tensor.untyped_storage()
            at, size = storage.data_ptr(), storage.nbytes()
            if at in given and at not in self._users:
                continue  # a view of what was there before
            if not self._users[at]:
                self.now += size
                self.peak = max(self.peak, self.now)
            self._users[at] += 1
            weakref.finalize(tensor, self._release, at, size)
        return out

    def _release(self, at: int, size: int) -> None:
        self._users[at] -= 1
        if not self._users[at]:
            del self._users[at]
            self.now -= size


def own_memory() -> int:
    """Bytes of the process that no file holds: pages of a mapped file do not count. Linux only."""
    found = re.search(r"RssAnon:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024
