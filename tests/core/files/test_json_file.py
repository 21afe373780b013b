"""JSON files of users: read, or refused in a sentence."""

import json
import os

import pytest

from fcvg_core.errors import UserError
from fcvg_core.files import plain_file
from fcvg_core.files.json_file import read_json

WANTED = "a table of numbers"


def written(tmp_path, content: bytes):
    path = tmp_path / "some.json"
    path.write_bytes(content)
    return path


class TestReadJson:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
    def test_reads_every_unicode(self, tmp_path, encoding):
        path = written(tmp_path, '{"größe": [1, 2.5]}'.encode(encoding))
        assert read_json(path, expected=WANTED) == {"größe": [1, 2.5]}

    def test_keeps_the_largest_seed(self, tmp_path):
        path = written(tmp_path, json.dumps([2**64 - 1, -(2**64) + 1, 1e308]).encode())
        assert read_json(path, expected=WANTED) == [2**64 - 1, -(2**64) + 1, 1e308]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is empty"),
            (b"\x00\x01\x02", "not JSON"),
            (b"\xff\xfe\xff", "not JSON"),
            (b'{"a": 1', "not JSON"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a":' * 100_000, "nested too deeply"),
            (str(10**400).encode(), "too large"),
            (b"9" * 10_000, "too large"),
            (str(2**70).encode(), "too large"),
            (b"[1e400]", "too large"),
            (b"[-1e400]", "too large"),
        ],
    )
    def test_says_what_is_wrong_and_what_was_expected(self, tmp_path, content, reason):
        path = written(tmp_path, content)
        with pytest.raises(UserError, match=reason) as caught:
            read_json(path, expected=WANTED)
        assert str(path) in str(caught.value) and WANTED in str(caught.value)

    def test_never_waits_for_a_pipe_or_a_device(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for path in (pipe, tmp_path, "/dev/zero"):
            with pytest.raises(UserError, match="pipe"):
                read_json(type(tmp_path)(path), expected=WANTED)

    def test_says_why_a_file_can_not_be_opened(self, tmp_path):
        with pytest.raises(UserError, match=r"aaa can't be read \(.*\); expected a table of"):
            read_json(tmp_path / ("a" * 5000), expected=WANTED)

    def test_a_file_that_is_too_large_is_not_read(self, tmp_path):
        path = tmp_path / "some.json"
        with path.open("wb") as opened:
            opened.truncate(plain_file.MAX_BYTES + 1)
        with pytest.raises(UserError, match=r"some\.json has more than 64 MiB; expected a table"):
            read_json(path, expected=WANTED)

    def test_another_limit(self, tmp_path):
        path = written(tmp_path, b'{"a": 1, "b": 2}')
        assert read_json(path, expected="a table", without=("b",)) == {"a": 1}
        with pytest.raises(UserError, match="has more than 0 MiB; expected a table"):
            read_json(path, expected="a table", most=10)
