"""Marks of files: what they depend on, and what is kept between runs."""

import hashlib
import os
from pathlib import Path

import pytest
from plan_cases import MemoryStore

from fcvg_core.batch.planning import hashes
from fcvg_core.batch.planning.hashes import Hashes, check_unchanged, read_mark
from fcvg_core.batch.store import StoreError
from fcvg_core.batch.store.layout import HASHES
from fcvg_core.errors import UserError


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def reads(monkeypatch) -> list[Path]:
    """The files that are read."""
    found, read = [], hashes.read_mark
    monkeypatch.setattr(hashes, "read_mark", lambda path: (found.append(path), read(path))[1])
    return found


def put(path: Path, content: bytes, *, time: int = 1000) -> Path:
    """A file that was written long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time, time))
    return path


class TestMark:
    def test_of_a_file_is_its_hash(self, tmp_path):
        path = put(tmp_path / "a", b"content")
        assert Hashes(None).mark(path) == hashlib.sha256(b"content").hexdigest()

    def test_of_a_folder_are_names_and_contents(self, tmp_path):
        folders = [tmp_path / name for name in ("one", "same", "renamed", "changed")]
        for folder, name, content in zip(folders, "aaba", (b"1", b"1", b"1", b"2"), strict=True):
            put(folder / "sub" / name, content)
        one, same, renamed, changed = Hashes(None).marks(folders)
        assert one == same and len({one, renamed, changed}) == 3

    def test_what_can_not_be_read_is_said(self, tmp_path):
        found, missing = Hashes(None).marks([put(tmp_path / "a", b""), tmp_path / "b"])
        assert found == hashlib.sha256(b"").hexdigest()
        assert (
            isinstance(missing, UserError) and str(missing) == f"There is no file {tmp_path / 'b'}."
        )

    def test_a_file_that_may_not_be_read(self, tmp_path, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(hashes, "read_mark", refuse)
        with pytest.raises(UserError, match="You may not read or write .*a: change its permissi"):
            Hashes(None).mark(put(tmp_path / "a", b"1"))

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_pipe_is_not_read(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UserError, match="is a pipe or a device; expected a file or a folder"):
            Hashes(None).mark(tmp_path / "pipe")

    def test_a_store_that_does_not_answer_is_no_fault_of_a_file(self, monkeypatch):
        def refuse(url):
            raise StoreError("no answer")

        monkeypatch.setattr(hashes, "mark_of", refuse)
        with pytest.raises(StoreError):
            Hashes(None).marks(["s3://bucket/a.png"])

    def test_a_dry_run_asks_a_store_that_does_not_answer_once(self, tmp_path, monkeypatch):
        asked = []

        def refuse(url):
            asked.append(url)
            raise StoreError("no answer") if "://b" in url else UserError("no file")

        monkeypatch.setattr(hashes, "mark_of", refuse)
        monkeypatch.setattr(hashes, "ASKING", 1)
        found = Hashes(None, dry=True)
        places = ["s3://b/a.png", "s3://b/c/d.png", "s3://c/a.png", "s3://c/b.png"]
        said = [str(error) for error in found.marks([*places, put(tmp_path / "a", b"1")])]
        assert said[:4] == ["no answer", "no answer", "no file", "no file"] and len(said[4]) == 64
        assert asked == ["s3://b/a.png", *places[2:]]


class TestKept:
    def test_unchanged_files_are_read_once(self, tmp_path, store, reads):
        paths = [put(tmp_path / name, name.encode()) for name in "abc"]
        first = Hashes(store)
        marks = first.marks([*paths, *paths[:1]])
        first.save()
        assert set(reads) == set(paths)
        reads.clear()
        assert Hashes(store).marks(paths) == marks[:3] and not reads

    @pytest.mark.parametrize("change", ["content", "time", "another file"])
    def test_changed_files_are_read_again(self, tmp_path, store, reads, change):
        path = put(tmp_path / "a", b"old")
        first = Hashes(store)
        old = first.mark(path)
        first.save()
        if change == "another file":  # of the same size and time
            os.replace(put(tmp_path / "b", b"new"), path)
        else:
            put(path, b"newer" if change == "content" else b"new", time=2000)
        reads.clear()
        assert Hashes(store).mark(path) != old and reads == [path]

    def test_a_file_that_was_just_written_is_not_trusted(self, tmp_path, store):
        """It may be written again within the same tick of the disk's clock."""
        (tmp_path / "a").write_bytes(b"new")
        found = Hashes(store)
        found.mark(tmp_path / "a")
        found.save()
        assert HASHES not in store.files

    def test_torn_lines_are_skipped(self, tmp_path, store, reads):
        path = put(tmp_path / "a", b"1")
        first = Hashes(store)
        first.mark(path)
        first.save()
        whole = store.files[HASHES]
        store.files[HASHES] = b'[1]\n{"path": "zz"}\n' + whole + whole[:30]
        reads.clear()
        Hashes(store).mark(path)
        assert not reads

    def test_a_dry_run_writes_nothing(self, tmp_path, store):
        found = Hashes(store, dry=True)
        found.mark(put(tmp_path / "a", b"1"))
        found.save()
        assert not store.files


class TestCheckUnchanged:
    def test_what_is_the_same(self, tmp_path):
        path = tmp_path / "a.png"
        path.write_bytes(b"a")
        check_unchanged({"first": read_mark(path)}, {"first": path, "last": tmp_path / "gone"})

    def test_what_has_changed_or_is_gone(self, tmp_path):
        path = tmp_path / "a.png"
        path.write_bytes(b"a")
        mark = read_mark(path)
        path.write_bytes(b"b")
        with pytest.raises(UserError, match="a.png has changed since the batch began"):
            check_unchanged({"first": mark}, {"first": path})
        path.unlink()
        with pytest.raises(UserError, match="a.png has changed since the batch began"):
            check_unchanged({"first": mark}, {"first": path})

    def test_folders_are_not_read(self, tmp_path):
        check_unchanged({"control_frames": "0" * 64}, {"control_frames": tmp_path})
