"""Frames into a video."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from sounds import click_times, clicks, sound_of
from videos import COLORS, boxes, noise, read, still

from fcvg_core.standalone.media.video import VideoWriter, read_video
from fcvg_core.standalone.media.writing import write_video

ROOT = Path(__file__).parents[5]


FFMPEG = [(60, 3, 100), (61, 7, 100)]  # libavformat before and with hybrid files
CODECS = [{"libx264"}, {"mpeg4"}]


@pytest.fixture(params=FFMPEG)
def ffmpeg(request, monkeypatch) -> None:
    """An FFmpeg of the past, as far as the writer asks for its version."""
    monkeypatch.setitem(av.library_versions, "libavformat", request.param)


@pytest.fixture(params=CODECS, ids=lambda names: next(iter(names)))
def codec(request, monkeypatch) -> None:
    monkeypatch.setattr(av, "codecs_available", request.param)


def times(path: Path) -> tuple[list[Fraction], Fraction, Fraction]:
    """When each frame is shown, and the duration that stream and container have."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = [frame.pts * stream.time_base for frame in container.decode(stream)]
        return shown, stream.duration * stream.time_base, Fraction(container.duration, 10**6)


def run_until(code: str, path: Path, ready: str, number: int) -> int:
    """Start a program that prints `ready` and send it a signal then; its exit code."""
    run = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline().strip() == ready
        program.send_signal(number)
        return program.wait(60)


@pytest.mark.usefixtures("ffmpeg", "codec")
class TestTimes:
    @pytest.mark.parametrize("count", [1, 2, 3, 25])
    @pytest.mark.parametrize(
        ("fps", "rate"),
        [
            (7, 7),
            (23.976, Fraction(2997, 125)),
            (24000 / 1001, Fraction(24000, 1001)),
            (14, 14),
            (7.5, Fraction(15, 2)),
            (29.97, Fraction(2997, 100)),
            (1000, 1000),
            (0.5, Fraction(1, 2)),
        ],
    )
    def test_every_frame_has_its_time(self, tmp_path, count, fps, rate) -> None:
        write_video(tmp_path / "a.mp4", still(count, 32, 48), fps)
        shown, duration, whole = times(tmp_path / "a.mp4")
        assert shown == [i / Fraction(rate) for i in range(count)]
        assert duration == count / Fraction(rate)
        assert whole == pytest.approx(duration, abs=1e-6)

    @pytest.mark.parametrize("fps", [0.001, 119.88, 120000 / 1001, 999.9])
    def test_odd_rates(self, tmp_path, fps) -> None:
        write_video(tmp_path / "a.mp4", still(3, 32, 48), fps)
        shown, duration, _ = times(tmp_path / "a.mp4")
        assert [float(time * Fraction(fps)) for time in shown] == pytest.approx([0, 1, 2], rel=1e-5)
        assert shown[-1] + shown[1] == duration

    def test_after_an_interruption(self, tmp_path) -> None:
        with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "a.mp4", 7) as writer:
            for frame in still(20):
                writer.write(frame)
            raise KeyboardInterrupt
        shown, duration, _ = times(tmp_path / "a.mp4")
        assert shown == [Fraction(i, 7) for i in range(20)] and duration == Fraction(20, 7)

    def test_after_a_kill(self, tmp_path) -> None:
        with VideoWriter(tmp_path / "a.mp4", 7) as writer:
            for frame in still(40):
                writer.write(frame)
            shutil.copy(tmp_path / "a.mp4", tmp_path / "cut.mp4")
        shown, duration, _ = times(tmp_path / "cut.mp4")
        assert len(shown) >= 25 and shown == [Fraction(i, 7) for i in range(len(shown))]
        assert duration == Fraction(len(shown), 7)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there, no program can send Ctrl+C to one")
@pytest.mark.parametrize("late", [0, 0.01])
def test_ctrl_c_in_the_middle(tmp_path, late) -> None:
    """Wherever it comes, every frame that is there has its time."""
    code = (
        "import sys, time, numpy as np\n"
        "from pathlib import Path\n"
        "from fcvg_core.standalone.media.video import VideoWriter\n"
        "noise = np.random.RandomState(0).randint(0, 256, (288, 512, 3)).astype(np.uint8)\n"
        "with VideoWriter(Path(sys.argv[1]), 7) as writer:\n"
        "    for i in range(9999):\n"
        "        writer.write(noise)\n"
        "        if i == 15:\n"
        f"            time.sleep({late}), print('ready', flush=True)\n"
    )
    assert run_until(code, tmp_path / "a.mp4", "ready", signal.SIGINT) != 0
    shown, duration, _ = times(tmp_path / "a.mp4")
    assert len(shown) >= 16 and shown == [Fraction(i, 7) for i in range(len(shown))]
    assert duration == Fraction(len(shown), 7)


