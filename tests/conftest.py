"""Fixtures for the folders of golden cases."""

import os
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
