"""Manifests: JSON lines, CSV, folders of pairs, URLs, and everything that is wrong with them."""

import json
import re
from pathlib import Path

import pytest

from fcvg_core.batch.manifest import ManifestError, read_manifest
from fcvg_core.batch.manifest.rows import SHOWN
from fcvg_core.batch.manifest.texts import MAX_LINE
from fcvg_core.errors import UserError

HEAD = "id,first,last\n"


def rows_of(manifest) -> list[tuple]:
    return [(row.line, row.id, row.mode, row.options()) for row in manifest.rows]


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def faults_of(path: Path, content: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ManifestError) as raised:
        read_manifest(write(path, content))
    return raised.value.faults


class TestJsonLines:
    def test_rows(self, tmp_path):
        lines = (
            '{"id": "a", "first": "a.png", "last": "b.png", "steps": 7, "seed": null}\r\n',
            "\n",
            '{"id": 12, "mode": "preview", "keyframes": ["a", "b"]}',
        )
        found = read_manifest(
            write(tmp_path / "m.jsonl", b"\xef\xbb\xbf" + "".join(lines).encode())
        )
        assert rows_of(found) == [
            (1, "a", None, {"first": "a.png", "last": "b.png", "steps": 7}),
            (3, "12", "preview", {"keyframes": ["a", "b"]}),
        ]
        assert (found.folder, found.typed) == (str(tmp_path), False)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('{"id": "a", "steps": }', "line 2, column 22: this is not JSON (Expecting value)."),
            ('{"id": "a",}', "line 2, column 12: this is not JSON"),
            ('{"id": "a"', "line 2, column 11: this is not JSON"),
            ("[1, 2]", 'line 2: it is [1, 2]; expected an object, such as {"id": "a"'),
            ('"a"', "line 2: it is 'a'; expected an object"),
            (
                '{"id": "a", "id": "b"}',
                "line 2: this is not JSON: it contains the name 'id' twice.",
            ),
            ('{"id": "a", "x": 1e999}', "line 2: this is not JSON: the number 1e999 is too large."),
            ("[" * 100_000, "line 2: this is not JSON: it is nested too deeply."),
            ('{"first": "a"}', "line 2: it has no id: give each row an id of its own."),
            ('{"id": null}', "line 2: it has no id"),
            ('{"id": true}', "line 2: the id is True; expected a text or a whole number."),
            ('{"id": ""}', "line 2: The id is empty"),
            ('{"id": "a/b"}', "line 2: The id 'a/b' holds '/'"),
            ('{"id": "..\\\\b"}', "line 2: The id '..\\\\b' holds '\\\\'"),
            ('{"id": "a\\u0007"}', "line 2: The id 'a\\x07' holds '\\x07'"),
            ('{"id": ".a"}', "line 2: The id '.a' begins with a dot"),
            ('{"id": "con"}', "line 2: The id 'con' is the name of a device of Windows"),
            (f'{{"id": "{"a" * 101}"}}', "which is too long"),
            ('{"id": "a", "mode": 3}', "line 2: mode is 3; expected the name of a mode."),
            ('{"id": "FINE"}', "line 2: the id 'FINE' is that of line 1 too; some disks"),
        ],
    )
    def test_broken_line(self, tmp_path, line, said):
        (fault,) = faults_of(tmp_path / "m.jsonl", f'{{"id": "fine"}}\n{line}\n')
        assert said in fault

    def test_a_list_is_one_fault(self, tmp_path):
        text = json.dumps([{"id": "a"}, {"id": "b"}], indent=1)
        (fault,) = faults_of(tmp_path / "m.json", text)
        assert fault.startswith("line 1: a list begins here; expected an object on each line")

    def test_a_mode_that_does_not_exist(self, tmp_path):
        lines = (f'{{"id": "{number}", "mode": "{mode}"}}\n' for number, mode in enumerate("abc"))
        path = write(tmp_path / "m.jsonl", "".join(lines) + '{"id": "d", "mode": "cpoy"}\n{')
        with pytest.raises(ManifestError) as raised:
            read_manifest(path, ("copy", "a", "b"))
        assert raised.value.faults[:2] == (
            "line 3: there is no mode 'c'; expected one of copy, a, b.",
            "line 4: there is no mode 'cpoy'; perhaps copy.",
        )
        assert len(raised.value.faults) == 3
        assert [row.id for row in raised.value.manifest.rows] == ["0", "1"]

    def test_every_fault_is_named(self, tmp_path):
        bad = "".join(f'{{"id": "a/{number}"}}\n' for number in range(SHOWN + 7))
        path = write(tmp_path / "m.jsonl", bad)
        with pytest.raises(ManifestError) as raised:
            read_manifest(path)
        lines = str(raised.value).splitlines()
        assert lines[0] == (
            f"The manifest {path} has {SHOWN + 7} faults; nothing was done. Correct it:"
        )
        assert len(lines) == SHOWN + 2 and lines[-1] == "  and 7 more"

    def test_what_is_right_is_kept_for_a_dry_run(self, tmp_path):
        path = write(tmp_path / "m.jsonl", '{"id": "a/b"}\n{"id": "c"}\n')
        with pytest.raises(ManifestError) as raised:
            read_manifest(path)
        assert rows_of(raised.value.manifest) == [(2, "c", None, {})]

    def test_bytes_that_are_no_text(self, tmp_path):
        (fault,) = faults_of(tmp_path / "m.jsonl", '{"id": "ä'.encode() + b"\xff\n")
        assert fault == "line 1, column 10: this is not UTF-8: save the manifest as UTF-8."

    def test_a_huge_line_is_not_kept(self, tmp_path):
        lines = b'{"id": "a"}\n{"id": "' + b"x" * (3 * MAX_LINE) + b'"}\n{"id": "b"\n'
        first, second = faults_of(tmp_path / "m.jsonl", lines)
        assert first == "line 2: it has more than 1 MiB; expected one row."
        assert second.startswith("line 3, column ")

    def test_ids_that_some_disks_take_for_one(self, tmp_path):
        lines = '{"id": "\\u00e9"}\n{"id": "e\\u0301"}\n'
        (fault,) = faults_of(tmp_path / "m.jsonl", lines)
        assert "is that of line 1 too" in fault

    def test_empty(self, tmp_path):
        assert faults_of(tmp_path / "m.jsonl", "\n \n") == (
            "it has no rows; expected a row for each pair.",
        )


