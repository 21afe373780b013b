"""What tests of several rooms of a batch need."""

import pytest


@pytest.fixture
def memory():
    """A store in memory."""
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.store.clear()
    return files
