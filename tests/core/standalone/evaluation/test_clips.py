"""Which clips belong together, and what is said of clips that don't."""

import os
import re
import shutil

import numpy as np
import pytest
from evaluation_cases import moving_square, write_clip
from PIL import Image
from videos import write_exactly

from fcvg_core.errors import UserError
from fcvg_core.shell import shell_words
from fcvg_core.standalone.evaluation.clips import pair_clips, read_pairs


@pytest.fixture
def truth(tmp_path):
    return write_clip(tmp_path / "truth", moving_square())


def refused(truth, *results) -> str:
    with pytest.raises(UserError) as error:
        pair_clips(truth, list(results))
    return str(error.value)


class TestOneClip:
    def test_a_video_and_a_folder(self, truth, tmp_path):
        video = write_exactly(tmp_path / "a.mov", moving_square(shift=2), rate=60)
        (pair,) = pair_clips(truth, [video])[video]
        assert (pair.name, pair.result.num_frames, pair.result.size) == ("", 5, (48, 64))
        frames = [np.stack(frames) for frames in zip(*read_pairs(pair), strict=True)]
        np.testing.assert_array_equal(frames, [moving_square(), moving_square(shift=2)])

    def test_the_folder_of_a_run(self, truth, tmp_path):
        frames = write_clip(tmp_path / "run" / "frames", moving_square())
        write_clip(tmp_path / "run" / "condition", moving_square(3))
        shutil.copy(frames / "00.png", tmp_path / "run" / "strip.png")  # as `demo` does
        (pair,) = pair_clips(truth, [tmp_path / "run"])[tmp_path / "run"]
        assert pair.result.path == frames


class TestSeveralClips:
    def test_are_paired_by_name(self, tmp_path):
        for name, count in (("a", 4), ("b", 5)):
            write_clip(tmp_path / "true" / name, moving_square(count))
        write_exactly(tmp_path / "a.mov", moving_square(4))
        write_clip(tmp_path / "found" / "b" / "frames", moving_square())
        (tmp_path / "a.mov").rename(tmp_path / "found" / "a.mov")
        (tmp_path / "found" / "notes.txt").write_text("no clip")
        (tmp_path / "found" / ".b.mov").write_text("hidden")
        pairs = pair_clips(tmp_path / "true", [tmp_path / "found"])[tmp_path / "found"]
        assert [(pair.name, pair.truth.num_frames) for pair in pairs] == [("a", 4), ("b", 5)]

    def test_gifs(self, tmp_path):
        """A folder of GIFs holds videos, not the frames of one clip."""
        first, *others = (Image.fromarray(frame) for frame in moving_square(4))
        for folder in ("true", "found"):
            (tmp_path / folder).mkdir()
            for name in "ab":
                path = tmp_path / folder / f"{name}.gif"
                first.save(path, save_all=True, append_images=others, duration=100)
        pairs = pair_clips(tmp_path / "true", [tmp_path / "found"])[tmp_path / "found"]
        assert [(pair.name, pair.truth.num_frames) for pair in pairs] == [("a", 4), ("b", 4)]

    def test_clips_without_a_partner(self, tmp_path):
        for name in ("true/a", "true/b", "found/a", "found/c"):
            write_clip(tmp_path / name, moving_square())
        message = refused(tmp_path / "true", tmp_path / "found")
        assert re.search(r"found lacks clips that .*true has: b\. Both need", message)
        (tmp_path / "found" / "c").rename(tmp_path / "found" / "b")
        write_clip(tmp_path / "found" / "c", moving_square())
        assert "true lacks clips that" in refused(tmp_path / "true", tmp_path / "found")

    def test_one_against_several(self, truth, tmp_path):
        write_clip(tmp_path / "found" / "a", moving_square())
        assert f"{truth} is one clip, but" in refused(truth, tmp_path / "found")
        assert "is a folder of several clips" in refused(tmp_path / "found", truth)

    def test_two_clips_of_one_name(self, truth, tmp_path):
        write_clip(tmp_path / "found" / "a", moving_square())
        write_exactly(tmp_path / "found" / "a.mov", moving_square())
        assert "holds two clips of the name a" in refused(truth, tmp_path / "found")


class TestBadInput:
    def test_missing(self, truth, tmp_path):
        message = refused(truth, tmp_path / "none")
        assert "There is no file or folder" in message and "Give a video" in message

    def test_empty_folder(self, truth, tmp_path):
        (tmp_path / "empty").mkdir()
        assert "empty holds no frames and no clips. Expected" in refused(truth, tmp_path / "empty")

    def test_no_video(self, truth, tmp_path):
        (tmp_path / "a.mp4").write_text("text")
        assert "a.mp4 (4 bytes) can't be read as a video" in refused(truth, tmp_path / "a.mp4")

    def test_one_picture(self, truth):
        picture = truth / "00.png"
        assert refused(truth, picture).startswith(f"{picture} is one picture. Give a video, or")

    def test_the_same_path_twice(self, truth, tmp_path):
        assert f"{truth} is named twice. Name the truth once" in refused(truth, truth)
        os.symlink(truth, tmp_path / "link")
        message = refused(truth, tmp_path / "link")
        assert f"link is named twice (it is {truth} too)" in message

    def test_other_number_of_frames(self, truth, tmp_path):
        other = write_clip(tmp_path / "b", moving_square(4))
        message = refused(truth, other)
        assert message == (
            f"{other} holds 4 frames, but the truth {truth} holds 5 frames. Give a folder that "
            f"holds 4 of the pictures in {truth}."
        )

    def test_how_a_film_is_cut(self, truth, tmp_path):
        """Whichever of both is the longer film; a path with a space can be typed as it is said."""
        (tmp_path / "my film").mkdir()
        film = write_exactly(tmp_path / "my film" / "a.mov", moving_square(7))
        said = (
            f"To cut {film} to its first 5 frames, make the folder {film.parent / 'a_5'}, run: "
            f"{shell_words('ffmpeg', '-i', str(film), '-frames:v', '5')} "
            f"{shell_words(str(film.parent / 'a_5' / '%05d.png'))}, and give the folder instead."
        )
        assert refused(truth, film).endswith(said)
        assert refused(film, truth).endswith(said)

    def test_other_size(self, truth, tmp_path):
        other = write_clip(tmp_path / "b", moving_square(size=(64, 48)))
        message = refused(truth, other)
        assert message == (
            f"{other} has 48 x 64 pixels, but the truth {truth} has 64 x 48 pixels. Give both in "
            "the same size."
        )

    def test_few_frames(self, tmp_path):
        pair = [write_clip(tmp_path / name, moving_square(1)) for name in "ab"]
        assert "a holds 1 frame. Expected at least 3" in refused(*pair)

    def test_small_frames(self, tmp_path):
        pair = [write_clip(tmp_path / name, moving_square(size=(31, 64))) for name in "ab"]
        assert "a has 64 x 31 pixels. Expected at least 32 x 32 pixels" in refused(*pair)
