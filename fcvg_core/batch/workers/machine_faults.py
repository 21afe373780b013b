"""Tells faults of the machine, after which the same task may succeed, from those of a task."""

import re

from ...failures import is_out_of_memory
from ..store import StoreError

# Words of PyTorch's errors after which a process can't use its device any more.
DEVICE = re.compile(
    r"\b(cuda|hip|mps|xpu|cudnn) (driver )?error\b|\bcu(blas|dnn|solver|sparse)_status_"
    r"|device-side assert|illegal memory access|unspecified launch failure|uncorrectable ecc"
    r"|nvml_success|no cuda gpus are available",
    re.IGNORECASE,
)
# Errors of libraries for object stores that are no ConnectionError; the libraries need not be here.
CONNECTION = {
    "ClientConnectionError",  # aiohttp
    "ConnectionClosedError",  # botocore
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "HttpServerError",  # google-api-core
    "ReadTimeoutError",
    "ServerDisconnectedError",
    "TransportError",  # google-auth
}


def is_machine_fault(error: BaseException | None) -> bool:
    """Whether a device failed, or a store could not be reached; memory that ran out is neither.

    Args:
        error: it and the errors that it came from are looked at.
    """
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, (StoreError, ConnectionError, TimeoutError)):
            return True
        if CONNECTION & {kind.__name__ for kind in type(error).__mro__}:
            return True
        if isinstance(error, RuntimeError) and _spoils_device(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _spoils_device(error: RuntimeError) -> bool:
    return bool(DEVICE.search(str(error))) and not is_out_of_memory(error)
