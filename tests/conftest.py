"""Fixtures that all tests have: the folders of golden cases, and one thread."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

OWN_GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of golden cases: $FCVG_GOLDEN if it is set, or the project's own copy."""
    return Path(os.environ.get("FCVG_GOLDEN") or OWN_GOLDEN)


@pytest.fixture(scope="session")
def own_golden() -> Path:
    """The project's own copy of the golden cases, for data that is the same in every set."""
    return OWN_GOLDEN


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For tests in which equal rows have to become equal to the last bit, wherever they stand.

    Several threads add up the numbers of a row in an order that depends on its place.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
