"""JSON files in the host's folders: what the list shows, what is found, where files are saved."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.seam


@pytest.fixture
def folders(host, tmp_path, monkeypatch) -> Path:
    """A folder with the host's folders `input`, `output` and `temp`."""
    import folder_paths

    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def files(load):
    return load("nodes.host.user_files")


def write(path: Path, text: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class TestList:
    def test_files_of_all_subfolders(self, folders, files):
        for name in ("b.json", "A.JSON", "shots/two/c.json", "no.txt"):
            write(folders / "input" / name)
        (folders / "input" / "a folder.txt").mkdir()
        assert files.list_user_files() == ["A.JSON", "b.json", "shots/two/c.json"]

    def test_an_empty_folder_is_said(self, folders, files):
        (only,) = files.list_user_files()
        assert "no .json file" in only
        with pytest.raises(ValueError, match="choose a file of the list, or upload one"):
            files.find_user_file(only)


class TestFind:
    @pytest.mark.parametrize(
        ("name", "place"),
        [
            ("x.json", "input/x.json"),
            ("sub/x.json", "input/sub/x.json"),
            ("x.json [input]", "input/x.json"),
            ("sub/x.json [output]", "output/sub/x.json"),
            ("x.json [temp]", "temp/x.json"),
            ("sub/../x.json", "input/x.json"),
        ],
    )
    def test_as_the_host_names_files(self, folders, files, name, place):
        (folders / "input" / "sub").mkdir()
        path = write(folders / place)
        assert files.find_user_file(name) == path.resolve()

    @pytest.mark.parametrize(
        "name",
        [
            "../secret.json",
            "sub/../../secret.json",
            "../secret.json [output]",
            "link.json",
            "linked/secret.json",
            "none.json",
            "sub",
            "",
            "x\0.json",
        ],
    )
    def test_nothing_else_is_found(self, folders, files, name):
        write(folders / "secret.json")
        (folders / "input" / "sub").mkdir()
        os.symlink(folders / "secret.json", folders / "input" / "link.json")
        os.symlink(folders, folders / "input" / "linked")
        with pytest.raises(ValueError, match=r"is not in .*(in|out)put: choose"):
            files.find_user_file(name)

    def test_a_whole_path_is_not_found(self, folders, files):
        secret = write(folders / "secret.json")
        with pytest.raises(ValueError, match=r"secret\.json' is not in .*input"):
            files.find_user_file(str(secret))


class TestFingerprint:
    def test_changes_with_the_file(self, folders, files):
        path = write(folders / "input" / "x.json")
        first = files.fingerprint_user_file("x.json")
        assert files.fingerprint_user_file("x.json") == first
        write(path, "[1]")
        assert files.fingerprint_user_file("x.json") != first

    def test_a_name_that_another_node_gives(self, files):
        assert files.fingerprint_user_file(None) == ""


class TestSave:
    def test_no_file_is_overwritten(self, folders, files):
        write(folders / "output/FCVG/lines_00001_.JSON", "old")
        saved = [files.save_user_file(text, "FCVG/lines") for text in "abc"]
        assert [dict(x) for x in saved] == [
            {"filename": f"lines_0000{i}_.json", "subfolder": "FCVG", "type": "output"}
            for i in (2, 3, 4)
        ]
        texts = [(folders / "output/FCVG" / x["filename"]).read_text() for x in saved]
        assert texts == ["a", "b", "c"]

    def test_outside_the_folder(self, folders, files):
        with pytest.raises(Exception, match="outside the output folder"):
            files.save_user_file("{}", "../lines")
        assert not list(folders.glob("lines*"))
