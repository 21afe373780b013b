"""Many tasks in little memory: each is packed, and is a `Task` only when it is asked for."""

import json
import zlib
from array import array
from collections.abc import Iterator

from ..types import Task

LEVEL = 6  # of zlib
RAW = -15  # zlib without a head


class PackedTasks:
    """Tasks in an order in which the models change rarely; they can be gone through again.

    Tasks of one setup stand together, in the order in which they were added; setups stand in the
    order of their first tasks.
    """

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._setups: dict[str, int] = {}
        self._modes: dict[str, int] = {}
        self._likes: list[bytes] = []  # of each mode the first task: the others hardly differ
        self._setup_of, self._mode_of, self._lines = array("L"), array("L"), array("L")

    def add(self, task: Task, *, line: int) -> None:
        """Add a task, which is on this line of the manifest."""
        text = json.dumps(vars(task), separators=(",", ":")).encode()
        mode = self._modes.setdefault(task.mode, len(self._modes))
        if mode == len(self._likes):
            self._likes.append(text)
        packer = zlib.compressobj(LEVEL, wbits=RAW, zdict=self._likes[mode])
        self._packed.append(packer.compress(text) + packer.flush())
        self._setup_of.append(self._setups.setdefault(task.setup, len(self._setups)))
        self._mode_of.append(mode)
        self._lines.append(line)

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Task]:
        return (task for _, task in self.with_lines())

    def with_lines(self) -> Iterator[tuple[int, Task]]:
        """Each task with its line of the manifest."""
        order = array("L", sorted(range(len(self)), key=self._setup_of.__getitem__))
        return ((self._lines[number], self._unpack(number)) for number in order)

    def _unpack(self, number: int) -> Task:
        like = self._likes[self._mode_of[number]]
        unpacker = zlib.decompressobj(wbits=RAW, zdict=like)
        text = unpacker.decompress(self._packed[number]) + unpacker.flush()
        return Task(**json.loads(text))
