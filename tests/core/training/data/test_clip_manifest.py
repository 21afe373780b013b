"""Manifests of clips: fields, paths and ids; and what is wrong with them."""

import json
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.training.data import Fault, Item, read_manifest, write_faults


@pytest.fixture
def write(tmp_path):
    """A function that writes a manifest: of objects, or a text or bytes as they are."""

    def written(content, name="clips.jsonl") -> Path:
        if isinstance(content, list):
            content = "\n".join(json.dumps(row) for row in content)
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def test_all_fields(write, tmp_path):
    absolute = tmp_path / "elsewhere" / "a.mp4"
    path = write(
        [
            {
                "id": "walk",
                "video": "clips/walk.mp4",
                "start": 12,
                "stride": 2,
                "matches": "walk.json",
                "poses": ["first.json", "last.json"],
                "guide": "guides/walk",
                "swapped": True,
                "details": "hands.json",
                "weight": 2,
                "split": "held out",
            },
            {"id": 7, "frames": "seven", "weight": None},
            {"video": str(absolute)},
        ]
    )
    walk, seven, named = read_manifest(path)
    assert walk == Item(
        id="walk",
        line=1,
        video=tmp_path / "clips" / "walk.mp4",
        start=12,
        stride=2,
        matches=tmp_path / "walk.json",
        poses=(tmp_path / "first.json", tmp_path / "last.json"),
        guide=tmp_path / "guides" / "walk",
        swapped=True,
        details=tmp_path / "hands.json",
        weight=2,
        split="held out",
    )
    assert (seven.id, seven.line, seven.source, seven.weight) == ("7", 2, tmp_path / "seven", 1.0)
    assert (named.id, named.source, named.start, named.stride) == ("a", absolute, 0, 1)


def test_clips_without_an_id_are_named_after_their_files(write):
    names = ["a.mp4", "b/a.mkv", "A.mp4", "?x .mp4", ".mp4", "nul.mp4", "x" * 150 + ".mp4"]
    ids = [item.id for item in read_manifest(write([{"video": name} for name in names]))]
    assert ids == ["a", "a-2", "A-3", "-x", "mp4", "clip-nul", "x" * 50]


def test_a_given_id_is_never_taken_by_a_file(write):
    rows = [{"video": "walk.mp4"}, {"id": "WALK", "video": "b.mp4"}, {"frames": "walk"}]
    assert [item.id for item in read_manifest(write(rows))] == ["walk-2", "WALK", "walk-3"]


def test_mark_blank_lines_and_other_line_ends(write):
    text = b'\xef\xbb\xbf{"video": "a\xe2\x80\xa8b.mp4"}\r\n\r\n  \r\n{"video": "c.mp4"}'
    found = read_manifest(write(text))
    assert [(item.id, item.line) for item in found] == [("a-b", 1), ("c", 4)]


def test_a_list_of_controlnext(write, tmp_path):
    path = write(
        json.dumps(
            [
                {"video_path": "a.mp4", "guide_path": "/poses/a.mp4", "meta_info": "a.json"},
                {"video_path": "b.mp4"},
            ],
            indent=2,
        ),
        "meta.json",
    )
    a, b = read_manifest(path)
    assert a == Item(
        id="a",
        line=1,
        video=tmp_path / "a.mp4",
        guide=(tmp_path / "/poses/a.mp4"),
        details=tmp_path / "a.json",
        stride=3,
        swapped=True,
    )
    assert (b.id, b.line, b.guide, b.swapped) == ("b", 2, None, False)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"video": 3}', "video is 3: expected a path"),
        ('{"video": "a", "start": "x"}', "start is 'x': expected a whole number from 0"),
        ('{"video": "a", "start": 1.5}', "start is 1.5: expected a whole number"),
        ('{"video": "a", "stride": 0}', "stride is 0: expected a whole number from 1 to 1000"),
        ('{"video": "a", "weight": true}', "weight is True: expected a number from 0.001"),
        ('{"video": "a", "weight": 0}', "weight is 0: expected a number from 0.001"),
        ('{"video": "a", "poses": ["b"]}', "poses is ['b']: expected a list of 2"),
        ('{"video": "a", "split": "test"}', "split is 'test': expected one of train, held out"),
        ('{"video": "a", "strid": 2}', "there is no field 'strid'; perhaps stride."),
        ('{"video": "a", "line": 2}', "there is no field 'line'; expected id, video"),
        ('{"video": "a", "id": "a/b"}', "The id 'a/b' holds '/'"),
        ('{"video": "a", "id": ["a"]}', "id is ['a']: expected a text"),
        ('{"id": "a"}', 'a clip has either a "video" or "frames"'),
        ('{"video": "a", "frames": "b"}', "give one of the two"),
        ('{"video": "a"', "this is not JSON (Expecting"),
        ('{"video": "a", "video": "b"}', "it contains the name 'video' twice"),
        ('"a.mp4"', "it is 'a.mp4'; expected an object, such as"),
        ('{"video": "a", "weight": NaN}', "weight is nan: expected a number"),
    ],
)
def test_a_wrong_line(write, row, said):
    path = write('{"video": "good.mp4"}\n' + row)
    with pytest.raises(UserError) as error:
        read_manifest(path)
    told = str(error.value)
    assert told.startswith(f"The manifest {path} has 1 fault. Correct it:\n  line 2: ")
    assert said in told


def test_many_wrong_lines(write):
    with pytest.raises(UserError) as error:
        read_manifest(write([{"video": "a", "start": -1}] * 25))
    lines = str(error.value).splitlines()
    assert "has 25 faults" in lines[0] and len(lines) == 22 and lines[-1] == "  and 5 more"


def test_ids_that_are_given_twice(write):
    rows = [{"id": "A", "video": "a"}, {"video": "b"}, {"id": "a", "video": "c"}]
    with pytest.raises(UserError, match="line 3: the id 'a' is that of line 1 too"):
        read_manifest(write(rows))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "names no clip; expected an object a line"),
        ("[]", "names no clip"),
        ("\n \n", "names no clip"),
        ("[{]", "begins like a list, but it is not JSON"),
        ('[{"video": "a.mp4"}]', "object 1: it is {'video': 'a.mp4'}; a list has objects with"),
        ('[{"video_path": "a", "caption": ""}]', "there is no field 'caption'; expected video_pa"),
        ('[{"video_path": ["a"]}]', "object 1: video is ['a']: expected a path"),
        ("a".encode("utf-16"), "is not UTF-8"),
    ],
)
def test_what_is_no_manifest(write, content, said):
    with pytest.raises(UserError) as error:
        read_manifest(write(content))
    assert said in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        read_manifest(tmp_path / "clips.jsonl")
    with pytest.raises(UserError, match="expected a manifest of clips"):
        read_manifest(tmp_path)


def test_faults_are_lines_of_json(tmp_path):
    write_faults(tmp_path / "faults.jsonl", [Fault("a", 3, "too\nshort"), Fault("b", 4, "Größe")])
    lines = (tmp_path / "faults.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "a", "line": 3, "message": "too\nshort"},
        {"id": "b", "line": 4, "message": "Größe"},
    ]
    write_faults(tmp_path / "faults.jsonl", [])
    assert not (tmp_path / "faults.jsonl").read_text()
