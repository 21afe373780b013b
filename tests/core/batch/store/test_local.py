"""A store in a folder: small files, lines, and results that appear whole."""

import errno
import json
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from fcvg_core.batch.driver.leases import Leases
from fcvg_core.batch.store import StoreError, disk, is_full, is_remote, local, open_store
from fcvg_core.batch.store.layout import result_name
from fcvg_core.errors import UserError


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "out"))


def made(store, name="a-000000000000", owner="driver", **files):
    """A folder with files in a workspace."""
    folder = store.workspace(owner, name) / "result"
    folder.mkdir()
    for file, text in (files or {"one.txt": "1"}).items():
        (folder / file).write_text(text)
    return folder


def test_addresses(tmp_path):
    assert is_remote("s3://a/b") and is_remote("memory://a")
    assert not is_remote("a/b") and not is_remote("C:\\a") and not is_remote("file:///a")
    assert open_store(f"file://{tmp_path}/a%20b").folder == tmp_path / "a b"
    with pytest.raises(UserError, match="holds a zero byte"):
        open_store("a\0b")


def test_a_full_disk_is_known_by_what_an_error_comes_from():
    full = OSError(errno.ENOSPC, "No space left on device")

    def raised(cause):
        try:
            try:
                raise full
            except OSError:
                if cause:
                    raise ValueError("it can't be written") from full
                raise ValueError("something else") from None
        except ValueError as error:
            return error

    assert is_full(full) and is_full(raised(True))
    assert not is_full(raised(False)) and not is_full(None) and not is_full(KeyboardInterrupt())


class TestSmallFiles:
    def test_are_written_and_read(self, store):
        assert store.read("failed/a.json") is None
        store.write("failed/a.json", b"1")
        store.write("failed/a.json", b"2")
        assert store.read("failed/a.json") == b"2" and store.names("failed") == ["a.json"]
        store.remove("failed/a.json")
        store.remove("failed/a.json")
        assert store.names("failed") == [] and store.names("nothing") == []

    def test_are_created_once(self, store):
        wins = []
        start = threading.Barrier(8)

        def race(number):
            start.wait()
            if store.create("claims/a.0", b"%d" % number):
                wins.append(number)

        threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 1 and store.read("claims/a.0") == b"%d" % wins[0]
        assert os.listdir(store.folder / "claims") == ["a.0"]

    def test_are_created_once_without_hard_links(self, store, monkeypatch):
        def no_link(*_):
            raise OSError(errno.EPERM, "no links")

        monkeypatch.setattr(os, "link", no_link)
        assert store.create("claims/a.0", b"1") and not store.create("claims/a.0", b"2")
        assert store.read("claims/a.0") == b"1"

    def test_other_faults_of_links_are_told(self, store, monkeypatch):
        def no_link(*_):
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(os, "link", no_link)
        with pytest.raises(UserError, match="check its disk"):
            store.create("claims/a.0", b"1")

    def test_what_another_process_has_open_is_tried_again(self, store, monkeypatch):
        """Windows refuses to replace and to remove a file that is open."""
        store.write("drivers/a", b"1")
        monkeypatch.setattr(disk, "PAUSE", 0.0)
        tries = []

        def refused(method, times):
            def tried(path, *rest):
                if path.name != "a" and path.suffix != ".part":  # as a journal of pytest's own
                    return method(path, *rest)
                tries.append(path)
                if len(tries) <= times:
                    raise PermissionError(errno.EACCES, "it is open")
                return method(path, *rest)

            tries.clear()
            return tried

        replace, read = Path.replace, Path.read_bytes
        for number in (1, 3):
            monkeypatch.setattr(disk, "TRIES", number)
            monkeypatch.setattr(Path, "replace", refused(replace, number - 1))
            store.write("drivers/a", b"%d" % number)
            monkeypatch.setattr(Path, "read_bytes", refused(read, number - 1))
            assert store.read("drivers/a") == b"%d" % number and len(tries) == number
        monkeypatch.setattr(Path, "read_bytes", refused(read, 9))
        with pytest.raises(UserError, match="change its permissions"):
            store.read("drivers/a")
        assert len(tries) == 3

    def test_what_a_killed_process_left_half_written_goes(self, store):
        store.write("drivers/own", b"1")
        for folder in ("", "claims", "drivers", "failed"):
            store.write(f"{folder}/kept".strip("/"), b"")
            for name, age in (("old", 3700), ("new", 3500)):
                part = store.folder / folder / f".{name}.part"
                part.write_bytes(b"1")
                now = os.stat(store.folder / "drivers").st_mtime
                os.utime(part, (now - age, now - age))
        store.clean("own")
        left = sorted(path.relative_to(store.folder).parent for path in store.folder.rglob(".new*"))
        assert len(left) == 4 and not list(store.folder.rglob(".old*"))
        assert store.read("kept") == b""

    def test_a_folder_that_cant_be_made(self, store):
        store.write("a", b"")
        with pytest.raises(UserError, match="a part of it is a file"):
            store.write("a/b/c", b"")


