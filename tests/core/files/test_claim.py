"""Which folder a run gets, alone, and what is left of it."""

import contextlib
import errno
import logging
import os
import threading
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.files import claim as module
from fcvg_core.files.claim import MARKER, claim_folder, made_folder, own_folder, resolve_output

unix = pytest.mark.skipif(os.name == "nt", reason="needs links and devices of Unix")


def claimed(wanted) -> Path:
    """The folder of a run that writes one file."""
    with claim_folder(Path(wanted)) as claim:
        (claim.path / "file").write_text("1")
    return claim.path


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current folder, two deep in an empty one."""
    folder = tmp_path / "above" / "here"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


class TestWhichFolder:
    def test_numbers(self, here, caplog):
        caplog.set_level(logging.INFO)
        assert [claimed("deep/out").name for _ in range(3)] == ["out", "out_0001", "out_0002"]
        assert caplog.messages[0] == (
            f"{Path('deep/out')} already exists: the results go to {Path('deep/out_0001')}."
        )

    @pytest.mark.parametrize(
        ("wanted", "first", "second"),
        [
            (".", "above/here", "above/here_0001"),
            ("", "above/here", "above/here_0001"),
            ("..", "above_0001", "above_0002"),
            ("../x", "above/x", "above/x_0001"),
            ("x/..", "above/here", "above/here_0001"),
            ("name/", "above/here/name", "above/here/name_0001"),
            ("a/b/c", "above/here/a/b/c", "above/here/a/b/c_0001"),
            ("~", "home", "home_0001"),
            ("~/x", "home/x", "home/x_0001"),
            ("~nobody-of-this-name/x", "above/here/~nobody-of-this-name/x", None),
            ("dot.txt", "above/here/dot.txt", "above/here/dot.txt_0001"),
            ("-o", "above/here/-o", "above/here/-o_0001"),
        ],
    )
    def test_every_way_to_name_one(self, here, tmp_path, monkeypatch, wanted, first, second):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
        assert claimed(wanted).resolve() == tmp_path / first
        if second:
            assert claimed(wanted).resolve() == tmp_path / second

    @unix
    def test_links_and_files(self, here):
        for name in ("empty", "full"):
            Path(name).mkdir()
            Path(f"to_{name}").symlink_to(name)
        Path("full/mine").touch()
        Path("dangling").symlink_to("nowhere")
        Path("file").write_text("mine")
        wanted = ("to_empty", "to_full", "dangling", "file", "dot.", "space ", "...", "\udcff")
        found = [claimed(name).name for name in wanted]
        assert found == ["to_empty", "to_full_0001", "dangling_0001", "file_0001", *wanted[4:]]
        assert Path("empty/file").is_file() and Path("file").read_text() == "mine"

    def test_empty_folder_is_taken_and_stays(self, tmp_path):
        with pytest.raises(KeyError), claim_folder(tmp_path) as claim:
            assert claim.path == tmp_path
            raise KeyError
        assert list(tmp_path.iterdir()) == []

    @unix
    @pytest.mark.parametrize(
        ("wanted", "message"),
        [
            (
                "/",
                "/ is the root of a disk, and it is not empty: choose a folder",
            ),
            ("file/x", "The path file/x is not possible: a part of it is a file"),
            ("file/x/y", "The path file/x/y is not possible: a part of it is a file"),
            ("dangling/x", "The path dangling/x is not possible: a part of it is a file"),
            ("x" * 300, "is too long for its disk"),
            ("y" * 255, "is too long for its disk"),  # there already: with a number
            ("/proc/x", "There is no file or folder /proc/x"),
            ("/dev/null/x", "The path /dev/null/x is not possible"),
            ("a\0b", "it holds a zero byte"),
        ],
    )
    def test_refused_in_a_sentence(self, here, wanted, message):
        Path("file").touch()
        Path("dangling").symlink_to("nowhere")
        (here / ("y" * 255)).mkdir()
        (here / ("y" * 255) / "mine").touch()
        with pytest.raises(UserError) as caught, claim_folder(Path(wanted)):
            pytest.fail("there is no such folder")
        assert message in str(caught.value)

    @unix
    def test_current_folder_that_is_gone(self, here):
        here.rmdir()
        for wanted in (".", "out"):
            with pytest.raises(UserError, match="can't be"), claim_folder(Path(wanted)):
                pytest.fail("there is no such folder")

    @pytest.mark.parametrize(
        ("number", "message"),
        [
            (errno.EACCES, "You may not read or write"),
            (errno.EROFS, "is on a read-only disk"),
            (errno.ENOSPC, "is full. .* are free. Make room there"),
            (errno.EDQUOT, r"has no more room for you \(quota\)"),
        ],
    )
    def test_disk_that_takes_none(self, tmp_path, monkeypatch, number, message):
        def refuse(self, mode=0o777, parents=False, exist_ok=False):
            if not exist_ok:
                raise OSError(number, os.strerror(number), str(self))

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(UserError, match=message) as caught, claim_folder(tmp_path / "out"):
            pytest.fail("there is no such folder")
        assert str(tmp_path) in str(caught.value)

    def test_resolve_output_keeps_what_has_a_name(self):
        assert resolve_output(Path("a/b")) == Path("a/b")


class TestAlone:
    def test_the_folder_goes_while_it_is_left(self, tmp_path, monkeypatch):
        """Another run has taken it and removed it again."""
        unlink = Path.unlink

        def unlink_and_more(self, *args, **kwargs):
            unlink(self, *args, **kwargs)
            if self.name == MARKER:
                self.parent.rmdir()

        monkeypatch.setattr(Path, "unlink", unlink_and_more)
        with claim_folder(tmp_path / "deep" / "out"):
            pass
        assert os.listdir(tmp_path) == []

    def test_a_parent_goes_while_it_is_made(self, tmp_path, monkeypatch):
        """Another run removes it between two steps of `mkdir`, which then calls it a file."""
        make, moments = Path.mkdir, []

        def mkdir(self, *args, **kwargs):
            if self.name == "deep" and not moments:
                moments.append(self)
                raise FileExistsError(errno.EEXIST, "", str(self))
            return make(self, *args, **kwargs)

        monkeypatch.setattr(Path, "mkdir", mkdir)
        with claim_folder(tmp_path / "deep" / "out") as claim:
            assert claim.path == tmp_path / "deep" / "out" and moments

    @pytest.mark.parametrize("exists", [False, True])
    def test_of_many_runs_at_one_moment(self, tmp_path, exists):
        """Some of them fail at once, so that the folder goes while others take it."""
        rounds, runs = 40, 6
        barrier = threading.Barrier(runs)
        faults = []

        def run(number: int) -> None:
            for i in range(rounds):
                barrier.wait(60)
                try:
                    with contextlib.suppress(KeyError), claim_folder(wanted[i]) as claim:
                        if (number + i) % 3 == 0:
                            raise KeyError
                        (claim.path / "file").open("x").close()
                        assert sorted(os.listdir(claim.path)) == [MARKER, "file"]
                except Exception as error:  # noqa: BLE001  the others wait for this thread
                    faults.append(error)

        wanted = [tmp_path / str(i) / "deep" / "out" for i in range(rounds)]
        for folder in wanted if exists else ():
            folder.mkdir(parents=True)
        threads = [threading.Thread(target=run, args=(i,)) for i in range(runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        assert len(list(tmp_path.rglob("file"))) == rounds * runs * 2 // 3
        assert not list(tmp_path.rglob(MARKER))

    def test_a_run_that_was_killed_keeps_its_folder(self, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / MARKER).touch()
        assert claimed(tmp_path / "out").name == "out_0001"

    def test_another_has_ended_just_now(self, tmp_path, monkeypatch):
        """Its folder was empty a moment ago, and its marker is gone."""
        listed = os.listdir

        def at_first_empty(self):
            monkeypatch.undo()
            (self / "result.mp4").touch()
            return iter(())

        (tmp_path / "out").mkdir()
        monkeypatch.setattr(Path, "iterdir", at_first_empty)
        assert claimed(tmp_path / "out").name == "out_0001"
        assert listed(tmp_path / "out") == ["result.mp4"]


class TestWhatIsLeft:
    @pytest.mark.parametrize("error", [UserError, OSError, KeyboardInterrupt, SystemExit])
    def test_nothing_of_a_run_without_a_file(self, tmp_path, error):
        with pytest.raises(error), claim_folder(tmp_path / "a" / "b" / "out") as claim:
            (claim.path / "condition").mkdir()
            raise error
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("error", [UserError, KeyboardInterrupt])
    def test_every_file_of_a_run_with_one(self, tmp_path, error):
        with pytest.raises(error), claim_folder(tmp_path / "a" / "out") as claim:
            (claim.path / "condition").mkdir()
            (claim.path / "condition" / "00.png").touch()
            (claim.path / "frames").mkdir()
            raise error
        assert [path.name for path in claim.path.iterdir()] == ["condition"]

    def test_folders_of_others_stay(self, tmp_path):
        (tmp_path / "a").mkdir()
        with pytest.raises(KeyError), claim_folder(tmp_path / "a" / "b" / "out"):
            raise KeyError
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_own_folder(self, tmp_path):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            with own_folder(tmp_path / name) as claim:
                if name == "two":
                    claim.reserve(1000)
                (claim.path / "frames").mkdir()
                claim.release()
                (claim.path / "file").touch()
            assert os.listdir(tmp_path / name) == ["file"]

    def test_made_folder(self, tmp_path):
        for name in ("a/b", "a/b", "c/d"):
            with contextlib.suppress(KeyError), made_folder(tmp_path / name):
                if name == "c/d":
                    raise KeyError
                (tmp_path / name / "file").touch()
        assert os.listdir(tmp_path) == ["a"] and os.listdir(tmp_path / "a" / "b") == ["file"]
        with (
            pytest.raises(UserError, match="file already exists"),
            made_folder(tmp_path / "a" / "b" / "file"),
        ):
            pytest.fail("it is a file")


class TestReserve:
    def test_more_than_there_is(self, tmp_path):
        message = r"out has .*B free, but the files of this run may need 1000000000\.0 GB"
        with pytest.raises(UserError, match=message), claim_folder(tmp_path / "out") as claim:
            claim.reserve(1e18)
        assert not list(tmp_path.iterdir())

    def test_room_is_kept_until_it_is_released(self, small_disk):
        disk = small_disk(2**20)

        def free() -> int:
            found = os.statvfs(disk)
            return found.f_bavail * found.f_frsize

        with claim_folder(disk / "out") as claim:
            before = free()
            claim.reserve(600_000)
            assert before - free() >= 600_000
            with pytest.raises(OSError, match="No space"):
                (claim.path / "other").write_bytes(bytes(600_000))
            (claim.path / "other").unlink()
            claim.release(200_000)
            assert 200_000 <= before - free() < 300_000
            claim.release()
            (claim.path / "other").write_bytes(bytes(600_000))

    def test_system_that_keeps_none(self, tmp_path, monkeypatch):
        """Windows and macOS: a run is refused for want of room, and nothing is kept for it."""
        monkeypatch.delattr(module.os, "posix_fallocate", raising=False)
        with claim_folder(tmp_path / "out") as claim:
            claim.reserve(1000)
            assert (claim.path / MARKER).stat().st_size == 0
            with pytest.raises(UserError, match="the files of this run may need"):
                claim.reserve(1e18)

    @pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system keeps no room")
    @pytest.mark.parametrize(
        ("number", "refused"),
        [
            (errno.ENOSPC, True),
            (errno.EDQUOT, True),
            (errno.EFBIG, True),
            (errno.EOPNOTSUPP, False),
            (errno.EINVAL, False),
        ],
    )
    def test_disk_that_keeps_none(self, tmp_path, monkeypatch, number, refused):
        def refuse(*given):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(module.os, "posix_fallocate", refuse)
        expected = pytest.raises(UserError, match="out") if refused else contextlib.nullcontext()
        with expected, claim_folder(tmp_path / "out") as claim:
            claim.reserve(1000)
            claim.release(500)
