"""Frames into a video."""

import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from videos import boxes, noise, read, still

from fcvg_core.standalone.output import write_video
from fcvg_core.standalone.video import VideoWriter, read_video

ROOT = Path(__file__).parents[4]


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
