"""A folder of pictures and prompts."""

from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.media.prompt_folder import read_prompt_folder


def fill(folder: Path, *pictures: str, **texts: str) -> Path:
    """A folder with empty files for pictures, and with text files."""
    for name in pictures:
        (folder / name).write_bytes(b"")
    for name, text in texts.items():
        (folder / f"{name}.txt").write_bytes(text.encode())
    return folder


def test_prompts_belong_to_pictures_by_name(tmp_path) -> None:
    fill(tmp_path, "b.jpeg", "a.png", "c.JPG", a="\ufeffone \r\n\r\n  two\n \nthree, too")
    found = read_prompt_folder(tmp_path, in_pairs=False)
    assert [(x.name, x.pictures, x.prompt) for x in found] == [
        ("a", (tmp_path / "a.png",), "one"),
        ("b", (tmp_path / "b.jpeg",), "two"),
        ("c", (tmp_path / "c.JPG",), "three, too"),
    ]


def test_pairs(tmp_path) -> None:
    fill(tmp_path, "a_1.png", "a_2.png", "b_1.png", "b_2.png", a="one\ntwo")
    found = read_prompt_folder(tmp_path, in_pairs=True)
    assert [[path.name for path in x.pictures] for x in found] == [
        ["a_1.png", "a_2.png"],
        ["b_1.png", "b_2.png"],
    ]
    assert [x.name for x in found] == ["a_1", "b_1"]


def test_names_end_at_the_first_point(tmp_path) -> None:
    """As in the official code; but no video takes the name of another."""
    fill(tmp_path, "a.1.png", "b.1.png", "b.2.png", "b_1_png.png", a="1\n2\n3\n4")
    names = [x.name for x in read_prompt_folder(tmp_path, in_pairs=False)]
    assert names == ["a", "b.1.png", "b.2.png", "b_1_png"]


def test_what_is_not_used_is_said(tmp_path, caplog) -> None:
    fill(tmp_path, "a.png", "b.png", ".c.png", "d.gif", b="other", a="one")
    (task,) = read_prompt_folder(tmp_path, in_pairs=False)
    assert task.prompt == "one"
    assert "has 2 text files: a.txt is used" in caplog.text
    assert caplog.text.rstrip().endswith("no prompt for these pictures: b.png.")


@pytest.mark.parametrize(
    ("pictures", "texts", "in_pairs", "message"),
    [
        (["a.png"], {}, False, "has no text file: put a file such as prompts.txt there"),
        (["a.png"], {"a": " \n\n"}, False, "a.txt is empty: write a prompt on each line"),
        (["a.png"], {"a": "1\n2"}, False, "has 2 prompts and 1 pictures .* needs 1: add pictures"),
        (["a.png"], {"a": "1"}, True, "has 1 prompts and 1 pictures .* needs 2: add pictures"),
        ([], {"a": "x" * (2**20 + 1)}, False, "a.txt has more than 1 MiB"),
    ],
)
def test_folders_that_lack_something(tmp_path, pictures, texts, in_pairs, message) -> None:
    fill(tmp_path, *pictures, **texts)
    with pytest.raises(UserError, match=message):
        read_prompt_folder(tmp_path, in_pairs=in_pairs)


def test_no_folder_and_no_text(tmp_path) -> None:
    with pytest.raises(UserError, match="There is no folder /no: give --prompt_dir a folder"):
        read_prompt_folder(Path("/no"), in_pairs=False)
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not text in UTF-8: save it in this encoding"):
        read_prompt_folder(tmp_path, in_pairs=False)
