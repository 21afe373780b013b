"""Files that URLs name: their places and marks, and what stores say."""

import builtins
import re

import pytest

from fcvg_core.batch.store import StoreError, urls
from fcvg_core.batch.store.urls import is_url, join_url, mark_of
from fcvg_core.errors import UserError


class TestUrls:
    @pytest.mark.parametrize("text", ["s3://a/b.png", "memory://x", "gs://a"])
    def test_are_known(self, text):
        assert is_url(text)

    @pytest.mark.parametrize("text", ["a.png", "/a/b", "C:\\a", "c://a", "a: //b", "or s3://x", ""])
    def test_are_not_paths_or_texts(self, text):
        assert not is_url(text)

    @pytest.mark.parametrize(
        ("path", "joined"),
        [("b.png", "s3://k/f/b.png"), ("../b.png", "s3://k/b.png"), ("./x/b", "s3://k/f/x/b")],
    )
    def test_join(self, path, joined):
        assert join_url("s3://k/f", path) == joined


class TestMark:
    def test_depends_on_the_content(self, memory):
        memory.pipe({"/a": b"1", "/folder/b": b"1", "/folder/c": b"1"})
        before = mark_of("memory://a"), mark_of("memory://folder")
        assert before == (mark_of("memory://a"), mark_of("memory://folder"))
        memory.pipe({"/a": b"22", "/folder/c": b"22"})
        assert mark_of("memory://a") != before[0] and mark_of("memory://folder") != before[1]

    def test_the_store_s_own_hash_is_the_best(self):
        one = {"size": 3, "ETag": "x", "LastModified": 1}
        assert urls._mark(one) == urls._mark({**one, "LastModified": 2})
        assert urls._mark(one) != urls._mark({**one, "ETag": "y"})
        assert urls._mark({"size": 3, "mtime": 1}) != urls._mark({"size": 3, "mtime": 2})

    def test_no_file(self, memory):
        with pytest.raises(UserError, match="There is no file memory://none."):
            mark_of("memory://none")

    def test_a_file_that_may_not_be_read(self, memory, monkeypatch):
        def refuse(self, path, **more):
            raise PermissionError(path)

        monkeypatch.setattr(type(memory), "info", refuse)
        with pytest.raises(UserError, match="You may not read memory://a: check the key"):
            mark_of("memory://a")

    def test_a_store_that_does_not_answer(self, memory, monkeypatch):
        def fail(self, path, **more):
            raise RuntimeError("timed out")

        monkeypatch.setattr(type(memory), "info", fail)
        with pytest.raises(StoreError, match=re.escape("memory://a can't be read (RuntimeError")):
            mark_of("memory://a")

    def test_a_store_that_nobody_knows(self):
        pytest.importorskip("fsspec")
        with pytest.raises(UserError, match=r"nowhere://a can't be opened \(Protocol not known"):
            mark_of("nowhere://a")

    def test_a_package_is_missing(self, monkeypatch):
        real = builtins.__import__

        def without(name, *more):
            if name.startswith("fsspec"):
                raise ImportError(name)
            return real(name, *more)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(StoreError, match="s3://a needs a package .*: pip install fsspec s3fs"):
            mark_of("s3://a")
