"""Driving Video: chosen frames of a VIDEO, and their sound."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from drawn_people import drawn_walker
from sounds import click_times, clicks, write_sounding
from videos import write_exactly

from fcvg_core.video import Sound

WHOLE = {"start_time": 0.0, "end_time": 0.0, "select_every_nth": 1, "frame_load_cap": 240}
CLICKS = (0.5, 1.5, 2.5)


def levels(count: int) -> list[np.ndarray]:
    """Frames that differ, also after H.264: frame i has the grey level 40 + 5 i."""
    return [np.full((48, 64, 3), 40 + 5 * i, np.uint8) for i in range(count)]


def numbers(images: torch.Tensor) -> list[int]:
    """Which frames of `levels` these are."""
    return [round((255 * float(image.mean()) - 40) / 5) for image in images]


@pytest.fixture(scope="module")
def api(host):
    import comfy_api.latest

    return comfy_api.latest


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """30 frames at 10 a second, a keyframe every 12 frames as x264 makes them, and sound."""
    sound = clicks(CLICKS, seconds=3, rate=44100)
    return write_sounding(tmp_path_factory.mktemp("video") / "a.mp4", levels(30), 10, sound)


@pytest.fixture(params=["file", "components"])
def video(request, api, path):
    """The same video as a file, and as it comes from Create Video."""
    found = api.InputImpl.VideoFromFile(str(path))
    if request.param == "file":
        return found
    components = api.Types.VideoComponents(
        images=torch.from_numpy(np.stack(levels(30))) / 255,
        audio={
            "waveform": torch.from_numpy(clicks(CLICKS, seconds=3, rate=44100).samples)[None],
            "sample_rate": 44100,
        },
        frame_rate=Fraction(10),
    )
    return api.InputImpl.VideoFromComponents(components)


@pytest.fixture
def take(node_classes):
    def take(video, *, reference_first: bool = False, **part):
        node = node_classes["FCVG_DrivingVideo"]
        return node.execute(video, **{**WHOLE, **part}, reference_first=reference_first).args

    return take


def heard(audio: dict) -> list[float]:
    return click_times(Sound(audio["waveform"][0].numpy(), audio["sample_rate"]))


@pytest.mark.seam
class TestParts:
    def test_the_whole_video(self, take, video) -> None:
        images, audio, fps, count = take(video)
        assert numbers(images) == list(range(30)) and count == 30 and fps == 10
        assert images.dtype == torch.float32 and images.shape == (30, 48, 64, 3)
        assert audio["waveform"].shape == (1, 2, 132300)
        assert heard(audio) == pytest.approx(CLICKS, abs=0.002)

    def test_every_nth_frame_of_a_range(self, take, video) -> None:
        """The sound begins with the first frame and ends with the last; the speed is kept."""
        part = {"start_time": 1.2, "end_time": 2.6, "select_every_nth": 3}
        images, audio, fps, count = take(video, **part)
        assert numbers(images) == [12, 15, 18, 21, 24] and count == 5
        assert fps == pytest.approx(10 / 3)
        assert heard(audio) == pytest.approx([0.3, 1.3], abs=0.002)
        assert audio["waveform"].shape[-1] == pytest.approx(1.5 * 44100, abs=2)

    def test_the_own_pose_comes_first(self, take, video) -> None:
        part = {"start_time": 0.4, "select_every_nth": 2}
        _, audio, fps, _ = take(video, reference_first=True, **part)
        assert fps == 5 and heard(audio) == pytest.approx([0.3, 1.3, 2.3], abs=0.002)

    def test_at_most_so_many(self, take, video, caplog) -> None:
        caplog.set_level("INFO")
        images, audio, *_ = take(video, frame_load_cap=4, select_every_nth=2)
        assert numbers(images) == [0, 2, 4, 6]
        assert audio["waveform"].shape[-1] == pytest.approx(0.8 * 44100, abs=2)
        assert "only its first 4 chosen frames are taken" in caplog.text
        assert "4 frames of 64 x 48, 5 frames per second" in caplog.text
        caplog.clear()
        take(video, frame_load_cap=15, select_every_nth=2)
        assert "only its first" not in caplog.text

    def test_no_frame(self, take, video) -> None:
        with pytest.raises(ValueError, match="3.00 seconds, but no .* an earlier start_time"):
            take(video, start_time=7.0)
        with pytest.raises(ValueError, match="is between start_time 1.02 .* a later end_time"):
            take(video, start_time=1.02, end_time=1.05)
        with pytest.raises(ValueError, match="start_time is 2 and end_time is 1.5"):
            take(video, start_time=2.0, end_time=1.5)

    def test_no_sound(self, take, api, tmp_path) -> None:
        file = write_exactly(tmp_path / "a.mov", levels(6))
        images, audio, *_ = take(api.InputImpl.VideoFromFile(str(file)), reference_first=True)
        assert audio is None
        exact = np.stack(levels(6)).astype(np.float32) / 255
        assert np.array_equal(images.numpy(), exact)

    @pytest.mark.parametrize("name", ["a.mov", "a.mkv", "a.webm", "a.ts"])
    def test_other_files(self, take, api, tmp_path, name) -> None:
        codecs = {"codec": "libopus", "pictures": "libvpx"} if name == "a.webm" else {}
        sound = clicks(CLICKS, seconds=3, rate=48000)
        file = write_sounding(tmp_path / name, levels(30), 10, sound, **codecs)
        part = {"start_time": 1.2, "select_every_nth": 3}
        images, audio, *_ = take(api.InputImpl.VideoFromFile(str(file)), **part)
        assert numbers(images) == [12, 15, 18, 21, 24, 27]
        assert heard(audio) == pytest.approx([0.3, 1.3], abs=0.002)

    def test_trimmed_by_the_host(self, take, api, path) -> None:
        video = api.InputImpl.VideoFromFile(str(path))
        if not hasattr(video, "get_active_trim_window"):
            pytest.skip("this ComfyUI has no Trim Video for files")
        images, audio, *_ = take(video.as_trimmed(1.0, 1.0), start_time=0.3)
        assert numbers(images) == list(range(13, 20))
        assert heard(audio) == pytest.approx([0.2], abs=0.002)
        with pytest.raises(ValueError, match="0.03 seconds, but no .* a longer part in Trim Video"):
            take(video.as_trimmed(1.02, 0.03))

    def test_damaged(self, take, api, path, tmp_path) -> None:
        (tmp_path / "a.mp4").write_bytes(path.read_bytes()[:400])
        with pytest.raises(ValueError, match="a.mp4 .* can't be read as a video"):
            take(api.InputImpl.VideoFromFile(str(tmp_path / "a.mp4")))

    def test_damaged_later(self, take, api, tmp_path) -> None:
        file = write_exactly(tmp_path / "a.mov", levels(20))
        content = bytearray(file.read_bytes())
        with av.open(str(file)) as container:
            packets = [packet for packet in container.demux() if packet.size]
        content[packets[12].pos : packets[12].pos + 40] = bytes(40)
        file.write_bytes(content)
        video = api.InputImpl.VideoFromFile(str(file))
        with pytest.raises(ValueError, match="The video is damaged .* with end_time"):
            take(video)
        assert numbers(take(video, end_time=1.0)[0]) == list(range(10))

    def test_create_video_takes_it_all(self, take, api, path, node_classes, tmp_path) -> None:
        """The host writes the frames and the sound, which are as long as each other."""
        from comfy_extras.nodes_video import CreateVideo

        part = {"start_time": 0.4, "select_every_nth": 2}
        video = api.InputImpl.VideoFromFile(str(path))
        images, audio, fps, _ = take(video, reference_first=True, **part)
        frames = torch.cat([images[:1], images])  # the own pose before them
        made = CreateVideo.execute(frames, fps, audio).args[0]
        made.save_to(str(tmp_path / "out.mp4"))
        again, audio, fps, count = take(api.InputImpl.VideoFromFile(str(tmp_path / "out.mp4")))
        assert count == 14 and fps == 5 and heard(audio) == pytest.approx([0.3, 1.3, 2.3], abs=0.03)


def test_a_file_in_memory(take, api, path) -> None:
    images, *_ = take(api.InputImpl.VideoFromFile(io.BytesIO(path.read_bytes())), start_time=1.3)
    assert numbers(images) == list(range(13, 30))


def test_extract_poses_says_what_is_drawn_already(node_classes, caplog) -> None:
    extract = node_classes["FCVG_ExtractPoses"]
    drawn = torch.from_numpy(np.stack(drawn_walker(9, (384, 256), width=3.0))) / 255
    extract.execute(drawn, "no poses")
    assert "seems to show drawn poses already: connect it to control_frames" in caplog.text
    caplog.clear()
    extract.execute(drawn[:1], "no poses")  # a picture is no video
    extract.execute(torch.rand(2, 64, 64, 3), "no poses")
    assert "drawn poses" not in caplog.text


def test_only_chosen_frames_are_converted(take, api, path, load, monkeypatch) -> None:
    module = load("nodes.host.video")
    shown = []

    def show(frame, size):
        shown.append(frame.time)
        return np.zeros((48, 64, 3), np.uint8)

    monkeypatch.setattr(module, "show", show)
    part = {"start_time": 1.0, "select_every_nth": 4, "frame_load_cap": 3}
    take(api.InputImpl.VideoFromFile(str(path)), **part)
    assert shown == pytest.approx([1.0, 1.4, 1.8])