class TestCsv:
    def test_rows(self, tmp_path):
        lines = (
            "id,first,last,mode,prompt",
            'a,a.png,b.png,,"two',
            'lines, one cell"',
            "",
            "b, c.png ,d.png,preview,",
        )
        text = "\n".join(lines)
        found = read_manifest(write(tmp_path / "m.csv", text))
        assert rows_of(found) == [
            (2, "a", None, {"first": "a.png", "last": "b.png", "prompt": "two\nlines, one cell"}),
            (5, "b", "preview", {"first": "c.png", "last": "d.png"}),
        ]
        assert found.typed

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    @pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf"])
    def test_other_programs_write_it_in_other_ways(self, tmp_path, separator, ending, head):
        lines = ("", "id,first", "a,x.png", ",", "")
        text = ending.join(lines).replace(",", separator).encode()
        found = read_manifest(write(tmp_path / "m.csv", head + text))
        assert rows_of(found) == [(3, "a", None, {"first": "x.png"})]

    def test_what_excel_adds(self, tmp_path):
        text = "sep=;\r\nid;first;;\r\na;x.png;;\r\nb;y.png;;note\r\n"
        found = read_manifest(write(tmp_path / "m.csv", text))
        assert rows_of(found) == [
            (3, "a", None, {"first": "x.png"}),
            (4, "b", None, {"first": "y.png", "": "note"}),  # its mode has no such option
        ]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("id,first\na\n", "line 2: expected a cell for each of the 2 columns, got 1."),
            ("id,first\na,b,c\n", "for each of the 2 columns, got 3."),
            ("name,first\na,b\n", "line 1: there is no column id, only 'name', 'first'."),
            ("id,last,last\na,b,c\n", "line 1: the column 'last' is there 2 times."),
            (HEAD + '"a,b,c\nd,e,f\n', "line 2: the row that begins here is not CSV"),
            (HEAD + 'a,"b"c,d\n', "line 2: the row that begins here is not CSV"),
            (HEAD + ",b,c\n", "line 2: it has no id"),
            (HEAD + "a,b,c\nA,b,c\n", "line 3: the id 'A' is that of line 2 too"),
            ("id\n" + "x" * 200_000 + "\n", "line 2: the row that begins here is not CSV (field"),
        ],
    )
    def test_broken_table(self, tmp_path, text, said):
        (fault,) = faults_of(tmp_path / "m.csv", text)
        assert said in fault

    def test_a_huge_line(self, tmp_path):
        text = HEAD + "a,b,c\n" + "x" * (2 * MAX_LINE) + "\nd,e,f\n"
        assert faults_of(tmp_path / "m.csv", text) == (
            "line 3: it has more than 1 MiB; expected one row.",
        )

    def test_encodings(self, tmp_path):
        for name in ("m.csv", "m.jsonl", "m"):
            (fault,) = faults_of(tmp_path / name, "id,first\na,b\n".encode("utf-16"))
            assert fault == (
                "line 1: this is UTF-16: save the manifest as UTF-8 (CSV UTF-8 in Excel)."
            )
        (fault,) = faults_of(tmp_path / "m.png", b"\x89PNG\r\n\x1a\n\0")
        assert fault == "line 1, column 1: this is not UTF-8: save the manifest as UTF-8."
        (fault,) = faults_of(tmp_path / "m.csv", "id,first\na,bä\n".encode("latin-1"))
        assert fault == "line 2, column 4: this is not UTF-8: save the manifest as UTF-8."

    def test_empty(self, tmp_path):
        assert "there are no columns" in faults_of(tmp_path / "m.csv", "")[0]
        assert "it has no rows" in faults_of(tmp_path / "m.csv", HEAD)[0]

    def test_a_file_without_an_ending_is_what_it_holds(self, tmp_path):
        assert read_manifest(write(tmp_path / "m", "id\na\n")).typed
        assert not read_manifest(write(tmp_path / "m", b'\xef\xbb\xbf{"id": "a"}')).typed


