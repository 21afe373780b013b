"""Inputs that URLs name."""

import json
from pathlib import Path

import pytest

from fcvg_core.batch.planning.inputs import fetch_inputs, hide_urls, holder_of, show_urls
from fcvg_core.batch.types import Task
from fcvg_core.errors import UserError


def task_of(remote: dict[str, str], **options) -> Task:
    return Task("a", "a-0", "0", "copy", "plan_cases", options, "", remote=remote)


class TestHolders:
    def test_hidden_ones_come_back(self):
        urls: dict[str, str] = {}
        listed = ["s3://k/a.png", "b.png", 3, None]
        assert hide_urls(listed, urls) == [holder_of("s3://k/a.png"), "b.png", 3, None]
        cell = hide_urls("s3://k/a.png; gs://k/b c.png;d.png", urls)
        assert "://" not in cell and cell.count(";") == 2
        assert show_urls(cell, urls) == "s3://k/a.png; gs://k/b c.png;d.png"
        assert hide_urls("read s3://k/a.png", {}) == "read s3://k/a.png"
        deep = json.loads("[" * 900 + "]" * 900)  # no option holds it; its mode says so
        assert hide_urls(deep, {}) == deep

    def test_a_holder_has_the_name_of_the_file(self):
        assert holder_of("https://x/a/b.mp4?key=1").endswith("b.mp4")
        assert holder_of("s3://x/a.png") != holder_of("s3://y/a.png")

    def test_of_a_file_is_its_path(self, tmp_path):
        urls: dict[str, str] = {}
        path = tmp_path / "a.png"
        assert hide_urls(f"file://{path.as_posix()}", urls) == str(path) and not urls


class TestFetch:
    def test_a_local_task_stays_as_it_is(self, tmp_path):
        task = task_of({}, first="/a.png")
        assert fetch_inputs(task, tmp_path) is task and not list(tmp_path.iterdir())

    def test_options_name_the_files(self, memory, tmp_path):
        memory.pipe({"/x/a.png": b"1", "/y/a.png": b"2", "/poses/0.png": b"3"})
        urls = ("memory://x/a.png", "memory://y/a.png", "memory://poses")
        first, second, folder = map(holder_of, urls)
        remote = dict(zip((first, second, folder), urls, strict=True))
        task = task_of(remote, first=first, between=[second, "/b.png"], model=folder, steps=3)
        options = fetch_inputs(task, tmp_path / "inputs").options
        paths = (options["first"], options["between"][0], f"{options['model']}/0.png")
        assert [Path(path).read_bytes() for path in paths] == [b"1", b"2", b"3"]
        assert options["between"][1] == "/b.png" and options["steps"] == 3
        assert task.options["first"] == first

    def test_no_file(self, memory, tmp_path):
        url = "memory://none.png"
        with pytest.raises(UserError, match="There is no file memory://none.png"):
            fetch_inputs(task_of({holder_of(url): url}, first=holder_of(url)), tmp_path)
