"""Videos in and out, frame by frame."""

import itertools
import shutil
import subprocess
import sys
import tracemalloc
import weakref
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from fcvg_core.frames import side_by_side
from fcvg_core.standalone import video
from fcvg_core.standalone.output import write_video
from fcvg_core.standalone.video import VideoWriter, read_image_folder, read_video

ROOT = Path(__file__).parents[3]
# The matrix in the file, and what it makes of a frame: all turns by quarters, also mirrored.
TURNS = {
    "as it is": ((1, 0, 0, 1), lambda x: x),
    "clockwise": ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
    "half": ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
    "anticlockwise": ((0, -1, 1, 0), np.rot90),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "over": ((1, 0, 0, -1), np.flipud),
    "transposed": ((0, 1, 1, 0), lambda x: x.transpose(1, 0, 2)),
    "other diagonal": ((0, -1, -1, 0), lambda x: np.rot90(x, 2).transpose(1, 0, 2)),
}


def noise(count: int, height: int = 33, width: int = 51) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (count, height, width, 3)).astype(np.uint8)


def still(count: int, height: int = 64, width: int = 96) -> list[np.ndarray]:
    """Frames that a lossy format keeps: each of one colour."""
    colors = np.random.RandomState(1).randint(40, 216, (count, 3)).astype(np.uint8)
    return [np.broadcast_to(color, (height, width, 3)) for color in colors]


