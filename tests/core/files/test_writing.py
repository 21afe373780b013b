"""Files that are there whole or not at all."""

import errno
import os

import pytest

from fcvg_core.errors import UserError
from fcvg_core.files.writing import explained, save_text, write_aside

unix = pytest.mark.skipif(os.name == "nt", reason="needs pipes and names of Unix")


class TestSaveText:
    def test_in_utf_8(self, tmp_path):
        save_text(tmp_path / "a.json", "\u00e9\n")
        assert (tmp_path / "a.json").read_bytes() == b"\xc3\xa9\n"

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(UserError, match=r"a\.json"):
            save_text(tmp_path / "none" / "a.json", "")


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
        with write_aside(tmp_path / "a") as part:
            part.write_bytes(b"first")
        message = "is full. .* are free. Make room"
        with pytest.raises(UserError, match=message) as caught, write_aside(tmp_path / "a") as part:
            part.write_bytes(b"second")
        assert str(tmp_path) in str(caught.value)
        assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"first"

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
