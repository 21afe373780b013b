"""ComfyUI loads and runs the pack from a folder of any name, with files in such a folder."""

import pytest
from clones import NAMES, clone, run_tests

HANDFUL = (
    "tests/nodes/test_import.py",
    "tests/nodes/test_server.py::TestObjectInfo",
    "tests/nodes/test_server.py::TestHelp",
    "tests/nodes/test_server.py::TestWorkflows::test_runs_to_a_finished_video[fcvg_simple.json]",
)


@pytest.mark.server
@pytest.mark.slow
def test_nodes(host, tmp_path):
    folder = clone(tmp_path / NAMES[-1])
    assert " passed" in run_tests(folder, *HANDFUL)