class TestLines:
    def test_are_appended(self, store):
        assert list(store.stream("runs.jsonl")) == []
        store.append("runs.jsonl", b"1\n")
        store.append("runs.jsonl", b"2\n3\n")
        assert list(store.stream("runs.jsonl")) == [b"1\n", b"2\n", b"3\n"]

    def test_begin_anew_after_a_torn_line(self, store):
        store.append("runs.jsonl", b'1\n{"torn')
        store.append("runs.jsonl", b"2\n")
        assert store.read("runs.jsonl") == b'1\n{"torn\n2\n'

    def test_of_many_writers_stay_whole(self, store):
        line = b"x" * 3000 + b"\n"

        def write():
            own = open_store(store.address)
            for _ in range(50):
                own.append("runs.jsonl", line)

        threads = [threading.Thread(target=write) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(store.stream("runs.jsonl")) == {line}
        assert len(list(store.stream("runs.jsonl"))) == 300

    def test_a_full_disk_leaves_no_part_of_a_line(self, store, monkeypatch):
        store.append("runs.jsonl", b"1\n")
        write = os.write

        def half(opened, lines):
            if len(lines) < 6:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(opened, lines[:6])

        monkeypatch.setattr(os, "write", half)
        with pytest.raises(UserError, match="is full") as caught:
            store.append("runs.jsonl", b"2222222\n")
        monkeypatch.undo()
        assert is_full(caught.value) and store.read("runs.jsonl") == b"1\n"

    def test_without_locks_of_the_system(self, store, monkeypatch):
        fcntl = pytest.importorskip("fcntl")

        def no_locks(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", no_locks)
        store.append("runs.jsonl", b"1\n")
        store.append("runs.jsonl", b"2\n")
        assert store.read("runs.jsonl") == b"1\n2\n"

    def test_with_the_lock_of_windows(self, store, monkeypatch):
        """A byte beyond the end is locked, so that readers are never refused."""
        locked = []

        def locking(opened, mode, count):
            locked.append((os.lseek(opened, 0, os.SEEK_CUR), mode, count))

        monkeypatch.setitem(sys.modules, "fcntl", None)
        msvcrt = SimpleNamespace(LK_LOCK=1, locking=locking)
        monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
        store.append("runs.jsonl", b"1\n")
        store.append("runs.jsonl", b"2\n")
        assert store.read("runs.jsonl") == b"1\n2\n" and locked == 2 * [(2**31 - 1, 1, 1)]


class TestResults:
    NAME = "a-000000000000"

    def test_appear_whole_with_their_record(self, store):
        folder = made(store, **{"one.txt": "1", "two.txt": "22"})
        (folder / "inner" / "most").mkdir(parents=True)
        (folder / "inner" / "most" / "three.txt").write_text("333")
        assert not store.is_done(self.NAME) and store.done() == set()
        assert store.record(self.NAME) is None
        assert store.publish(folder, self.NAME, {"id": "a", "files": "other"})
        assert store.is_done(self.NAME) and store.done() == {self.NAME}
        result = store.folder / "results" / self.NAME
        assert store.where(self.NAME) == str(result)
        assert (result / "inner" / "most" / "three.txt").read_text() == "333"
        assert store.record(self.NAME) == {
            "id": "a",
            "files": {"inner/most/three.txt": 3, "one.txt": 1, "two.txt": 2},
        }
        assert os.listdir(store.folder / ".partial" / "driver") == []

    def test_the_second_is_dropped(self, store):
        first, second = made(store, one="first"), made(store, one="second")
        assert store.publish(first, self.NAME, {"of": 1})
        assert not store.publish(second, self.NAME, {"of": 2})
        assert not second.exists() and store.record(self.NAME)["of"] == 1
        assert (store.folder / "results" / self.NAME / "one").read_text() == "first"

    def test_one_of_many_is_taken(self, store, monkeypatch):
        """Two workers that both found no result: the rename decides."""
        folders = [made(store, one=str(number)) for number in range(6)]
        start = threading.Barrier(6)
        sizes, won = local.file_sizes, []

        def together(folder):
            start.wait()
            return sizes(folder)

        monkeypatch.setattr(local, "file_sizes", together)

        def publish(number):
            if store.publish(folders[number], self.NAME, {"of": number}):
                won.append(number)

        threads = [threading.Thread(target=publish, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1 and store.record(self.NAME)["of"] == won[0]
        assert store.names(".partial/driver") == []

    def test_are_on_the_disk_before_they_appear(self, store, monkeypatch):
        events = []
        fsync, rename = os.fsync, os.rename

        def note_fsync(opened):
            events.append(os.path.basename(os.readlink(f"/proc/self/fd/{opened}")))
            fsync(opened)

        def note_rename(*paths):
            events.append("rename")
            rename(*paths)

        if not os.path.isdir("/proc/self/fd"):
            pytest.skip("no /proc")
        folder = made(store, one="1")
        (folder / "inner").mkdir()
        (folder / "inner" / "two").write_text("2")
        monkeypatch.setattr(os, "fsync", note_fsync)
        monkeypatch.setattr(os, "rename", note_rename)
        store.publish(folder, self.NAME, {})
        assert set(events[:-2]) == {"one", "two", "record.json", "inner", "result"}
        assert events[-2:] == ["rename", "results"]

    def test_a_full_disk_is_told(self, store, monkeypatch):
        def full(opened):
            raise OSError(errno.ENOSPC, "No space left on device")

        folder = made(store)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="is full") as caught:
            store.publish(folder, self.NAME, {})
        assert is_full(caught.value) and not store.is_done(self.NAME)

    def test_a_workspace_that_was_cleaned_is_not_published(self, store):
        folder = made(store)
        store.clean("driver")
        with pytest.raises(StoreError, match="another driver does its task"):
            store.publish(folder, self.NAME, {})
        assert not store.is_done(self.NAME) and store.owners() == []
        assert not (store.folder / ".partial").exists()

    def test_a_file_in_the_place_of_a_result(self, store):
        store.write(f"results/{self.NAME}", b"")
        with pytest.raises(UserError, match="is not possible"):
            store.publish(made(store), self.NAME, {})
        assert not store.is_done(self.NAME)

    def test_a_damaged_record_is_none(self, store):
        store.publish(made(store), self.NAME, {})
        for text in ("{", "[]", ""):
            (store.folder / "results" / self.NAME / "record.json").write_text(text)
            assert store.record(self.NAME) is None and store.is_done(self.NAME)

    def test_workspaces_are_new_and_of_the_same_disk(self, store):
        one, two = store.workspace("d", self.NAME), store.workspace("d", self.NAME)
        assert one != two and one.stat().st_dev == store.folder.stat().st_dev
        assert store.owners() == ["d"]

    def test_of_the_longest_ids(self, store):
        name = result_name("場" * 66, "0" * 64)
        assert Leases(store, "own").take(name)
        assert store.create(f"claims/{name}.0123456789abcdef", b"")  # as a successor is called
        assert store.publish(made(store, name), name, {}) and store.done() == {name}
        store.write(f"failed/{name}.json", b"{}")

    def test_systems_that_flush_no_folder(self, store, monkeypatch):
        fsync, opening = os.fsync, os.open

        def no_folders(opened):
            if os.path.isdir(f"/proc/self/fd/{opened}"):
                raise OSError(errno.EINVAL, "not for a folder")
            fsync(opened)

        monkeypatch.setattr(os, "fsync", no_folders)
        assert store.publish(made(store), "a-1", {})

        def no_opening(path, flags, *rest):
            if os.path.isdir(path):
                raise PermissionError(errno.EACCES, "as on Windows")
            return opening(path, flags, *rest)

        def broken(opened):
            if os.path.isdir(f"/proc/self/fd/{opened}"):
                raise OSError(errno.EIO, "broken")
            fsync(opened)

        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(UserError, match="check its disk"):
            store.publish(made(store), "a-3", {})
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "open", no_opening)
        assert store.publish(made(store), "a-2", {})
        assert json.loads(store.read("results/a-2/record.json"))["files"] == {"one.txt": 1}
