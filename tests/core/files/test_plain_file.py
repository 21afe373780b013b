"""What is read has to be a plain file."""

import os
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.files.plain_file import check_file


def test_plain(tmp_path: Path) -> None:
    path, link = tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(b"")
    link.symlink_to(path)
    check_file(path)
    check_file(link)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda x: x.symlink_to("/dev/zero")])
def test_others(tmp_path: Path, make) -> None:
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(UserError, match=f"{path} is a folder, a pipe or a device; expected a pic"):
        check_file(path, expected="a picture")


@pytest.mark.parametrize("make", [lambda x: None, lambda x: x.symlink_to("unplugged")])
def test_missing(tmp_path: Path, make) -> None:
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(UserError, match=f"There is no file {path}"):
        check_file(path)
