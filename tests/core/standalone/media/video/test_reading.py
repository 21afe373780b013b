"""A video file into frames."""

import itertools
import os
import re
import sys
import tracemalloc
import weakref
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from videos import noise, read, still, write_exactly, write_sound

from fcvg_core.errors import UserError
from fcvg_core.frames import side_by_side
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.media.video import read_every_frame, read_video
from fcvg_core.standalone.media.writing import write_video


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

    def test_every_frame_of_a_fast_video(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "a.mov", noise(9), 60)
        frames, fps = read_video(path, stride=2, max_frames=None, thin_out=False)
        assert len(list(frames)) == 5 and fps == 30

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
        with pytest.raises(ValueError, match="There is no file .*a.mp4"):
            read_video(tmp_path / "a.mp4", stride=1, max_frames=None)

    def test_folder(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="is a folder, but a video file was expected"):
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


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{0}\n#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT6S"><Period><AdaptationSet mimeType="video/mp4">'
    '<Representation id="1" bandwidth="1"><BaseURL>{0}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>"
)
SESSION = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n"
)
# Files that FFmpeg would follow to others, or paint.
TEXTS = {
    "a.m3u8": PLAYLIST,
    "list.mp4": PLAYLIST,
    "a.ffconcat": "ffconcat version 1.0\nfile {0}\n",
    "concat.mkv": "ffconcat version 1.0\nfile {0}\n",
    "a.mpd": DASH,
    "a.sdp": SESSION,
    "a.asx": '<asx version="3.0"><entry><ref href="{0}"/></entry></asx>',
    "a.pls": "[playlist]\nFile1={0}\n",
    "a.txt": "Dear diary,\n" * 50,
    "a.nfo": "\x1b[31mred\n" * 50,
    "a.srt": "1\n00:00:00,000 --> 00:00:04,000\nhello\n",
    "a.vtt": "WEBVTT\n\n00:00.000 --> 00:04.000\nhello\n",
    "a.ass": "[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:05.00,,hi\n",
    "a.lrc": "[00:01.00]hello\n",
    "a.ppm": "P3\n1 1\n255\n1 2 3\n",
    "a.svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{0}"/></svg>',
    "testsrc": "testsrc",
}


class TestOtherKinds:
    """Only files that hold the frames themselves are read."""

    @pytest.mark.parametrize("name", TEXTS)
    def test_texts(self, tmp_path, monkeypatch, name) -> None:
        """They are refused by their kind, before anything that they name is looked for."""
        write_exactly(tmp_path / "other.mov", noise(2))
        (tmp_path / name).write_text(TEXTS[name].format("other.mov"))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UserError, match=rf"{name} \(\d+ bytes\) can't be .* than MP4, MOV"):
            read_video(tmp_path / name, stride=1, max_frames=None)

    @pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "webp", "tif"])
    def test_pictures(self, tmp_path, ending) -> None:
        Image.fromarray(noise(1)[0]).save(tmp_path / f"a.{ending}")
        with pytest.raises(UserError, match=f"a.{ending} .* in another format than MP4, MOV"):
            read_video(tmp_path / f"a.{ending}", stride=1, max_frames=None)

    def test_data_in_another_file(self, tmp_path) -> None:
        """A MOV that says that its frames lie elsewhere."""
        path = write_exactly(tmp_path / "a.mov", noise(2))
        other = path.rename(tmp_path / "other.mov")
        content = bytearray(other.read_bytes())
        own = content.rindex(b"url \0\0\0\1")
        content[own + 7] = 0  # the frames are not in this file
        content[content.index(b"mdat") + 4 : content.index(b"moov") - 4] = b""
        path.write_bytes(content)
        with pytest.raises(UserError, match="a.mov"):
            read(path)

    def test_a_pattern_is_a_name(self, tmp_path) -> None:
        """FFmpeg would read "a%d.gif" as a1.gif, a2.gif, ..."""
        Image.fromarray(noise(1)[0]).save(tmp_path / "a1.gif")
        frames = [Image.fromarray(frame) for frame in noise(3)]
        frames[0].save(tmp_path / "a%d.gif", save_all=True, append_images=frames[1:], duration=100)
        assert len(read(tmp_path / "a%d.gif")) == 3

    @pytest.mark.parametrize("name", ["pipe.mp4", "/dev/zero"])
    def test_no_plain_file(self, tmp_path, name) -> None:
        """Neither hangs."""
        path = tmp_path / name
        if name == "pipe.mp4":
            getattr(os, "mkfifo", lambda path: None)(path)
        if not path.exists():
            pytest.skip("this system has no such files")
        with pytest.raises(UserError, match=f"{path} is a folder, a pipe or a device"):
            read_video(path, stride=1, max_frames=None)

    @pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are UTF-8 there")
    def test_name_that_is_no_text(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "a.mov", noise(2))
        assert len(read(path.rename(os.fsdecode(bytes(tmp_path) + b"/\xff\xfe.mov")))) == 2

    def test_unknown_codec(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "a.mov", noise(2))
        path.write_bytes(path.read_bytes().replace(b"png ", b"zzzz"))
        with pytest.raises(UserError, match="a.mov holds a video of an unknown codec"):
            read(path)

    def test_larger_than_any_video(self, tmp_path) -> None:
        (tmp_path / "a.y4m").write_bytes(b"YUV4MPEG2 W10000 H9000 F25:1\nFRAME\n" + bytes(999))
        with pytest.raises(UserError, match="a.y4m has 10000 x 9000 pixels, which is too large"):
            read(tmp_path / "a.y4m")

    def test_description_that_is_no_text(self, tmp_path) -> None:
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            container.metadata["title"] = "abcdef"
            stream = container.add_stream("ffv1", rate=7)
            stream.height, stream.width = 32, 48
            container.mux([*stream.encode(av.VideoFrame(48, 32)), *stream.encode()])
        content = (tmp_path / "a.mkv").read_bytes()
        (tmp_path / "a.mkv").write_bytes(content.replace(b"abcdef", b"\xff\xfe\xfd\xfc\xfb\xfa"))
        assert len(read(tmp_path / "a.mkv")) == 1

    def test_limit_by_its_name(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "a.mov", noise(3))
        first, second, third = re.finditer(b"\x89PNG", path.read_bytes())
        content = bytearray(path.read_bytes())
        content[second.start() : second.start() + 4] = b"nope"
        path.write_bytes(content)
        limit = "--frames {}".format
        frames, _ = read_video(path, stride=1, max_frames=None, limit=limit)
        with pytest.raises(UserError, match=r"after 1 frame .* at most 1 frame \(--frames 1\)"):
            list(frames)


