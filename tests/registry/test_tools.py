"""What the registry's tools say of the packed pack: nothing; and that they would say something."""

import json

import pytest
import registry_tools
from clones import ROOT

tomllib = pytest.importorskip("tomllib")  # Python 3.11

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
PASSED = "All validation checks passed"


def bandit(folder) -> list[tuple[str, str]]:
    """File and test of everything that Bandit finds, in order."""
    code, said = registry_tools.run(
        "bandit", "-q", "-r", ".", "-c", "pyproject.toml", "-f", "json", cwd=folder
    )
    assert code in (0, 1), said
    report = json.loads(said[said.index("{") :])
    assert not report["errors"] and report["metrics"]["_totals"]["loc"] > 5000
    assert report["metrics"]["_totals"]["nosec"] == 0
    return sorted(
        (found["filename"].removeprefix("./").replace("\\", "/"), found["test_id"])
        for found in report["results"]
    )


class TestBandit:
    def test_finds_what_is_accepted_and_no_more(self, packed):
        """Each with a reason, in pyproject.toml; what is found no more leaves the list."""
        accepted = SETTINGS["fcvg"]["accepted-findings"]
        assert all(entry["reason"] for entry in accepted)
        assert bandit(packed) == sorted((entry["file"], entry["test"]) for entry in accepted)

    def test_finds_something(self, bad):
        assert ("nodes/bad.py", "B102") in bandit(bad)


class TestComfyTest:
    """Its lint: patterns that break other packs or hosts, and scripts of the editor."""

    def test_passes(self, packed):
        code, said = registry_tools.run("comfy-test", "lint", "--strict", ".", cwd=packed)
        assert code == 0 and "[SYNTAX] PASSED" in said and "[JAVASCRIPT] PASSED" in said, said

    def test_finds_something(self, bad):
        code, said = registry_tools.run("comfy-test", "lint", "--strict", ".", cwd=bad)
        assert code == 1 and "[SYNTAX] FAILED" in said and "bad.py" in said, said


class TestComfyValidate:
    """pyproject.toml as the registry wants it, and no code that is made at run time."""

    def test_passes(self, packed):
        code, said = registry_tools.run("comfy", "--skip-prompt", "node", "validate", cwd=packed)
        assert code == 0 and PASSED in said, said

    def test_finds_something(self, bad):
        code, said = registry_tools.run("comfy", "--skip-prompt", "node", "validate", cwd=bad)
        assert PASSED not in said and "S102" in said, said