@pytest.mark.usefixtures("codec")
class TestColors:
    @pytest.mark.parametrize("size", [(768, 512), (192, 320), (64, 64), (33, 51)])
    def test_there_and_back(self, tmp_path, size) -> None:
        frames = [np.full((*size, 3), color, np.uint8) for color in COLORS]
        write_video(tmp_path / "a.mp4", frames, 7)
        got = read(tmp_path / "a.mp4")[:, : size[0], : size[1]].astype(int)
        assert np.abs(got - np.stack(frames)).max() <= 3

    def test_are_noted(self, tmp_path) -> None:
        """In the file, and with H.264 in the stream as well."""
        write_video(tmp_path / "a.mp4", still(2), 7)
        note = b"colrnclx" + bytes([0, 1, 0, 1, 0, 1, 0])
        assert (tmp_path / "a.mp4").read_bytes().count(note) >= 1
        with av.open(str(tmp_path / "a.mp4")) as container:
            frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)

    @pytest.mark.parametrize("color", COLORS)
    def test_levels(self, tmp_path, color) -> None:
        """Y'CbCr as BT.709 defines it, in the limited range."""
        write_video(tmp_path / "a.mp4", [np.full((64, 64, 3), color, np.uint8)], 7)
        with av.open(str(tmp_path / "a.mp4")) as container:
            planes = next(container.decode(video=0)).to_ndarray()
        red, green, blue = np.array(color) / 255
        luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        want = (
            16 + 219 * luma,
            128 + 224 * (blue - luma) / 1.8556,
            128 + 224 * (red - luma) / 1.5748,
        )
        got = planes[:64].mean(), planes[64:80].mean(), planes[80:].mean()
        assert np.abs(np.subtract(got, want)).max() < 1.6


@pytest.mark.usefixtures("codec")
@pytest.mark.parametrize("size", [(192, 320), (256, 448), (35, 61)])
def test_same_frames_same_bytes(tmp_path, size) -> None:
    """With x264's mbtree, these came out in several ways."""
    height, width = size
    rough = [Image.fromarray(frame).resize((width, height)) for frame in noise(25, 24, 40)]
    for i in range(6):
        write_video(tmp_path / f"{i}.mp4", map(np.asarray, rough), 7)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


class FullDisk:
    """A file on a disk that has room for some bytes only; a write may be taken in part."""

    def __init__(self, file, room: int) -> None:
        self.file, self.room = file, room
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def write(self, data) -> int:
        start = self.file.tell()
        if start >= self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(data[: max(self.room - start, 0)])

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_) -> None:
        self.file.close()


@pytest.mark.usefixtures("ffmpeg")
class TestFullDisk:
    @pytest.fixture
    def fill(self, monkeypatch):
        """A function: from now on files have room for so many bytes."""
        real = Path.open

        def fill(room: int) -> None:
            monkeypatch.setattr(Path, "open", lambda *a, **k: FullDisk(real(*a, **k), room))

        yield fill
        monkeypatch.undo()

    def write(self, path: Path, frames: np.ndarray) -> None:
        with VideoWriter(path, 7) as writer:
            for frame in frames:
                writer.write(frame)

    def frames_of(self, path: Path) -> int:
        """How many frames a player finds, that stops where the file is torn."""
        count = 0
        with av.open(str(path)) as container, contextlib.suppress(av.FFmpegError):
            for _ in container.decode(video=0):
                count += 1
        return count

    def test_while_writing(self, tmp_path, fill, caplog) -> None:
        """The error names the file and comes alone."""
        path = tmp_path / "a.mp4"
        fill(100_000)
        with pytest.raises(OSError, match=r"No space left on device: .*a.mp4") as error:
            self.write(path, noise(60, 64, 96))
        assert error.value.errno == errno.ENOSPC and error.value.filename == str(path)
        assert not caplog.records
        assert self.frames_of(path) >= 7

    @pytest.mark.parametrize("missing", [1, 300, 900])
    def test_while_closing(self, tmp_path, fill, monkeypatch, missing) -> None:
        """What can be played before it can be played after it."""
        write_video(tmp_path / "whole.mp4", noise(30, 64, 96), 7)
        size = (tmp_path / "whole.mp4").stat().st_size
        fill(size - missing)
        with pytest.raises(OSError, match="No space left on device: .*a.mp4"):
            self.write(tmp_path / "a.mp4", noise(30, 64, 96))
        monkeypatch.undo()
        assert self.frames_of(tmp_path / "a.mp4") >= 21

    def test_what_went_wrong_before_says_more(self, tmp_path, fill, caplog) -> None:
        fill(2000)
        with pytest.raises(RuntimeError, match="paint"), VideoWriter(tmp_path / "a.mp4", 7) as file:
            file.write(noise(1, 64, 96)[0])
            raise RuntimeError("paint")
        assert "No space left on device" in caplog.text and "a.mp4" in caplog.text

    def test_room_was_made(self, tmp_path, fill, monkeypatch) -> None:
        """What could not be stored is stored with the next frame."""
        fill(1000)
        with VideoWriter(tmp_path / "a.mp4", 7) as writer:
            for frame in noise(30, 64, 96):
                try:
                    writer.write(frame)
                except OSError:
                    writer._file._file.room = 10**9
        monkeypatch.undo()
        assert len(read(tmp_path / "a.mp4")) == 30


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
        with pytest.raises(FileExistsError, match="a.mp4 already exists. Move it, or choose"):
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
            "from fcvg_core.standalone.media.video import VideoWriter\n"
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
        with pytest.raises(ValueError, match="has 96 x 64 pixels, but this frame has 98 x 64"):
            write_video(tmp_path / "a.mp4", frames, 7)
        assert len(read(tmp_path / "a.mp4")) == 2

    @pytest.mark.parametrize("frame", [np.zeros((8, 8)), np.zeros((8, 8, 3), np.float32)])
    def test_no_frame_at_all(self, tmp_path, frame) -> None:
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            write_video(tmp_path / "a.mp4", [frame], 7)
        assert not list(tmp_path.iterdir())

    def test_refused_by_the_encoder(self, tmp_path) -> None:
        """No broken file is left; H.264 ends at 16384 pixels."""
        with pytest.raises(ValueError, match="libx264 can't write a video of 16388 x 2 pixels"):
            write_video(tmp_path / "a.mp4", still(1, 2, 16388), 7)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), 1e-9, 1e12, 1001, 10**400])
    def test_wrong_rate(self, tmp_path, fps) -> None:
        with pytest.raises(ValueError, match=rf"from 0.001 to 1000 frames .*a.mp4, got {fps}"):
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


