"""The sound of a video, cut."""

import logging

import av
import numpy as np
import pytest
from sounds import click_times, clicks, write_sounding
from videos import still

from fcvg_core.video import Sound, read_sound, start_of

TIMES = (0.5, 1.25, 2.5)


def read(path, start: float = 0.0, seconds: float = 10.0, rate: int | None = None) -> Sound | None:
    with av.open(str(path)) as container:
        at = start_of(container.streams.video[0]) + start
        return read_sound(container, start=at, seconds=seconds, rate=rate)


def written(path, *, channels: int = 2, rate: int = 44100, **more):
    sound = clicks(TIMES, seconds=3, rate=rate, channels=channels)
    return write_sounding(path, still(30), 10, sound, **more)


class TestReadSound:
    @pytest.mark.parametrize(
        ("name", "codecs"),
        [
            ("a.mp4", {}),
            ("a.mov", {"codec": "pcm_s16le"}),
            ("a.mkv", {"channels": 1, "rate": 48000}),
            ("a.webm", {"codec": "libopus", "pictures": "libvpx", "rate": 48000}),
            ("a.ts", {}),
        ],
    )
    def test_in_time_with_the_frames(self, tmp_path, name, codecs) -> None:
        path = written(tmp_path / name, **codecs)
        sound = read(path)
        assert sound.rate == codecs.get("rate", 44100)
        assert len(sound.samples) == codecs.get("channels", 2)
        assert click_times(sound) == pytest.approx(TIMES, abs=0.002)
        assert click_times(read(path, 1.0, 0.5)) == pytest.approx([0.25], abs=0.002)

    def test_length(self, tmp_path) -> None:
        path = written(tmp_path / "a.mp4")
        assert read(path, 0.2, 0.7).samples.shape == (2, round(0.7 * 44100))
        assert read(path, 2.0, 9.0).samples.shape[1] == pytest.approx(44100, abs=2048)
        assert read(path, 7.0, 1.0) is None

    def test_sound_that_begins_late(self, tmp_path) -> None:
        path = written(tmp_path / "a.mp4", late=0.3)
        assert click_times(read(path)) == pytest.approx([t + 0.3 for t in TIMES], abs=0.002)

    def test_another_rate(self, tmp_path) -> None:
        sound = read(written(tmp_path / "a.mp4"), rate=48000)
        assert sound.rate == 48000 and click_times(sound) == pytest.approx(TIMES, abs=0.002)

    def test_many_channels_become_two(self, tmp_path) -> None:
        path = tmp_path / "a.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.height = stream.width = 32
            track = container.add_stream("pcm_s16le", rate=8000, layout="5.1")
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux([*stream.encode(picture), *stream.encode()])
            packed = np.full((1, 6 * 800), 30000, np.int16)
            heard = av.AudioFrame.from_ndarray(packed, format="s16", layout="5.1")
            heard.sample_rate = 8000
            container.mux([*track.encode(heard), *track.encode()])
        sound = read(path)
        assert sound.layout == "stereo" and sound.samples.shape == (2, 800)
        assert (sound.samples == 1).all()  # the sum of the channels is louder

    @pytest.mark.parametrize("rate", [None, 48000])
    @pytest.mark.parametrize(
        ("before", "after"),
        [((2, 48000), (1, 48000)), ((2, 48000), (2, 44100)), ((1, 44100), (2, 48000))],
    )
    def test_a_stream_that_changes_on_the_way(self, tmp_path, before, after, rate) -> None:
        """As recordings of television do between a film and advertising."""
        kinds = [dict(zip(("channels", "rate"), kind, strict=True)) for kind in (before, after)]
        first = written(tmp_path / "a.ts", **kinds[0]).read_bytes()
        second = written(tmp_path / "b.ts", late=3.0, **kinds[1]).read_bytes()
        (tmp_path / "a.ts").write_bytes(first + second)
        sound = read(tmp_path / "a.ts", rate=rate)
        assert sound.rate == (rate or before[1]) and len(sound.samples) == before[0]
        times = [*TIMES, *(time + 3 for time in TIMES)]
        assert click_times(sound) == pytest.approx(times, abs=0.05)

    @pytest.mark.parametrize(("name", "codec"), [("a.mkv", "aac"), ("a.avi", "mp3")])
    def test_the_beginning_of_a_part_is_heard(self, tmp_path, name, codec) -> None:
        loud = Sound(0.5 * np.sin(np.arange(3 * 16000, dtype=np.float32) / 5)[None], 16000)
        path = write_sounding(tmp_path / name, still(30), 10, loud, codec=codec, pictures="mpeg4")
        for start in (0.1, 0.4, 1.5):
            assert np.abs(read(path, start, 0.5).samples[0, :160]).max() > 0.3

    def test_no_sound(self, tmp_path) -> None:
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.height = stream.width = 32
            picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux([*stream.encode(picture), *stream.encode()])
        assert read(tmp_path / "a.mkv") is None

    def test_damaged_sound_is_used_up_to_there(self, tmp_path, caplog) -> None:
        caplog.set_level(logging.WARNING)
        path = written(tmp_path / "a.mp4")
        content = bytearray(path.read_bytes())
        with av.open(str(path)) as container:
            for packet in container.demux(container.streams.audio[0]):
                if packet.size and packet.pts * packet.time_base > 1:
                    content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
        path.write_bytes(content)
        assert click_times(read(path)) == pytest.approx(TIMES[:1], abs=0.002)
        assert "The sound of the video is damaged" in caplog.text


def test_silence_before() -> None:
    sound = clicks([0.25], seconds=1, rate=8000, channels=1).after_silence(0.5)
    assert sound.samples.shape == (1, 12000) and sound.layout == "mono"
    assert click_times(sound) == pytest.approx([0.75])