class TestReadEveryFrame:
    @pytest.mark.parametrize("rate", [10, 120])
    def test_at_every_rate(self, tmp_path, rate) -> None:
        frames = noise(7)
        path = write_exactly(tmp_path / "a.mov", frames, rate=rate)
        assert np.array_equal(np.stack(list(read_every_frame(path))), frames)

    def test_damage_names_no_limit(self, tmp_path) -> None:
        """Who uses all frames has no setting for fewer."""
        path = write_exactly(tmp_path / "a.mov", noise(3))
        second = [match.start() for match in re.finditer(b"\x89PNG", path.read_bytes())][1]
        content = bytearray(path.read_bytes())
        content[second : second + 4] = b"nope"
        path.write_bytes(content)
        with pytest.raises(
            UserError, match=r"a.mov is damaged after 1 frame .*\. Save it again\.$"
        ):
            list(read_every_frame(path))


def test_animate_names_its_option(tmp_path, own_golden, capsys) -> None:
    """Its first frame is the picture's own: as many frames more than the video's are painted."""
    path = write_exactly(tmp_path / "a.mov", noise(9), rate=10)
    content = bytearray(path.read_bytes())
    fifth = [match.start() for match in re.finditer(b"\x89PNG", content)][4]
    content[fifth : fifth + 4] = b"nope"
    path.write_bytes(content)
    Image.fromarray(noise(1, 64, 64)[0]).save(tmp_path / "person.png")
    models = own_golden / "dwpose"
    command = [
        "animate",
        str(tmp_path / "person.png"),
        str(path),
        "-o",
        str(tmp_path / "out"),
        "--dwpose-det",
        str(models / "det_one.onnx"),
        "--stride",
        "2",
        "--conditions-only",
        "--dwpose-pose",
        str(models / "pose_a.onnx"),
        "--height",
        "128",
        "--width",
        "64",
    ]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert f"{path} is damaged after 4 frames" in said
    assert "or read at most 2 frames (--frames 3)." in said
    assert main([*command, "--frames", "3"]) == 0


class TestOpenFiles:
    """How many files are open while a video is read, and after it."""

    @pytest.fixture
    def opened(self, tmp_path):
        links = Path("/proc/self/fd")
        if not links.is_dir():
            pytest.skip("this system does not list open files")
        return lambda: sum(tmp_path in link.resolve().parents for link in links.iterdir())

    @pytest.fixture
    def path(self, tmp_path) -> Path:
        return write_exactly(tmp_path / "a.mov", noise(5))

    @pytest.mark.parametrize("leave", [lambda frames: frames.close(), lambda frames: None])
    def test_never_started(self, path, opened, leave) -> None:
        frames, _ = read_video(path, stride=1, max_frames=None)
        leave(frames)
        assert opened() == 0
        del frames
        assert opened() == 0

    @pytest.mark.parametrize("max_frames", [None, 2, 5])
    def test_to_the_end(self, path, opened, max_frames) -> None:
        frames, _ = read_video(path, stride=1, max_frames=max_frames)
        next(frames)
        assert opened() == 1
        assert len(list(frames)) == (max_frames or 5) - 1 and opened() == 0

    def test_left_in_the_middle(self, path, opened) -> None:
        for leave in ("close", "del"):
            frames, _ = read_video(path, stride=1, max_frames=None)
            next(frames)
            if leave == "close":
                frames.close()
            del frames
            assert opened() == 0

    def test_damaged(self, path, opened) -> None:
        path.write_bytes(path.read_bytes().replace(b"\x89PNG", b"nope"))
        frames, _ = read_video(path, stride=1, max_frames=None)
        with pytest.raises(UserError):
            next(frames)
        assert opened() == 0

    @pytest.mark.parametrize("content", [b"", b"hello" * 300])
    def test_no_video(self, path, opened, content) -> None:
        path.write_bytes(content)
        with pytest.raises(UserError):
            read_video(path, stride=1, max_frames=None)
        assert opened() == 0

    def test_only_sound(self, path, opened) -> None:
        with pytest.raises(UserError):
            read_video(write_sound(path, cover=False), stride=1, max_frames=None)
        assert opened() == 0


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
