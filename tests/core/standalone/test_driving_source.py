"""The file that steers an animation, as it is read."""

import logging
from pathlib import Path

import pytest
from drawn_people import drawn_walker
from PIL import Image
from sounds import click_times, clicks, write_sounding
from videos import still, write_exactly

from fcvg_core.errors import UserError
from fcvg_core.standalone.driving_source import DrivingSource
from fcvg_core.standalone.media.writing import write_video
from fcvg_core.standalone.spec import AnimateSpec, AnimateVideo, Driving


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """Drawn poses, 20 frames at 60 a second."""
    path = tmp_path_factory.mktemp("drawn") / "pose.mp4"
    write_video(path, drawn_walker(20, (384, 256), width=3.0), 60)
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """A film with sound, 20 frames at 10 a second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_sounding(path, still(20), 10, clicks([0.1, 0.5], seconds=2, rate=44100))


def spec(path: Path, *, frames: int = 240, control: bool = False, **driving) -> AnimateSpec:
    named = {"control_frames" if control else "video": path}
    video = AnimateVideo(frames=frames)
    return AnimateSpec(**named, result=video, driving=Driving(**driving))


def read(source: DrivingSource, max_frames: int = 240) -> tuple[int, float]:
    frames, fps = source.read(max_frames)
    return len(list(frames)), fps


class TestOf:
    def test_drawn_poses_are_recognised_and_used_whole(self, drawn, caplog) -> None:
        caplog.set_level(logging.INFO)
        source = DrivingSource.of(spec(drawn))
        assert source == DrivingSource(drawn, True, 1) and read(source) == (20, 60)
        assert f"{drawn} shows drawn poses" in caplog.text and "--no-drawn" in caplog.text

    def test_a_film_is_thinned_out(self, film, caplog) -> None:
        caplog.set_level(logging.INFO)
        source = DrivingSource.of(spec(film))
        assert source == DrivingSource(film, False, 2) and read(source) == (10, 5)
        assert not caplog.text

    def test_the_user_knows_better(self, drawn, film, caplog) -> None:
        caplog.set_level(logging.INFO)
        source = DrivingSource.of(spec(drawn, drawn=False))
        assert not source.drawn and read(source) == (5, 15)  # 60 frames a second are fast
        assert DrivingSource.of(spec(film, drawn=True)) == DrivingSource(film, True, 1)
        assert DrivingSource.of(spec(film, control=True)) == DrivingSource(film, True, 1)
        assert not caplog.text

    @pytest.mark.parametrize("stride", [1, 3])
    def test_stride(self, drawn, film, stride) -> None:
        assert read(DrivingSource.of(spec(drawn, stride=stride))) == (-(-20 // stride), 60 / stride)
        assert read(DrivingSource.of(spec(film, stride=stride))) == (-(-20 // stride), 10 / stride)

    def test_only_the_used_frames_are_looked_at(self, tmp_path) -> None:
        """A film comes after the frames that are used."""
        frames = [*drawn_walker(10, (384, 256), width=3.0), *still(20, 384, 256)]
        write_video(tmp_path / "a.mp4", frames, 10)
        assert DrivingSource.of(spec(tmp_path / "a.mp4", frames=4)).drawn
        assert not DrivingSource.of(spec(tmp_path / "a.mp4", frames=30)).drawn

    def test_a_folder(self, tmp_path) -> None:
        """Every picture is a frame, whatever the stride is; runs of old releases note one."""
        for i in range(5):
            Image.new("RGB", (64, 64), (i, 9, 9)).save(tmp_path / f"{i}.png")
        source = DrivingSource.of(spec(tmp_path, control=True, stride=2))
        assert read(source) == (5, 14) and read(source, 3)[0] == 3
        assert source.read_sound(5, 14.0, 14.0) is None

    def test_wrong_files(self, tmp_path) -> None:
        for control in (False, True):
            with pytest.raises(UserError, match="There is no file .*no.mp4"):
                DrivingSource.of(spec(tmp_path / "no.mp4", control=control))
        with pytest.raises(UserError, match="is a folder, but a video file was expected"):
            DrivingSource.of(spec(tmp_path))
        with pytest.raises(UserError, match="holds no pictures"):
            DrivingSource.of(spec(tmp_path, control=True))

    def test_one_control_frame_is_no_video(self, drawn, film) -> None:
        for chosen in ({"control": True}, {"drawn": True}):
            with pytest.raises(UserError, match="at least 2 frames, but .*pose.mp4 gives 1: use"):
                DrivingSource.of(spec(drawn, stride=30, **chosen))
        assert read(DrivingSource.of(spec(film, stride=30)))[0] == 1

    def test_a_damaged_video(self, tmp_path) -> None:
        path = write_exactly(tmp_path / "a.avi", drawn_walker(40, (96, 64), width=5.0))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        source = DrivingSource.of(spec(path))
        with pytest.raises(UserError, match=r"is damaged after .*\(--frames \d\d\)"):
            read(source)
        # A look at every 16th frame, as of a film, goes beyond the 17 frames that are used.
        source = DrivingSource.of(spec(path, frames=17))
        assert source.drawn and read(source, 17)[0] == 17
        path.write_bytes(content[:6300])
        with pytest.raises(UserError, match="damaged"):
            DrivingSource.of(spec(path))


class TestRead:
    def test_a_film_leaves_room_for_the_own_pose(self, film, drawn) -> None:
        assert read(DrivingSource(film, False, 1), 6)[0] == 5
        assert read(DrivingSource(drawn, True, 1), 6)[0] == 6


class TestReadSound:
    def test_in_time_and_cut(self, film) -> None:
        """One frame of silence comes before a film's sound; the animation has 5 a second."""
        sound = DrivingSource(film, False, 2).read_sound(4, 5.0, 5.0)
        assert click_times(sound) == pytest.approx([0.3, 0.7], abs=0.002)
        sound = DrivingSource(film, True, 2).read_sound(2, 5.0, 5.0)
        assert click_times(sound) == pytest.approx([0.1], abs=0.002)
        assert sound.samples.shape == (2, 0.4 * 48000)

    def test_another_speed(self, film, caplog) -> None:
        caplog.set_level(logging.INFO)
        assert DrivingSource(film, False, 2).read_sound(4, 5.0, 7.0) is None
        assert "is left out: it fits 5 frames per second, but the animation has 7" in caplog.text

    def test_a_video_without_sound(self, drawn, caplog) -> None:
        caplog.set_level(logging.INFO)
        assert DrivingSource(drawn, True, 1).read_sound(20, 60.0, 7.0) is None
        assert not caplog.text
