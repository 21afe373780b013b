"""A store in fsspec's memory, which behaves as a bucket, and in a bucket of a small S3 server."""

import builtins
import os
import secrets
import sys
import tempfile
import threading

import pytest
from lease_cases import Clock, publish

from fcvg_core.batch.driver.leases import Leases, clean_partial
from fcvg_core.batch.driver.ledger import Ledger, read_ledger, reconcile
from fcvg_core.batch.store import StoreError, layout, open_store
from fcvg_core.errors import UserError

fsspec = pytest.importorskip("fsspec", reason="the package fsspec is not installed")
NAME = "a-000000000000"


@pytest.fixture(scope="session")
def server():
    """Address of an S3 server of this machine; skipped where no such server is installed."""
    pytest.importorskip("s3fs", reason="the package s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="the package moto[server] is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def address(request, monkeypatch):
    """A URL where nothing is yet."""
    if request.param == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("server"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        bucket = f"b{secrets.token_hex(4)}"
        fsspec.filesystem("s3").mkdir(bucket)
        return f"s3://{bucket}/out"
    return f"memory://{secrets.token_hex(8)}/out"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files, which is empty after a test."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@pytest.fixture
def store(address):
    return open_store(address)


def test_a_batch_begins(store):
    layout.begin(store)
    layout.begin(store)
    other = open_store(f"{store.address}/results")
    assert other.names("") == [] and store.names("") == ["batch.json"]


def test_a_bucket_of_something_else_is_refused(store):
    store.write("holiday.jpg", b"1")
    with pytest.raises(UserError, match=r"is not empty \('holiday.jpg'\)"):
        layout.begin(store)


def test_small_objects(store):
    assert store.read("failed/a.json") is None and store.names("failed") == []
    store.write("failed/a.json", b"1")
    store.write("failed/a.json", b"2")
    assert store.read("failed/a.json") == b"2" and store.names("failed") == ["a.json"]
    assert store.read("failed") is None
    store.remove("failed/a.json")
    store.remove("failed/a.json")
    assert store.names("failed") == []


def test_two_writers_are_told_apart(store):
    assert store.exclusive and store.names("") == []
    stores = [open_store(store.address) for _ in range(6)]
    start, wins = threading.Barrier(6), []

    def race(number):
        start.wait()
        if stores[number].create("claims/a.0", b"%d" % number):
            wins.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1 and store.read("claims/a.0") == b"%d" % wins[0]


def test_lines_are_objects(store):
    assert list(store.stream("runs.jsonl")) == [] and store.read("runs.jsonl") is None
    store.append("runs.jsonl", b"1\n2\n")
    store.append("runs.jsonl", b"3\n")
    open_store(store.address).append("runs.jsonl", b"4\n")
    assert sorted(store.stream("runs.jsonl")) == [b"1\n", b"2\n", b"3\n", b"4\n"]
    assert len(store.names("runs")) == 3 and len(store.read("runs.jsonl")) == 8


def test_lines_whose_answer_was_lost_are_there_once(store, monkeypatch):
    ledger, write = Ledger(store, "d"), store.write

    def lost(name, content):
        write(name, content)
        raise StoreError("The answer was lost.")

    monkeypatch.setattr(store, "write", lost)
    ledger.note(NAME, "done")
    with pytest.raises(StoreError):
        ledger.flush()
    monkeypatch.undo()
    store.append("hashes.jsonl", b"1\n")
    ledger.note(NAME, "started")
    ledger.close()
    assert [line["state"] for line in read_ledger(store)] == ["done", "started"]


class TestResults:
    def folder(self, store, **files):
        folder = store.workspace("driver", NAME) / "result"
        (folder / "inner").mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        (folder / "inner" / "frame 1.txt").write_text("333")
        return folder

    def test_are_done_when_their_record_is_there(self, store):
        folder = self.folder(store, one="1")
        assert not store.is_done(NAME) and store.record(NAME) is None and store.done() == set()
        assert store.publish(folder, NAME, {"id": "a"})
        assert store.is_done(NAME) and store.done() == {NAME} and not folder.exists()
        assert store.record(NAME) == {"id": "a", "files": {"inner/frame 1.txt": 3, "one": 1}}
        assert store.read(f"results/{NAME}/inner/frame 1.txt") == b"333"
        assert store.where(NAME) == f"{store.address}/results/{NAME}"

    def test_the_second_is_dropped(self, store):
        assert store.publish(self.folder(store, one="first"), NAME, {"of": 1})
        assert not store.publish(self.folder(store, one="second"), NAME, {"of": 2})
        assert store.record(NAME)["of"] == 1 and store.read(f"results/{NAME}/one") == b"first"

    def test_the_record_comes_last(self, store, monkeypatch, temporary):
        """A worker that is killed, or loses the store, between the files and the record."""
        folder = self.folder(store, one="1")

        def lost(*_):
            raise StoreError("The store is lost.")

        with monkeypatch.context() as patch, pytest.raises(StoreError):
            patch.setattr(store, "create", lost)
            store.publish(folder, NAME, {})
        assert store.read(f"results/{NAME}/one") == b"1" and not store.is_done(NAME)
        assert store.publish(self.folder(store, one="2"), NAME, {})
        assert list(temporary.iterdir()) == []

    def test_a_lost_answer_is_understood(self, store, monkeypatch):
        create = store.create
        monkeypatch.setattr(store, "create", lambda *values: create(*values) and False)
        assert store.publish(self.folder(store), NAME, {})

    def test_a_workspace_that_is_gone(self, store):
        folder = self.folder(store)
        store.clean("driver")
        with pytest.raises(StoreError, match="another driver does its task"):
            store.publish(folder, NAME, {})
        assert not store.is_done(NAME)

    def test_a_damaged_record_is_none(self, store):
        store.write(f"records/{NAME}.json", b"{")
        assert store.is_done(NAME) and store.record(NAME) is None


def test_leases_and_ledger(store, temporary):
    one, two = Leases(store, "one"), Leases(store, "two")
    one.start()
    assert one.take(NAME) and not two.take(NAME) and two.waiting_for(NAME) == "one"
    ledger = Ledger(store, "one")
    ledger.note(NAME, "started")
    publish(store, NAME)
    publish(store, "b-000000000000")
    assert reconcile(store, Ledger(store, "two"), two) == 0
    one.close()
    ledger.note(NAME, "done")
    ledger.close()
    assert reconcile(store, Ledger(store, "two"), two) == 1
    lines = [(line["name"], line["state"]) for line in read_ledger(store)]
    assert sorted(lines) == [
        (NAME, "done"),
        (NAME, "started"),
        ("b-000000000000", "done"),
    ]
    assert store.names("claims") == [] and list(temporary.iterdir()) == []


def test_workspaces_of_dead_drivers_are_removed(store, temporary):
    other = open_store(f"{store.address}-other")
    kept = other.workspace("ended", NAME)
    store.workspace("ended", NAME)
    own = store.workspace("own", NAME)
    assert store.owners() == ["ended", "own"]
    clean_partial(store, Leases(store, "own"))
    assert sorted(temporary.iterdir()) == sorted([kept, own])


class TestFaults:
    def test_a_store_that_cant_be_reached(self, monkeypatch):
        store = open_store("memory://x/y")

        def lost(*_, **__):
            raise ConnectionError("no route to host")

        for method in ("cat_file", "pipe_file", "ls", "rm_file", "put"):
            monkeypatch.setattr(type(store._fs), method, lost)
        for call in (
            lambda: store.read("a"),
            lambda: store.write("a", b""),
            lambda: store.create("a", b""),
            lambda: store.remove("a"),
            lambda: store.names(""),
            lambda: list(store.stream("a.jsonl")),
        ):
            with pytest.raises(StoreError, match=r"ConnectionError: no route to host\). Check the"):
                call()

    def test_a_bucket_that_refuses_two_writers_at_once(self, monkeypatch):
        """S3 answers 409 to both; one of them is to try again."""
        store = open_store(f"memory://{secrets.token_hex(8)}")
        assert store.exclusive
        pipe, refused = type(store._fs).pipe_file, []

        def refuse(self, *values, **options):
            if len(refused) < 2:
                refused.append(values)
                raise OSError("ConditionalRequestConflict")
            return pipe(self, *values, **options)

        monkeypatch.setattr(type(store._fs), "pipe_file", refuse)
        assert store.create("claims/a.0", b"1") and len(refused) == 2

    def test_an_object_that_is_there_by_any_error(self, monkeypatch):
        store = open_store(f"memory://{secrets.token_hex(8)}")
        assert store.create("claims/a.0", b"1")

        def refuse(*_, **__):
            raise OSError("PreconditionFailed")

        monkeypatch.setattr(type(store._fs), "pipe_file", refuse)
        assert not store.create("claims/a.0", b"2") and store.read("claims/a.0") == b"1"

    def test_a_scheme_that_nobody_knows(self):
        with pytest.raises(UserError, match=r"nobody://x can't be opened \(Protocol not known"):
            open_store("nobody://x")

    def test_a_package_of_a_scheme_that_is_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "gcsfs", None)
        with pytest.raises(UserError, match=r"is not installed \(.*pip install fsspec gcsfs"):
            open_store("gs://bucket/x")

    def test_fsspec_is_not_installed(self, monkeypatch):
        load = builtins.__import__

        def refuse(name, *rest):
            if name.startswith("fsspec"):
                raise ModuleNotFoundError(name="fsspec")
            return load(name, *rest)

        monkeypatch.setattr(builtins, "__import__", refuse)
        with pytest.raises(UserError, match="pip install fsspec s3fs"):
            open_store("s3://bucket/x")

    def test_a_place_without_conditions_is_not_exclusive(self, monkeypatch):
        """Of fsspec's base: it looks, then it writes."""
        store = open_store(f"memory://{secrets.token_hex(8)}")
        monkeypatch.setattr(type(store._fs), "pipe_file", fsspec.AbstractFileSystem.pipe_file)
        store = open_store(store.address)
        assert not store.exclusive
        assert store.create("a", b"1") and not store.create("a", b"2")

    def test_a_place_that_ignores_conditions_is_found_out(self, monkeypatch):
        store = open_store(f"memory://{secrets.token_hex(8)}")
        pipe = type(store._fs).pipe_file

        def overwrite(self, path, value, overwrite=True):
            pipe(self, path, value)

        monkeypatch.setattr(type(store._fs), "pipe_file", overwrite)
        assert not open_store(store.address).exclusive and store.names("") == []

    def test_no_folder_for_temporary_files(self, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", os.path.join(tempfile.gettempdir(), "missing"))
        assert open_store("memory://x").owners() == []


class Killed(BaseException):
    """Stands for the end of a process, which runs no more code of its own."""


class TestKilled:
    """A driver that is killed at any request to a bucket, and another one that goes on."""

    FILES = {"result.mp4": "frames", "run.json": "{}"}

    def drive(self, store, driver, clock):
        """Do one task as the runner does."""
        layout.begin(store)
        leases, ledger = Leases(store, driver, clock=clock), Ledger(store, driver)
        leases._heartbeat.beat()
        clean_partial(store, leases)
        reconcile(store, ledger, leases)
        for _ in range(12):  # the others are watched until those that stand still are known
            clock.now += 10
            leases._heartbeat.beat()
            leases._drivers.look()
            if store.is_done(NAME) or leases.take(NAME):
                break
        if not store.is_done(NAME):
            folder = store.workspace(driver, NAME)
            for file, text in self.FILES.items():
                (folder / file).write_text(text)
            assert store.publish(folder, NAME, {"id": "a"})
            ledger.note(NAME, "done")
        ledger.flush()
        leases.release(NAME)
        for _ in range(7):
            clock.now += 10
            leases._drivers.look()
        clean_partial(store, leases)
        reconcile(store, ledger, leases)
        leases.close()

    def killed_at(self, step, store, clock, monkeypatch):
        """Whether the driver was killed at its request of that number, before or after it."""
        requests = 0

        def mortal(method):
            def call(self, *values, **options):
                nonlocal requests
                requests += 1
                own = requests
                if own == step // 2 and step % 2 == 0:
                    raise Killed
                try:
                    return method(self, *values, **options)
                finally:
                    if own == step // 2:
                        raise Killed

            return call

        kind = type(store._fs)
        with monkeypatch.context() as patch:
            for name in ("cat_file", "pipe_file", "ls", "rm_file", "put_file"):
                patch.setattr(kind, name, mortal(getattr(kind, name)))
            try:
                self.drive(store, "first", clock)
            except Killed:
                return True
        return False

    def test_at_any_request(self, monkeypatch, temporary):
        step, killed = 2, True
        while killed:
            store, clock = open_store(f"memory://{secrets.token_hex(8)}/out"), Clock()
            killed = self.killed_at(step, store, clock, monkeypatch)
            self.drive(open_store(store.address), "second", clock)
            self.check(store)
            step += 1
        assert step > 50 and list(temporary.iterdir()) == []

    def check(self, store):
        assert store.done() == {NAME}
        files = store.record(NAME)["files"]
        assert files == {name: len(text) for name, text in self.FILES.items()}
        for name, text in self.FILES.items():
            assert store.read(f"results/{NAME}/{name}") == text.encode()
        assert [line["state"] for line in read_ledger(store)].count("done") == 1
        assert store.names("claims") == store.names("drivers") == []
