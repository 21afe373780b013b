"""The project works in a folder of any name."""

import shutil
import sys

import pytest
from clones import NAMES, clone, run, run_tests

# Of files that read, write and draw, and of programs that are started by their path.
HANDFUL = (
    "tests/test_architecture.py",
    "tests/core/test_timeline.py",
    "tests/core/standalone/media/test_pictures.py",
    "tests/core/standalone/cli/test_run_record.py",
    "tests/core/standalone/cli/commands/test_pose.py::TestPose::test_what_it_writes_is_taken_back",
    "tests/core/standalone/cli/test_main.py::TestProcess::test_by_its_path",
    "tests/core/standalone/cli/test_main.py::TestProcess::test_somebody_reads_the_first_line_alone",
)


@pytest.fixture(scope="module", params=NAMES)
def folder(request, tmp_path_factory):
    return clone(tmp_path_factory.mktemp("clone") / request.param)


@pytest.mark.slow
class TestAnyFolder:
    def test_lint(self, folder):
        run(folder, sys.executable, "-m", "ruff", "check", "--no-cache", ".")

    @pytest.mark.skipif(not shutil.which("make"), reason="needs make")
    def test_make(self, folder):
        """With the environment that is there: -o keeps make from installing into it."""
        run(folder, "make", "-o", ".venv/installed", "lint")

    def test_python_takes_the_code_that_is_there(self, folder):
        code = "import fcvg_core; print(fcvg_core.__file__)"
        assert run(folder, sys.executable, "-c", code).startswith(str(folder))

    def test_a_handful_of_tests(self, folder):
        assert " passed" in run_tests(folder, *HANDFUL)
