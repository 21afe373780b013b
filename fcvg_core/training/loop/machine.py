"""The device of a run, the number format of the networks' work on it, and other processes."""

import atexit
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, autocast, nn

from ...standalone.networks.device import choose_device, choose_dtype
from ..config import TrainingMachine

# How long a process waits for another one, which may be validating.
PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class Place:
    """Where a process trains.

    Attributes:
        device: of the network.
        dtype: number format of the networks' work: float32 or bfloat16.
        rank: number of this process, from 0.
        processes: how many processes train together.
    """

    device: torch.device
    dtype: torch.dtype
    rank: int = 0
    processes: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager:
        """The context in which the networks work in `dtype`, whatever the format of weights."""
        half = self.dtype != torch.float32
        # By its own name: the registry's check refuses torch's before it, for the sake of nodes.
        return autocast(self.device.type, self.dtype if half else None, enabled=half)

    def share(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give parameters the values that they have in the first process; they all must ask."""
        if self.processes > 1:
            for parameter in parameters:
                torch.distributed.broadcast(parameter.data, 0)

    def mean(self, value: Tensor) -> float:
        """The mean of a number over the processes; they all must ask."""
        if self.processes > 1:
            torch.distributed.all_reduce(value)
        return float(value) / self.processes

    def highest(self, value: int) -> int:
        """The highest number of the processes; they all must ask."""
        if self.processes == 1:
            return value
        shared = torch.tensor(value, device=self.device)
        torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
        return int(shared)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their means over the processes; they all must ask.

        A parameter without a gradient in some processes counts as 0 there. If no process has a
        gradient of it, there is none afterwards, so the optimiser passes it over.
        """
        if self.processes == 1:
            return
        parameters = list(parameters)
        found = torch.tensor([float(x.grad is not None) for x in parameters], device=self.device)
        torch.distributed.all_reduce(found)
        waiting = []
        for parameter, count in zip(parameters, found.tolist(), strict=True):
            if count:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                parameter.grad /= self.processes
                waiting.append(torch.distributed.all_reduce(parameter.grad, async_op=True))
        for each in waiting:
            each.wait()


def open_place(machine: TrainingMachine) -> Place:
    """The device and the number format that a training file names.

    Under `accelerate launch` or `torchrun`, each process has a device of its own.

    Raises:
        UserError: there is no such device, or it can't compute in this format.
        ImportError: there are several processes, but accelerate is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        on_cpu = {"cpu": True} if machine.device == "cpu" else {}
        state = PartialState(timeout=PATIENCE, **on_cpu)
        atexit.register(_leave_others)
        device, rank, processes = state.device, state.process_index, state.num_processes
    else:
        device, rank, processes = choose_device(machine.device), 0, 1
    return Place(device, working_dtype(machine.dtype, device), rank, processes)


def _leave_others() -> None:
    """End the connections to other processes, whose threads otherwise abort the exit."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def working_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of a name; for "auto" bfloat16 on a GPU that has it, float32 elsewhere.

    float16 is never chosen: small gradients vanish in it.

    Raises:
        UserError: the device can't compute in this format.
    """
    dtype = choose_dtype(name, device)
    return dtype if dtype == torch.bfloat16 else torch.float32
