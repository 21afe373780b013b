"""Frames of clips: which are read, at which size, and which files are refused."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image
from videos import noise, write_exactly

from fcvg_core.errors import UserError
from fcvg_core.frames import fit_frame
from fcvg_core.shell import shell_words
from fcvg_core.training.config import Clips
from fcvg_core.training.data import Item, read_clip, read_guide

CLIPS = Clips(width=64, height=64)
FRAMES = noise(12, 64, 64)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_exactly(tmp_path_factory.mktemp("clips") / "clip.avi", FRAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("frames"), FRAMES)


def pictures(path, frames):
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(path / f"frame{number}.png")
    return path


def item(**changes) -> Item:
    return Item(id="a", **changes)


@pytest.mark.parametrize(
    ("start", "stride", "count", "expected"),
    [
        (0, 1, 12, range(12)),
        (3, 2, 4, (3, 5, 7, 9)),
        (0, 11, 2, (0, 11)),
        (5, 3, None, (5, 8, 11)),
    ],
)
def test_which_frames(video, folder, start, stride, count, expected):
    place = {"start": start, "stride": stride}
    for source in ({"video": video}, {"frames": folder}, {"video": folder}):
        found = read_clip(item(**source, **place), CLIPS, count)
        assert found.dtype == np.uint8 and (found == FRAMES[list(expected)]).all()


def test_size_and_fit(video):
    for fit in ("crop", "pad", "stretch"):
        clips = Clips(width=128, height=64, fit=fit)
        found = read_clip(item(video=video), clips, 2)
        assert (found == np.stack([fit_frame(x, (64, 128), fit) for x in FRAMES[:2]])).all()


def test_at_most(video):
    assert len(read_clip(item(video=video, start=8), CLIPS, 9, exact=False)) == 4
    with pytest.raises(UserError, match="has only 1 of 2 frames from frame 11 on"):
        read_clip(item(video=video, start=11), CLIPS, 9, exact=False)


@pytest.mark.parametrize("place", ({}, {"start": 3, "stride": 2}, {"start": 40}))
def test_too_short(video, folder, place):
    for source in ({"video": video}, {"frames": folder}):
        with pytest.raises(UserError) as error:
            read_clip(item(**source, **place), CLIPS, 25)
        count = {0: 12, 3: 5, 40: 0}[place.get("start", 0)]
        assert f"has only {count} of 25 frames from frame {place.get('start', 0)} on" in str(
            error.value
        )
        assert "Use a longer clip, a smaller start or stride" in str(error.value)


class TestFrameRate:
    def test_variable(self, tmp_path):
        times = [0, 40, 80, 120, 200, 240]
        path = write_exactly(tmp_path / "a b.mov", FRAMES[:6], times=times)
        assert len(read_clip(item(video=path), CLIPS, 4)) == 4
        with pytest.raises(UserError) as error:
            read_clip(item(video=path), CLIPS, 5)
        assert "it takes 0.040 to 0.080 seconds" in str(error.value)
        assert str(error.value).endswith(f"ffmpeg {shell_words('-i', 'a b.mov')} -r 25 steady.mp4")

    def test_rounded_times_are_steady(self, tmp_path):
        times = [round(1000 / 60 * i) for i in range(12)]
        path = write_exactly(tmp_path / "a.mov", FRAMES, times=times)
        assert len(read_clip(item(video=path), CLIPS, 12)) == 12

    def test_between_the_frames_that_are_used(self, tmp_path):
        times = [0, 10, 80, 90, 160, 170]
        path = write_exactly(tmp_path / "a.mov", FRAMES[:6], times=times)
        assert len(read_clip(item(video=path, stride=2), CLIPS, 3)) == 3


class TestDamage:
    def test_no_file(self, tmp_path):
        with pytest.raises(UserError, match="There is no file"):
            read_clip(item(video=tmp_path / "a.mp4"), CLIPS, 2)
        with pytest.raises(UserError, match="There is no folder"):
            read_clip(item(frames=tmp_path / "a"), CLIPS, 2)

    def test_no_video(self, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"a" * 5000)
        with pytest.raises(UserError, match="can't be read as a video"):
            read_clip(item(video=tmp_path / "a.mp4"), CLIPS, 2)

    def test_the_middle_of_a_video(self, video, tmp_path):
        content = bytearray(video.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 3000] = bytes(3000)
        (tmp_path / "a.avi").write_bytes(content)
        assert len(read_clip(item(video=tmp_path / "a.avi"), CLIPS, 3)) == 3
        with pytest.raises(UserError, match=r"a\.avi is damaged after \d frames? .* Save it again"):
            read_clip(item(video=tmp_path / "a.avi"), CLIPS, 12)

    def test_a_video_that_ends_early(self, video, tmp_path):
        content = video.read_bytes()
        (tmp_path / "a.avi").write_bytes(content[: len(content) // 2])
        with pytest.raises(UserError, match=r"a\.avi is damaged after \d frames"):
            read_clip(item(video=tmp_path / "a.avi"), CLIPS, 12)

    def test_a_picture_of_another_size(self, tmp_path):
        pictures(tmp_path, [*FRAMES[:3], noise(1, 64, 80)[0]])
        assert len(read_clip(item(frames=tmp_path), CLIPS, 3)) == 3
        with pytest.raises(UserError, match=r"frame3\.png has 80 x 64 pixels, but frame0"):
            read_clip(item(frames=tmp_path), CLIPS, 4)

    def test_a_video_whose_size_changes(self, tmp_path):
        path = tmp_path / "a.mov"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("png", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
            for number, width in enumerate((64, 64, 64, 128, 128)):
                file = BytesIO()
                Image.fromarray(noise(1, 64, width)[0]).save(file, "PNG")
                packet = av.Packet(file.getvalue())
                packet.stream, packet.pts, packet.dts = stream, number, number
                packet.time_base = Fraction(1, 10)
                container.mux(packet)
        assert len(read_clip(item(video=path), CLIPS, 3)) == 3
        with pytest.raises(UserError, match="change from 64 x 64 to 128 x 64 pixels"):
            read_clip(item(video=path), CLIPS, 6)

    def test_a_damaged_picture(self, tmp_path):
        pictures(tmp_path, FRAMES[:3])
        (tmp_path / "frame1.png").write_bytes(b"no picture")
        with pytest.raises(UserError, match=r"frame1\.png .* can't be read as a picture"):
            read_clip(item(frames=tmp_path), CLIPS, 3)


class TestGuide:
    def test_frames_beside_those_of_the_clip(self, video, folder):
        given = item(video=video, guide=folder, start=2, stride=3)
        assert (read_guide(given, CLIPS, 3) == FRAMES[[2, 5, 8]]).all()

    def test_red_and_blue(self, video, folder):
        given = item(video=folder, guide=video, swapped=True)
        assert (read_guide(given, CLIPS, 2) == FRAMES[:2, :, :, ::-1]).all()

    def test_a_little_shorter(self, video, tmp_path):
        pictures(tmp_path, FRAMES[:10])
        assert len(read_guide(item(video=video, guide=tmp_path), CLIPS, 12)) == 10
        with pytest.raises(UserError, match="has 1 frames from frame 9 on; expected 3"):
            read_guide(item(video=video, guide=tmp_path, start=9), CLIPS, 3)

    def test_of_another_clip(self, video, tmp_path):
        small = noise(37, 8, 8)
        other = write_exactly(tmp_path / "a.avi", small)
        with pytest.raises(UserError, match="has 37 frames, but .* has 12. Use the guide that"):
            read_guide(item(video=video, guide=other), CLIPS, 12)
        close = write_exactly(tmp_path / "b.avi", small[:36])
        assert len(read_guide(item(video=video, guide=close), CLIPS, 12)) == 12

    def test_no_file(self, video, tmp_path):
        with pytest.raises(UserError, match="There is no file"):
            read_guide(item(video=video, guide=tmp_path / "a.mp4"), CLIPS, 2)