def write_exactly(path: Path, frames, rate=10, times: list[int] | None = None) -> Path:
    """A video without losses, of any size; `times` are milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgb24"
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if times:
                picture.pts, picture.time_base = times[i], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_sound(path: Path, *, cover: bool) -> Path:
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=8000)
        sound.layout = "mono"
        if cover:
            stream = container.add_stream("png", rate=1)
            stream.height = stream.width = 32
            stream.pix_fmt = "rgb24"
            stream.disposition = av.stream.Disposition.attached_pic
            picture = av.VideoFrame.from_ndarray(noise(1, 32, 32)[0], format="rgb24")
            container.mux([*stream.encode(picture), *stream.encode()])
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux([*sound.encode(frame), *sound.encode()])
    return path


def read(path: Path) -> np.ndarray:
    return np.stack(list(read_video(path, stride=1, max_frames=None)[0]))


class TestReadVideo:
    @pytest.mark.parametrize(
        ("stride", "max_frames", "want"),
        [
            (1, None, [0, 1, 2, 3, 4, 5, 6]),
            (2, None, [0, 2, 4, 6]),
            (3, None, [0, 3, 6]),
            (3, 2, [0, 3]),
            (1, 1, [0]),
            (9, None, [0]),
            (1, 99, [0, 1, 2, 3, 4, 5, 6]),
        ],
    )
    def test_stride(self, tmp_path, stride, max_frames, want) -> None:
        frames = noise(7)
        path = write_exactly(tmp_path / "a.mov", frames, rate=30)
        got, fps = read_video(path, stride=stride, max_frames=max_frames)
        got = list(got)
        assert np.array_equal(np.stack(got), frames[want]) and fps == 30 / stride
        assert all(frame.dtype == np.uint8 and frame.flags.c_contiguous for frame in got)

    @pytest.mark.parametrize(("rate", "taken"), [(47, 1), (48, 2), (60, 2), (120, 5)])
    def test_fast_videos(self, tmp_path, rate, taken) -> None:
        frames = noise(11)
        path = write_exactly(tmp_path / "a.mov", frames, rate=rate)
        got, fps = read_video(path, stride=2, max_frames=None)
        assert np.array_equal(np.stack(list(got)), frames[:: 2 * taken])
        assert fps == rate / (2 * taken)

    def test_one_frame(self, tmp_path) -> None:
        frames = noise(1, 1, 1)
        assert np.array_equal(read(write_exactly(tmp_path / "a.mov", frames)), frames)

    def test_average_of_a_rate_that_varies(self, tmp_path) -> None:
        times = [0, 100, 150, 400, 800, 900]
        path = write_exactly(tmp_path / "a.mov", noise(6), times=times)
        frames, fps = read_video(path, stride=1, max_frames=None)
        assert len(list(frames)) == 6 and fps == pytest.approx(6, rel=0.15)

    @pytest.mark.parametrize(
        ("average", "guessed", "want"),
        [(Fraction(30), Fraction(25), 30), (None, Fraction(25), 25), (None, None, 24)],
    )
    def test_unknown_rate(self, tmp_path, monkeypatch, average, guessed, want) -> None:
        stream = SimpleNamespace(average_rate=average, guessed_rate=guessed)
        monkeypatch.setattr(video, "_open_video", lambda path: (None, stream))
        assert read_video(tmp_path, stride=1, max_frames=None)[1] == want

    @pytest.mark.parametrize("turn", TURNS)
    def test_the_way_up(self, tmp_path, turn) -> None:
        frames = noise(2)
        path = write_exactly(tmp_path / "a.mov", frames)
        plain = bytes.fromhex(f"00010000{'0' * 24}00010000{'0' * 24}40000000")
        (a, b, c, d), turned = TURNS[turn]
        values = np.array([a, b, 0, c, d, 0, 0, 0, 2**14]) * 2**16
        before, after = path.read_bytes().rsplit(plain, 1)  # the last one is the track's
        path.write_bytes(before + values.astype(">i4").tobytes() + after)
        assert np.array_equal(read(path), np.stack([turned(frame) for frame in frames]))

    def test_odd_name(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "b.mov", noise(2))
        odd = path.rename(tmp_path / "a %03d \u00e9.mov")
        assert len(read(odd)) == 2

    def test_name_like_an_address(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        try:
            path = write_exactly(Path("a.mov"), noise(2)).rename("tcp:b.mov")
        except OSError:
            pytest.skip("this system has no such names")
        assert len(read(path)) == 2

    @pytest.mark.parametrize("content", [b"", b"hello" * 300])
    def test_no_video(self, tmp_path, content) -> None:
        (tmp_path / "a.mp4").write_bytes(content)
        with pytest.raises(ValueError, match=rf"a.mp4 \({len(content)} bytes\) can't be read as"):
            read_video(tmp_path / "a.mp4", stride=1, max_frames=None)

    @pytest.mark.parametrize(("cover", "found"), [(False, "audio"), (True, "audio, video")])
    def test_only_sound(self, tmp_path, cover, found) -> None:
        """The cover of a piece of music counts as a video stream with FFmpeg."""
        path = write_sound(tmp_path / "a.m4a", cover=cover)
        with av.open(str(path)) as container:
            assert ", ".join(sorted(stream.type for stream in container.streams)) == found
        with pytest.raises(ValueError, match="holds no video, only (audio|audio, cover picture)."):
            read_video(path, stride=1, max_frames=None)

    def test_missing(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="There is no video .*a.mp4"):
            read_video(tmp_path / "a.mp4", stride=1, max_frames=None)

    def test_folder(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="is a folder, expected a video file"):
            read_video(tmp_path, stride=1, max_frames=None)

    @pytest.mark.parametrize("stride", [0, -2])
    def test_wrong_stride(self, tmp_path, stride) -> None:
        with pytest.raises(ValueError, match=f"stride of 1 frame or more, got {stride}"):
            read_video(tmp_path / "a.mp4", stride=stride, max_frames=None)

    def test_wrong_max_frames(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="at least 1 frame to read, got 0"):
            read_video(tmp_path / "a.mp4", stride=1, max_frames=0)

    def test_damaged(self, tmp_path) -> None:
        """Whole at the beginning only; the remedy that the message names works."""
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=10)
            stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
            for frame in noise(60, 64, 96):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        frames, content = read(path)[::2], path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match="is damaged after") as error:
            list(read_video(path, stride=2, max_frames=None)[0])
        good = int(str(error.value).split("at most ")[1].split()[0])
        again = list(read_video(path, stride=2, max_frames=good)[0])
        assert len(again) == good >= 5
        assert np.array_equal(np.stack(again), frames[:good])

    def test_damaged_from_the_beginning(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "a.mov", noise(2))
        whole = bytearray(path.read_bytes())
        while (at := whole.find(b"\x89PNG")) >= 0:
            whole[at : at + 4] = b"nope"
        path.write_bytes(whole)
        frames, _ = read_video(path, stride=1, max_frames=None)
        with pytest.raises(ValueError, match=r"damaged after 0 frames .*\. Save it again\.$"):
            next(frames)

    def test_closes_the_file(self, tmp_path, monkeypatch) -> None:
        """At the end, and where the rest is left."""
        closed, real = [], video._open_video

        class Watched:
            def __init__(self, container) -> None:
                self.decode, self.container = container.decode, container

            def __enter__(self) -> None:
                pass

            def __exit__(self, *_) -> None:
                self.container.close()
                closed.append(True)

        def open_video(path):
            container, stream = real(path)
            return Watched(container), stream

        monkeypatch.setattr(video, "_open_video", open_video)
        path = write_exactly(tmp_path / "a.mov", noise(5))
        for i, max_frames in enumerate((None, 2)):
            assert len(list(read_video(path, stride=1, max_frames=max_frames)[0])) == (5, 2)[i]
            assert len(closed) == i + 1
        frames, _ = read_video(path, stride=1, max_frames=None)
        next(frames)
        assert len(closed) == 2
        frames.close()
        assert len(closed) == 3
        frames, _ = read_video(path, stride=1, max_frames=None)
        next(frames)
        del frames
        assert len(closed) == 4


class TestReadImageFolder:
    def write(self, folder: Path, names: list[str]) -> np.ndarray:
        frames = noise(len(names))
        for name, frame in zip(names, frames, strict=True):
            Image.fromarray(frame).save(folder / name)
        return frames

    def test_natural_order(self, tmp_path) -> None:
        names = ["frame1.png", "frame2.png", "Frame10.PNG", "frame011.png", "other.png"]
        frames = self.write(tmp_path, names)
        assert np.array_equal(np.stack(list(read_image_folder(tmp_path, max_frames=None))), frames)

    def test_digits_first_and_words_first(self, tmp_path) -> None:
        frames = self.write(tmp_path, ["2.png", "10.png", "a1b3.png", "a1b20.png", "b.png"])
        assert np.array_equal(np.stack(list(read_image_folder(tmp_path, max_frames=None))), frames)

    def test_max_frames(self, tmp_path) -> None:
        frames = self.write(tmp_path, ["9.png", "10.png", "11.png"])
        got = list(read_image_folder(tmp_path, max_frames=2))
        assert np.array_equal(np.stack(got), frames[:2])

    def test_other_files(self, tmp_path) -> None:
        frames = self.write(tmp_path, ["a.png"])
        (tmp_path / "notes.txt").write_text("1")
        (tmp_path / "._a.png").write_bytes(b"of macOS")
        (tmp_path / "folder.png").mkdir()
        assert np.array_equal(np.stack(list(read_image_folder(tmp_path, max_frames=None))), frames)

    def test_the_way_up(self, tmp_path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise
        frame = noise(1)[0]
        Image.fromarray(frame).save(tmp_path / "a.png", exif=exif)
        assert np.array_equal(
            next(read_image_folder(tmp_path, max_frames=None)), np.rot90(frame, -1)
        )

    def test_another_size(self, tmp_path) -> None:
        self.write(tmp_path, ["1.png", "2.png"])
        Image.fromarray(noise(1, 8, 9)[0]).save(tmp_path / "10.png")
        frames = read_image_folder(tmp_path, max_frames=None)
        assert len(list(itertools.islice(frames, 2))) == 2
        with pytest.raises(
            ValueError, match=r"10.png has 9 x 8 pixels, expected 51 x 33 pixels as 1.png"
        ):
            next(frames)

    def test_damaged(self, tmp_path) -> None:
        (tmp_path / "1.png").write_bytes(b"no picture")
        with pytest.raises(ValueError, match="can't be read as a picture"):
            next(read_image_folder(tmp_path, max_frames=None))

    def test_empty(self, tmp_path) -> None:
        (tmp_path / "a.txt").write_text("1")
        with pytest.raises(ValueError, match="holds no pictures; expected .bmp, .gif"):
            read_image_folder(tmp_path, max_frames=None)

    @pytest.mark.parametrize("name", ["nothing", "file.png"])
    def test_no_folder(self, tmp_path, name) -> None:
        self.write(tmp_path, ["file.png"])
        with pytest.raises(ValueError, match=f"There is no folder .*{name}"):
            read_image_folder(tmp_path / name, max_frames=None)

    def test_wrong_max_frames(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="at least 1 frame to read, got -1"):
            read_image_folder(tmp_path, max_frames=-1)


class TestVideoWriter:
    @pytest.mark.parametrize("fps", [7, 24000 / 1001, 29.97, 0.5])
    def test_there_and_back(self, tmp_path, fps) -> None:
        frames = still(9)
        with VideoWriter(tmp_path / "deep" / "a.mp4", fps) as writer:
            for frame in frames:
                writer.write(frame)
        assert writer.num_frames == 9
        got, got_fps = read_video(tmp_path / "deep" / "a.mp4", stride=1, max_frames=None)
        got = np.stack(list(got)).astype(int)
        assert got.shape == (9, 64, 96, 3) and np.abs(got - np.stack(frames)).max() <= 4
        assert got_fps == pytest.approx(fps, rel=1e-4)

    def test_as_players_want_it(self, tmp_path) -> None:
        """A plain file: nothing in it is left of the fragments."""
        write_video(tmp_path / "a.mp4", still(60), 24)
        with av.open(str(tmp_path / "a.mp4")) as container:
            stream = container.streams.video[0]
            assert stream.pix_fmt == "yuv420p" and stream.codec_context.name == "h264"
            assert stream.frames == 60 and stream.duration * stream.time_base == 2.5
        assert "moof" not in boxes(tmp_path / "a.mp4") and "moov" in boxes(tmp_path / "a.mp4")

    @pytest.mark.parametrize("size", [(33, 51), (34, 51), (33, 52), (1, 1)])
    def test_odd_sizes(self, tmp_path, size) -> None:
        """The last row and column are there twice."""
        height, width = size
        frames = still(3, *size)
        write_video(tmp_path / "a.mp4", frames, 7)
        got = read(tmp_path / "a.mp4").astype(int)
        assert got.shape == (3, height + height % 2, width + width % 2, 3)
        assert np.abs(got - np.stack(frames)[:, :1, :1]).max() <= 4

    def test_odd_sizes_are_not_stretched(self, tmp_path) -> None:
        grey = np.random.RandomState(0).randint(40, 216, (9, 13, 1)).astype(np.uint8)
        frame = grey.repeat(4, 0).repeat(4, 1).repeat(3, 2)[:33, :51]
        write_video(tmp_path / "a.mp4", [frame], 7)
        got = read(tmp_path / "a.mp4")[0, :33, :51].astype(int)
        assert np.abs(got - frame).mean() < 3

    def test_one_frame(self, tmp_path) -> None:
        write_video(tmp_path / "a.mp4", still(1), 7)
        assert len(read(tmp_path / "a.mp4")) == 1

    def test_views(self, tmp_path) -> None:
        """A frame need not lie in one piece."""
        frame = noise(1, 64, 96)[0]
        frame[:32], frame[32:] = 60, 180
        write_video(tmp_path / "a.mp4", [frame[::-1]], 7)
        got = read(tmp_path / "a.mp4")[0].astype(int)
        assert abs(got[:30].mean() - 180) < 4 and abs(got[34:].mean() - 60) < 4

    def test_never_overwrites(self, tmp_path) -> None:
        (tmp_path / "a.mp4").write_text("mine")
        with pytest.raises(FileExistsError, match="a.mp4 exists already. Give another name"):
            VideoWriter(tmp_path / "a.mp4", 7)
        assert (tmp_path / "a.mp4").read_text() == "mine"

    def test_never_overwrites_what_came_later(self, tmp_path) -> None:
        with pytest.raises(FileExistsError), VideoWriter(tmp_path / "a.mp4", 7) as writer:
            (tmp_path / "a.mp4").write_text("mine")
            writer.write(still(1)[0])
        assert (tmp_path / "a.mp4").read_text() == "mine"

    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    def test_interrupted(self, tmp_path, error) -> None:
        with pytest.raises(error), VideoWriter(tmp_path / "a.mp4", 7) as writer:
            for frame in still(5):
                writer.write(frame)
            raise error
        assert len(read(tmp_path / "a.mp4")) == 5

    def test_interrupted_before_the_first_frame(self, tmp_path) -> None:
        with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "a.mp4", 7):
            raise KeyboardInterrupt
        assert not list(tmp_path.iterdir())

    @pytest.mark.slow
    def test_killed(self, tmp_path) -> None:
        """What a program leaves that ends at once, 100 frames into a video of 10 a second."""
        code = (
            "import os, sys, numpy as np\n"
            "from pathlib import Path\n"
            "from fcvg_core.standalone.video import VideoWriter\n"
            "writer = VideoWriter(Path(sys.argv[1]), 10)\n"
            "for i in range(100):\n"
            "    writer.write(np.full((64, 96, 3), 2 * i, np.uint8))\n"
            "os._exit(9)\n"
        )
        run = [sys.executable, "-c", code, str(tmp_path / "a.mp4")]
        assert subprocess.run(run, cwd=ROOT, check=False).returncode == 9
        got = read(tmp_path / "a.mp4").astype(int)
        assert 70 <= len(got) <= 100
        assert np.abs(got.mean((1, 2, 3)) - 2 * np.arange(len(got))).max() < 4

    @pytest.mark.parametrize("version", [(60, 3, 100), (61, 7, 100)])
    @pytest.mark.parametrize("codecs", [{"libx264"}, {"mpeg4"}])
    def test_what_a_kill_leaves(self, tmp_path, monkeypatch, version, codecs) -> None:
        """Also with FFmpeg before 7.1, which keeps the fragments, and without H.264."""
        monkeypatch.setitem(av.library_versions, "libavformat", version)
        monkeypatch.setattr(av, "codecs_available", codecs)
        with VideoWriter(tmp_path / "a.mp4", 10) as writer:
            for frame in still(60):
                writer.write(frame)
            shutil.copy(tmp_path / "a.mp4", tmp_path / "cut.mp4")
        assert 30 <= len(read(tmp_path / "cut.mp4")) <= 60 == len(read(tmp_path / "a.mp4"))
        assert ("moof" in boxes(tmp_path / "a.mp4")) == (version < (61, 7))

    def test_no_frame(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="no frame to write to .*a.mp4"):
            write_video(tmp_path / "a.mp4", [], 7)
        assert not list(tmp_path.iterdir())

    def test_another_size(self, tmp_path) -> None:
        """The frames before it are kept."""
        frames = [*still(2), still(1, 64, 98)[0]]
        with pytest.raises(ValueError, match="of 96 x 64 pixels as the first, got 98 x 64 pixels"):
            write_video(tmp_path / "a.mp4", frames, 7)
        assert len(read(tmp_path / "a.mp4")) == 2

    @pytest.mark.parametrize("frame", [np.zeros((8, 8)), np.zeros((8, 8, 3), np.float32)])
    def test_no_frame_at_all(self, tmp_path, frame) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            write_video(tmp_path / "a.mp4", [frame], 7)
        assert not list(tmp_path.iterdir())

    def test_refused_by_the_encoder(self, tmp_path) -> None:
        """No broken file is left; H.264 ends at 16384 pixels."""
        with pytest.raises(ValueError, match="libx264 takes no video of 16388 x 2 pixels"):
            write_video(tmp_path / "a.mp4", still(1, 2, 16388), 7)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e-9])
    def test_wrong_rate(self, tmp_path, fps) -> None:
        with pytest.raises(ValueError, match=f"more than 0 frames a second, got {fps}"):
            VideoWriter(tmp_path / "a.mp4", fps)

    def test_closed_twice(self, tmp_path) -> None:
        with VideoWriter(tmp_path / "a.mp4", 7) as writer:
            writer.write(still(1)[0])
            writer.close()
        writer.close()
        assert len(read(tmp_path / "a.mp4")) == 1

    def test_written_to_when_closed(self, tmp_path) -> None:
        writer = VideoWriter(tmp_path / "a.mp4", 7)
        writer.write(still(1)[0])
        writer.close()
        with pytest.raises(ValueError, match="a.mp4 is closed"):
            writer.write(still(1)[0])
        assert len(read(tmp_path / "a.mp4")) == 1


def boxes(path: Path) -> set[str]:
    """Names of the outermost parts of an MP4."""
    content, names, at = path.read_bytes(), set(), 0
    while at < len(content):
        names.add(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    return names


class TestMemory:
    def test_one_frame_lives_at_a_time(self, tmp_path) -> None:
        alive, most = [], []

        def frames():
            for i in range(30):
                frame = np.full((64, 96, 3), 8 * i, np.uint8)
                alive.append(weakref.ref(frame))
                most.append(sum(ref() is not None for ref in alive))
                yield frame
                del frame

        write_video(tmp_path / "a.mp4", frames(), 7)
        assert max(most) <= 2  # the next one is made while a loop still holds the last

    def test_from_file_to_file(self, tmp_path) -> None:
        """The peak is that of a few frames, of a video that has 120."""
        height, width = 240, 320
        write_video(tmp_path / "a.mp4", itertools.repeat(still(1, height, width)[0], 120), 24)
        tracemalloc.start()
        try:
            frames, fps = read_video(tmp_path / "a.mp4", stride=1, max_frames=None)
            both = (side_by_side(frame, frame) for frame in frames)
            write_video(tmp_path / "b.mp4", both, fps)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert 2 * height * width * 3 <= peak < 16 * height * width * 3
