"""Memory of a card: measured, and held by another process."""

import time
from argparse import Namespace

import pytest
import torch


class FakeGpu:
    """A GPU of some bytes, as torch.cuda tells of it."""

    def __init__(self, total: int, others: int):
        self.total, self.others = total, others
        self.held = []
        self.cuda = self
        self.uint8 = None

    def mem_get_info(self, device: int) -> tuple[int, int]:
        return self.total - self.others - sum(x.nbytes for x in self.held), self.total

    def empty(self, size: int, dtype, device: str) -> Namespace:
        return Namespace(nbytes=size)

    def empty_cache(self) -> None:
        pass


class TestCard:
    def test_the_most_memory_while_a_block_runs(self, module):
        card = module("gpu_card").Card(on_cpu=False)
        free = [90, 70, 20, 60]

        def mem_get_info(device: int) -> tuple[int, int]:
            return free.pop(0) if len(free) > 1 else free[0], 100

        card._torch = Namespace(cuda=Namespace(mem_get_info=mem_get_info))
        before = card.used()
        end = time.monotonic() + 30
        with card.peak(before) as most:
            while len(free) > 1 and time.monotonic() < end:
                time.sleep(0.01)
        assert before == 10
        assert most == [70]

    def test_without_a_card_nothing_is_measured(self, module):
        card = module("gpu_card").Card(on_cpu=True)
        assert not card.can_measure
        assert card.used() is None
        with card.peak(None) as most:
            pass
        assert most == []


class TestHolder:
    @pytest.mark.parametrize("leave", [12, 8, 3, 20])
    def test_memory_is_held_until_so_much_is_left(self, module, leave):
        """One after the other, with memory that is held already."""
        gpu_card = module("gpu_card")
        gpu = FakeGpu(total=80 * 2**30, others=5 * 2**30 + 12345)
        for bytes_left in (10 * 2**30, leave * 2**30):
            gpu_card._hold(gpu, gpu.held, bytes_left)
            free, _ = gpu.mem_get_info(0)
            assert bytes_left <= free < bytes_left + 2**22

    def test_more_than_is_free_is_never_left(self, module):
        gpu = FakeGpu(total=80 * 2**30, others=0)
        module("gpu_card")._hold(gpu, gpu.held, 2**50)
        assert gpu.held == []

    @pytest.mark.skipif(torch.cuda.is_available(), reason="would hold this card's memory")
    def test_memory_that_can_not_be_held_is_told(self, module):
        holder = module("gpu_card").Holder()
        with pytest.raises(module("gpu_server").PartFailedError, match="could not be held"):
            holder.wait()
        holder.stop()