class TestFolder:
    def put(self, folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    def test_pairs(self, tmp_path):
        names = ("b/first.png", "b/last.jpg", "a/First.PNG", "a/last.webp", "a/notes.txt")
        self.put(tmp_path, *names, ".hidden/first.png", "a/.first.png", "readme.txt")
        found = read_manifest(str(tmp_path))
        assert rows_of(found) == [
            (1, "a", None, {"first": "a/First.PNG", "last": "a/last.webp"}),
            (2, "b", None, {"first": "b/first.png", "last": "b/last.jpg"}),
        ]
        assert found.folder == str(tmp_path) and not any(row.fault for row in found.rows)

    def test_the_results_may_lie_beside_the_pairs(self, tmp_path):
        self.put(tmp_path, "a/first.png", "a/last.png", "out/batch.json", "out/runs.jsonl")
        assert [row.id for row in read_manifest(str(tmp_path)).rows] == ["a"]

    def test_a_folder_that_is_no_pair_stops_no_other(self, tmp_path):
        self.put(tmp_path, "a/first.png", "b/first.png", "b/last.png", "b/last.jpg", "c/x.png")
        said = [row.fault for row in read_manifest(str(tmp_path)).rows]
        assert said == [
            "The folder a has no picture last.*: put it there.",
            "The folder b has last.jpg and last.png: leave one of them there.",
            "The folder c has no picture first.*: put it there.",
        ]

    def test_no_pairs(self, tmp_path):
        with pytest.raises(ManifestError, match="it holds no pairs; expected folders"):
            read_manifest(str(tmp_path))

    def test_names_that_are_no_ids(self, tmp_path):
        self.put(tmp_path, "a;b/first.png")
        with pytest.raises(ManifestError, match="'a;b' holds ';'"):
            read_manifest(str(tmp_path))


class TestPlaces:
    def test_no_file(self, tmp_path):
        with pytest.raises(UserError, match="There is no file or folder .*; expected a manifest"):
            read_manifest(str(tmp_path / "x.jsonl"))

    @pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
    def test_a_device(self):
        with pytest.raises(UserError, match="/dev/null is a pipe or a device"):
            read_manifest("/dev/null")

    @pytest.mark.parametrize("call", ["open", "os.scandir"])
    def test_what_may_not_be_read(self, tmp_path, monkeypatch, call):
        def refuse(path, *more):
            raise PermissionError(13, "Permission denied", str(path))

        source = write(tmp_path / "m.jsonl", "") if call == "open" else str(tmp_path)
        where = "builtins.open" if call == "open" else "fcvg_core.batch.manifest.os.scandir"
        monkeypatch.setattr(where, refuse)
        with pytest.raises(UserError, match="You may not read or write"):
            read_manifest(source)

    def test_paths_begin_at_the_manifest(self, tmp_path, monkeypatch):
        write(tmp_path / "m.jsonl", '{"id": "a"}')
        monkeypatch.chdir(tmp_path)
        assert read_manifest("m.jsonl").folder == str(tmp_path)
        assert read_manifest(f"file://{(tmp_path / 'm.jsonl').as_posix()}").folder == str(tmp_path)

    def test_urls(self, memory):
        memory.pipe("/manifests/m.jsonl", json.dumps({"id": "a", "first": "a.png"}).encode())
        memory.pipe({"/pairs/x/first.png": b"1", "/pairs/x/last.png": b"2"})
        found = read_manifest("memory://manifests/m.jsonl")
        assert rows_of(found) == [(1, "a", None, {"first": "a.png"})]
        assert found.folder == "memory://manifests"
        pairs = read_manifest("memory://pairs")
        assert rows_of(pairs) == [(1, "x", None, {"first": "x/first.png", "last": "x/last.png"})]
        with pytest.raises(UserError, match=re.escape("There is no file memory://manifests/no")):
            read_manifest("memory://manifests/no")
