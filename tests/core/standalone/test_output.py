"""What a run leaves behind."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fcvg_core.errors import UserError
from fcvg_core.files.writing import explained, write_aside
from fcvg_core.standalone import output
from fcvg_core.standalone.output import (
    changed_inputs,
    describe_file,
    frames_size,
    read_run,
    video_size,
    write_frames,
    write_picture,
    write_run,
    write_video,
)

unix = pytest.mark.skipif(os.name == "nt", reason="needs pipes and names of Unix")


@pytest.fixture
def full_disk(monkeypatch):
    """From now on one more file can be written, and the next ones only in part."""
    left = [1]
    write = Path.write_bytes

    def write_until_full(self, content):
        if left[0]:
            left[0] -= 1
            return write(self, content)
        write(self, bytes(content)[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_until_full)


class TestWriteAside:
    def test_nobody_sees_half_a_file(self, tmp_path):
        for content in ("first", "second"):
            with write_aside(tmp_path / "a.json") as part:
                part.write_text(content[:3])
                before = (tmp_path / "a.json").exists()
                assert before is (content == "second") and part.parent == tmp_path
                assert not before or (tmp_path / "a.json").read_text() == "first"
                part.write_text(content)
            assert (tmp_path / "a.json").read_text() == content
        assert os.listdir(tmp_path) == ["a.json"]

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_after_an_error_all_is_as_it_was(self, tmp_path, error):
        (tmp_path / "a").write_text("before")
        for name in ("a", "b"):
            with pytest.raises(error), write_aside(tmp_path / name) as part:
                part.write_text("half")
                raise error
        assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "before"

    def test_full_disk(self, tmp_path, full_disk):
        write_picture(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
        with pytest.raises(UserError, match="is full. .* are free. Make room") as caught:
            write_picture(tmp_path / "a.png", np.ones((4, 4, 3), np.uint8))
        assert str(tmp_path) in str(caught.value)
        assert os.listdir(tmp_path) == ["a.png"]
        assert not np.asarray(Image.open(tmp_path / "a.png")).any()

    @unix
    def test_longest_names(self, tmp_path):
        with write_aside(tmp_path / ("x" * 255)) as part:
            part.touch()
        with (
            pytest.raises(UserError, match="too long"),
            write_aside(tmp_path / ("x" * 256)) as part,
        ):
            part.touch()
        assert os.listdir(tmp_path) == ["x" * 255]

    def test_a_folder_in_its_place(self, tmp_path):
        (tmp_path / "a").mkdir()
        with pytest.raises(UserError, match="a"), write_aside(tmp_path / "a") as part:
            part.touch()
        assert os.listdir(tmp_path) == ["a"]


def test_explained_is_about_the_system_alone(tmp_path):
    import av

    for error in (OSError(errno.EROFS, "read-only"), av.FFmpegError(errno.ENOSPC, "no space")):
        with pytest.raises(UserError, match=str(tmp_path)), explained(tmp_path / "a"):
            raise error
    for error in (KeyError(), av.FFmpegError(errno.EINVAL, "invalid")):
        with pytest.raises(type(error)), explained(tmp_path / "a"):
            raise error


@pytest.mark.parametrize(("count", "last"), [(2, "01"), (12, "11"), (101, "100")])
def test_write_frames(tmp_path, count, last) -> None:
    frames = np.random.RandomState(0).randint(0, 256, (count, 4, 6, 3)).astype(np.uint8)
    write_frames(tmp_path / "frames", frames)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert len(names) == count and names[-1] == f"{last}.png"
    assert np.array_equal(Image.open(tmp_path / "frames" / names[-1]), frames[-1])


def test_write_frames_on_a_disk_that_fills(tmp_path, full_disk) -> None:
    with pytest.raises(UserError, match=r"full\. .* 1 of 3 frames are in .*frames\.$"):
        write_frames(tmp_path / "frames", np.zeros((3, 4, 6, 3), np.uint8))
    assert os.listdir(tmp_path / "frames") == ["00.png"]


def test_write_frames_tells_before_each(tmp_path) -> None:
    there = []
    write_frames(
        tmp_path,
        np.zeros((3, 4, 6, 3), np.uint8),
        before=lambda number: there.append((number, len(os.listdir(tmp_path)))),
    )
    assert there == [(0, 0), (1, 1), (2, 2)]


def test_sizes_are_enough(tmp_path) -> None:
    noise = np.random.RandomState(0).randint(0, 256, (3, 128, 192, 3)).astype(np.uint8)
    write_frames(tmp_path / "frames", noise)
    taken = sum(path.stat().st_blocks * 512 for path in (tmp_path / "frames").iterdir())
    assert noise.nbytes < taken <= frames_size(noise.shape) < 1.2 * noise.nbytes
    ramp = np.linspace(0, 255, 192)[:, None].repeat(3, 1).astype(np.uint8)
    scene = np.stack([np.roll(np.broadcast_to(ramp, (128, 192, 3)), i, 1) for i in range(10)])
    write_video(tmp_path / "a.mp4", scene, 7)
    assert (tmp_path / "a.mp4").stat().st_size < video_size(scene.shape)


@pytest.mark.parametrize("available", [True, False])
def test_write_video(tmp_path, monkeypatch, available) -> None:
    import av

    if not available:
        monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    frames = np.zeros((5, 64, 128, 3), np.uint8)
    frames[:, :32] = (200, 40, 40)
    write_video(tmp_path / "result.mp4", frames, 7)
    with av.open(str(tmp_path / "result.mp4")) as opened:
        stream = opened.streams.video[0]
        decoded = [frame.to_ndarray(format="rgb24") for frame in opened.decode(stream)]
        assert stream.average_rate == 7 and stream.pix_fmt == "yuv420p"
    assert np.abs(np.stack(decoded).astype(int) - frames).mean() < 4


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
        monkeypatch.setattr(output, "HASHED_BYTES", 3)
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
