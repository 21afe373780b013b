"""Marks of files: the hash of a file, or of the ends of a large file."""

import hashlib

from fcvg_core.files import marks


def test_of_a_file_it_is_its_hash(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"content")
    assert marks.read_mark(path) == hashlib.sha256(b"content").hexdigest()


def test_of_a_large_file_it_is_that_of_its_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(marks, "WHOLE", 64)
    monkeypatch.setattr(marks, "END", 16)
    contents = {
        "a": b"x" * 40 + b"a" + b"y" * 59,
        "b": b"x" * 40 + b"b" + b"y" * 59,
        "end": b"x" * 40 + b"a" + b"y" * 58 + b"z",
        "begin": b"z" + b"x" * 39 + b"a" + b"y" * 59,
        "size": b"x" * 41 + b"a" + b"y" * 59,
    }
    found = []
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        found.append(marks.read_mark(tmp_path / name))
    assert found[0] == found[1] and len(set(found)) == 4
