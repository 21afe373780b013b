"""What a run leaves behind."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli import run_record
from fcvg_core.standalone.cli.run_record import (
    changed_inputs,
    describe_file,
    read_run,
    write_run,
)

unix = pytest.mark.skipif(os.name == "nt", reason="needs pipes and names of Unix")


class TestRun:
    def test_there_and_back(self, tmp_path) -> None:
        (tmp_path / "a.png").write_bytes(b"1")
        write_run(tmp_path / "run.json", {"seed": 2**63}, {"first": tmp_path / "a.png"}, extra=1)
        run = read_run(tmp_path / "run.json")
        assert run["options"] == {"seed": 2**63} and run["extra"] == 1
        assert run["inputs"]["first"]["sha256"].startswith("6b86b273ff34")
        assert {"python", "torch", "numpy"} <= run["versions"].keys()

    def test_changed_inputs(self, tmp_path) -> None:
        paths = [tmp_path / name for name in "abc"]
        for path in paths:
            path.write_text("before")
        write_run(tmp_path / "run.json", {}, {path.name: path for path in paths})
        paths[1].write_text("after")
        paths[2].unlink()
        assert changed_inputs(read_run(tmp_path / "run.json")) == [str(p) for p in paths[1:]]

    def test_large_files_are_not_hashed(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(run_record, "HASHED_BYTES", 3)
        (tmp_path / "big").write_bytes(b"1234")
        assert describe_file(tmp_path / "big") == {"path": str(tmp_path / "big"), "bytes": 4}

    @unix
    def test_names_that_no_text_is(self, tmp_path) -> None:
        picture = tmp_path / "\udcff\u00e9.png"
        picture.write_bytes(b"1")
        write_run(tmp_path / "run.json", {"first": str(picture)}, {"first": picture})
        content = (tmp_path / "run.json").read_bytes()
        assert json.loads(content.decode())["options"]["first"] == str(picture)
        run = read_run(tmp_path / "run.json")
        assert run["options"]["first"] == str(picture) and changed_inputs(run) == []
        picture.unlink()
        assert changed_inputs(run) == [str(picture)]

    @pytest.mark.parametrize(
        "noted",
        [
            None,
            1,
            "a.png",
            [],
            ["path"],
            {},
            {"bytes": 1},
            {"path": None},
            {"path": ["a"]},
            {"path": {"path": "a"}},
        ],
    )
    def test_inputs_that_are_none(self, noted) -> None:
        assert changed_inputs({"inputs": {"first": noted}}) == []

    @unix
    def test_inputs_that_can_not_be_read(self, tmp_path) -> None:
        os.mkfifo(tmp_path / "pipe")
        paths = [
            str(tmp_path / "pipe"),
            "/dev/zero",
            "/dev/stdin",
            "a\0b",
            "x" * 300,
            "\ud800",
            "",
            str(tmp_path),
            "/proc/kmsg",
            "/dev/full",
        ]
        noted = {str(i): {"path": path, "bytes": 0} for i, path in enumerate(paths)}
        assert changed_inputs({"inputs": noted}) == paths
        assert changed_inputs({"inputs": {"a": {"path": str(tmp_path)}}}) == []

    @unix
    def test_runs_that_never_end_or_are_no_text(self, tmp_path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "movie").write_bytes(np.random.RandomState(0).bytes(19 * 2**20))
        for path in (tmp_path / "pipe", tmp_path / "movie", tmp_path, Path("/dev/zero")):
            with pytest.raises(UserError, match="run.json of an earlier run") as caught:
                read_run(path)
            assert str(path) in str(caught.value) and len(str(caught.value)) < 400

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"options": 1, "inputs": {}}', "\xff"])
    def test_not_a_run(self, tmp_path, content) -> None:
        (tmp_path / "run.json").write_text(content, encoding="latin-1")
        with pytest.raises(ValueError, match="run.json of an earlier run"):
            read_run(tmp_path / "run.json")

    def test_missing(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="There is no file"):
            read_run(tmp_path / "run.json")

    def test_readable(self, tmp_path) -> None:
        write_run(tmp_path / "run.json", {"first": "\u00e9"}, {})
        assert "\u00e9" in (tmp_path / "run.json").read_text(encoding="utf-8")
        assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
