"""Names in the folder of a batch, and which folders a batch takes."""

import json

import pytest

from fcvg_core.batch.store import layout, open_store
from fcvg_core.errors import UserError
from fcvg_core.folder_names import id_fault, id_twin


@pytest.mark.parametrize(
    "text", ["a", "shot 0001", "scène_1", "a.b-c_d", "場面", "-", "a" * 100, "a."]
)
def test_possible_ids(text):
    assert id_fault(text) is None
    assert layout.split_name(layout.result_name(text, "0123456789abcdef")) == (text, "0123456789ab")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The id is empty: an id has 1 to 100 letters, digits"),
        ("a/b", "The id 'a/b' holds '/'"),
        ("a\\b", "holds '\\\\'"),
        ("a\nb\0", "holds '\\n', '\\x00'"),
        ("..", "begins with a dot or a space"),
        (".a", "begins with a dot"),
        (" a", "begins with a dot or a space"),
        ("a ", "ends with a space"),
        ("a" * 101, "has 101 characters, which is too long"),
        ("場" * 99, "has 99 characters, which is too long"),
        ("\ud800", "holds '\\ud800'"),
        ("a*?", "holds '*', '?'"),
        ("NUL", "is the name of a device of Windows: choose another id"),
        ("com1.a", "is the name of a device"),
        ("a\u202eb", "holds '\\u202e'"),
    ],
)
def test_impossible_ids(text, said):
    fault = id_fault(text)
    assert fault is not None and said in fault
    with pytest.raises(ValueError, match="id"):
        layout.result_name(text, "0" * 64)


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="less than 12 digits"):
        layout.result_name("a", "0123")


def test_twins_are_one_name_on_some_disks():
    assert id_twin("Scène") == id_twin("SCE\u0300NE")
    assert id_twin("a") != id_twin("b")


class TestBegin:
    def test_makes_a_new_folder(self, tmp_path):
        out = tmp_path / "a" / "out"
        layout.begin(open_store(str(out)))
        assert json.loads((out / "batch.json").read_text()) == {"version": 1}
        layout.begin(open_store(str(out)))

    def test_makes_nothing_if_it_only_checks(self, tmp_path):
        layout.begin(open_store(str(tmp_path / "out")), make=False)
        assert not (tmp_path / "out").exists()

    def test_takes_an_empty_folder(self, tmp_path):
        (tmp_path / ".1234.part").touch()  # of a driver that was killed at its first step
        layout.begin(open_store(str(tmp_path)))
        assert (tmp_path / "batch.json").exists()

    @pytest.mark.parametrize("make", [True, False])
    def test_refuses_a_folder_of_something_else(self, tmp_path, make):
        (tmp_path / "holiday.jpg").touch()
        with pytest.raises(UserError, match=r"is not empty \('holiday.jpg'\), and it is not the"):
            layout.begin(open_store(str(tmp_path)), make=make)
        assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]

    def test_refuses_a_file(self, tmp_path):
        (tmp_path / "out").write_text("x")
        with pytest.raises(UserError, match="a part of it is a file, but a folder was expected"):
            layout.begin(open_store(str(tmp_path / "out")))

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
    def test_refuses_a_mark_of_something_else(self, tmp_path, text):
        (tmp_path / "batch.json").write_text(text)
        with pytest.raises(UserError, match="holds a file batch.json that is not of a batch"):
            layout.begin(open_store(str(tmp_path)))

    def test_refuses_another_version(self, tmp_path):
        (tmp_path / "batch.json").write_text('{"version": 2}')
        with pytest.raises(UserError, match="has version 2, this program knows 1"):
            layout.begin(open_store(str(tmp_path)))

    def test_another_driver_may_begin_meanwhile(self, tmp_path):
        store = open_store(str(tmp_path))

        class Late:
            """A store in which another driver begins, and makes a folder, between two looks."""

            address, looks = store.address, 0

            def read(self, name):
                self.looks += 1
                if self.looks == 1:
                    layout.begin(store)
                    store.write("drivers/other", b"{}")
                    return None
                return store.read(name)

            names, write = store.names, store.write

        layout.begin(Late())
        assert json.loads((tmp_path / "batch.json").read_text()) == {"version": 1}