class TestSound:
    @pytest.mark.usefixtures("ffmpeg", "codec")
    @pytest.mark.parametrize("fps", [7, 23.976])
    def test_in_time_with_the_frames(self, tmp_path, fps) -> None:
        """Sound that is longer than the frames is cut, and the times of the frames stay."""
        sound = clicks([0.5, 1.25, 2.5], seconds=4, rate=48000)
        with VideoWriter(tmp_path / "a.mp4", fps, sound=sound) as writer:
            for frame in still(round(3 * fps), 32, 48):
                writer.write(frame)
        assert click_times(sound_of(tmp_path / "a.mp4")) == pytest.approx(
            [0.5, 1.25, 2.5], abs=0.002
        )
        shown, duration, whole = times(tmp_path / "a.mp4")
        step = 1 / Fraction(fps).limit_denominator(1001)
        assert shown == [i * step for i in range(round(3 * fps))]
        assert float(duration) == pytest.approx(len(shown) * step, abs=1e-3)
        assert whole == pytest.approx(duration, abs=1e-3)

    def test_shorter_than_the_frames(self, tmp_path) -> None:
        """Silence follows; without it, FFmpeg would keep the frames in memory."""
        sound = clicks([0.5], seconds=1, rate=48000, channels=1)
        with VideoWriter(tmp_path / "a.mp4", 7, sound=sound) as writer:
            for frame in still(40):
                writer.write(frame)
            shutil.copy(tmp_path / "a.mp4", tmp_path / "cut.mp4")
        assert len(read(tmp_path / "cut.mp4")) >= 25
        for name in ("a.mp4", "cut.mp4"):
            assert click_times(sound_of(tmp_path / name)) == pytest.approx([0.5], abs=0.002)
        assert sound_of(tmp_path / "a.mp4").samples.shape[1] == pytest.approx(
            40 / 7 * 48000, abs=2048
        )

    def test_fewer_samples_than_the_encoder_takes_at_once(self, tmp_path) -> None:
        sound = clicks([0.01], seconds=1, rate=48000)
        with VideoWriter(tmp_path / "a.mp4", 60, sound=sound) as writer:
            for frame in still(2):
                writer.write(frame)
        assert click_times(sound_of(tmp_path / "a.mp4")) == pytest.approx([0.01], abs=0.002)
        shown, _, whole = times(tmp_path / "a.mp4")
        assert shown == [0, Fraction(1, 60)] and float(whole) == pytest.approx(2 / 60, abs=2e-3)

    def test_another_rate(self, tmp_path) -> None:
        sound = clicks([0.5], seconds=1, rate=8000)
        with (
            pytest.raises(ValueError, match="sound of 48000 samples a second, got 8000"),
            VideoWriter(tmp_path / "a.mp4", 7, sound=sound) as writer,
        ):
            writer.write(still(1)[0])
