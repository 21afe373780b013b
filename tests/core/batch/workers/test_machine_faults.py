"""Faults of the machine, and faults that are none of its."""

import pytest

from fcvg_core.batch.store import StoreError
from fcvg_core.batch.workers.machine_faults import is_machine_fault
from fcvg_core.errors import UserError


class EndpointConnectionError(Exception):
    """As botocore names its error, which is no ConnectionError."""


def raised_from(cause: Exception) -> UserError:
    try:
        raise UserError("The file can't be read.") from cause
    except UserError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA"),
        RuntimeError("CUDA driver error: unknown error"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm"),
        RuntimeError("HIP error: invalid device function"),
        RuntimeError("No CUDA GPUs are available"),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError("timed out"),
        EndpointConnectionError("could not connect"),
        StoreError("s3://bucket can't be reached."),
        raised_from(ConnectionRefusedError(111, "refused")),
        raised_from(raised_from(EndpointConnectionError("no"))),
    ],
)
def test_faults_of_the_machine(error):
    assert is_machine_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        UserError("The picture cuda error.png is damaged."),
        FileNotFoundError(2, "No such file", "a.png"),
        KeyError("CUDA error"),
        None,
    ],
)
def test_faults_of_a_task(error):
    assert not is_machine_fault(error)
