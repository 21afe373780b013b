"""Where the reference's numbers are."""

import os
from pathlib import Path

import pytest

OWN_GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of golden cases: $FCVG_GOLDEN, else the project's own copy."""
    return Path(os.environ.get("FCVG_GOLDEN") or OWN_GOLDEN)


@pytest.fixture(scope="session")
def own_golden() -> Path:
    """The project's own copy, for what is the same in every set of cases."""
    return OWN_GOLDEN
