"""Options of a command as a table: names, values of JSON and texts, and what does not fit."""

import subprocess
import sys
from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.commands import load_command
from fcvg_core.standalone.cli.options import parse_options
from fcvg_core.standalone.cli.table import (
    batch_modes,
    mode_of,
    spec_of_table,
    unknown_settings,
)

ROOT = Path(__file__).parents[4]
PAIR = {"first": "a.png", "last": "b.png"}


def read(mode: str, *, typed: bool = False, settings=None, **table) -> dict:
    """The options of a row that differ from their defaults."""
    names = {name.replace("__", "-"): value for name, value in table.items()}
    spec = spec_of_table(mode, names, typed=typed, settings=settings)
    defaults = {key: each.default for key, each in spec.settings_by_key().items()}
    return {key: value for key, value in spec.options().items() if value != defaults[key]}


def said(mode: str, **table) -> str:
    with pytest.raises(UserError) as raised:
        read(mode, **table)
    return str(raised.value)


@pytest.mark.parametrize(
    ("mode", "typed", "table"),
    [
        ("preview", ["a", "b", "--line-width", "3"], {"line-width": 3}),
        ("preview", ["a", "b", "--line-width", "3"], {"--line-width": 3}),
        ("preview", ["a", "b", "--line-width", "3"], {"line_width": 3}),
        ("preview", ["a", "b", "--max_frame_num", "9"], {"max_frame_num": 9}),
        ("inbetween", ["a", "b", "--guidance_scale", "2"], {"guidance_scale": 2.0}),
        ("inbetween", ["a", "b", "--fast", "--steps", "5"], {"fast": True, "steps": 5}),
        ("inbetween", ["a", "b", "--no-poses"], {"no-poses": True}),
        ("inbetween", ["a", "b", "--no-poses"], {"poses": False}),
        ("inbetween", ["a", "b", "--poses", "c", "d"], {"poses": ["c", "d"]}),
        ("inbetween", ["a", "b", "--conditions-only"], {"conditions_only": True}),
        ("inbetween", ["a", "b", "--timing", "0,0.5,1"], {"timing": [0, 0.5, 1]}),
        ("preview", ["a", "b", "--fit", "pad", "--device", "cpu"], {"fit": "pad", "device": "cpu"}),
    ],
)
def test_a_row_is_what_is_typed(mode, typed, table) -> None:
    module = load_command(mode)
    expected = module.read_spec(parse_options([mode, *typed]))
    assert spec_of_table(mode, {"first": "a", "last": "b", **table}, typed=False) == expected
    texts = {
        name: ";".join(value)
        if name == "poses" and value
        else ",".join(map(str, value))
        if isinstance(value, list)
        else str(value)
        for name, value in table.items()
    }
    assert spec_of_table(mode, {"first": "a", "last": "b", **texts}, typed=True) == expected


class TestPictures:
    def test_keyframes(self):
        found = read("inbetween", keyframes=["a", "b", "c"])
        assert found == {
            "first": Path("a"),
            "between": (Path("b"),),
            "last": Path("c"),
            "frames": 49,
        }
        assert read("inbetween", typed=True, keyframes="a; b;c") == found
        assert read("preview", keyframes=["a", "b"], at=None) == {
            "first": Path("a"),
            "last": Path("b"),
        }

    def test_frames_follow_the_keyframes(self):
        table = {"keyframes": "a;b;c", "at": "0,24,60"}
        assert read("preview", typed=True, **table)["frames"] == 61
        assert read("preview", typed=True, **table, frames="70")["frames"] == 70

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"keyframes": ["a"]}, "keyframes is ['a']: expected 2 pictures or more."),
            ({"keyframes": 3}, "keyframes is 3: expected a list of pictures."),
            ({"keyframes": ["a", "b"], "first": "c"}, "keyframes and first are both given"),
            ({"keyframes": ["a", 2, "c"]}, "between is [2]: expected one or several"),
            ({**PAIR, "image1_path": "c"}, "FIRST is 'a.png' and --image1_path is 'c'"),
        ],
    )
    def test_wrong(self, table, message):
        assert message in said("preview", **table)

    @pytest.mark.parametrize("names", [("first", "last"), ("keyframes",), ("images",)])
    @pytest.mark.parametrize("typed", [True, False])
    def test_images(self, names, typed):
        pictures = ["a", "b"]
        table = dict(zip(names, pictures if len(names) > 1 else [pictures], strict=True))
        if typed and len(names) == 1:
            table = {names[0]: "a;b"}
        found = read("dynamicrafter", typed=typed, **table, prompt="x; y")
        assert found == {"images": (Path("a"), Path("b")), "prompt": ("x; y",)}

    def test_wrong_images(self):
        assert read("dynamicrafter", first="a") == {"images": (Path("a"),)}
        assert "last is given, but first is not" in said("dynamicrafter", last="a")
        assert "both given" in said("dynamicrafter", first="a", images=["b"])
        for name, value in (("keyframes", ["a", "b"]), ("first", "a")):
            message = f"animate has no option {name!r}; its files are image and video."
            assert said("animate", **{name: value}) == message

    def test_first_and_last_of_droplet(self):
        found = read("droplet", first="a", last="b", FPS=4, target_motion=0.5)
        pictures = {"first": Path("a"), "last": Path("b")}
        assert found == {**pictures, "FPS": 4, "target_motion": 0.5}
        typed = read("droplet", typed=True, ref_img_dir="a", FPS="4", target_motion="c.mp4")
        assert typed == {"first": Path("a"), "FPS": 4, "target_motion": Path("c.mp4")}
        assert "droplet has no option 'keyframes'; its files are first" in said(
            "droplet", keyframes=["a", "b"]
        )
        assert "has no option 'fps'; perhaps FPS" in said("droplet", first="a", fps=4)

    def test_sets_and_lists_of_texts(self):
        found = read("dynamicrafter", images=["a", "b", "c"], prompt=["x", "y"])
        assert found["prompt"] == ("x", "y")


class TestValues:
    @pytest.mark.parametrize("word", ["true", "TRUE", "yes", "1", "on"])
    def test_switches_in_a_cell(self, word):
        assert read("inbetween", typed=True, **PAIR, keep_keyframes=word)["keep_keyframes"]
        assert "steps" in read("inbetween", typed=True, **PAIR, fast=word)

    def test_names_of_the_official_code(self):
        official = read("dynamicrafter", typed=True, first="a", perframe_ae="yes", ddim_steps="9")
        assert (official["decode_chunk"], official["steps"]) == (1, 9)
        animated = read("animate", ref_image_path="a", video="v", **{"no-audio": True})
        assert animated == {"image": Path("a"), "video": Path("v"), "audio": False}

    @pytest.mark.parametrize("word", ["false", "No", "0", "off"])
    def test_switches_that_are_off(self, word):
        pair = read("inbetween", **PAIR)
        assert read("inbetween", typed=True, **PAIR, keep_keyframes=word, fast=word) == pair

    @pytest.mark.parametrize(
        ("typed", "table", "message"),
        [
            (True, {"steps": "0"}, "steps: expected a whole number from 1 to 1000, got 0."),
            (False, {"steps": 0}, "steps is 0: expected a whole number from 1 to 1000."),
            (False, {"steps": "25"}, "steps is '25': expected a whole number"),
            (True, {"fast": "maybe"}, "fast is 'maybe': expected true or false."),
            (False, {"fast": "true"}, "fast is 'true': expected true or false."),
            (True, {"fit": "cut"}, "fit: expected one of crop, pad, stretch, got 'cut'."),
            (True, {"width": "100"}, "got 100: take 64 or 128."),
            (True, {"poses": "a"}, "poses is 'a': expected a list of 2"),
            (True, {"seed": "-1"}, "seed: expected a whole number from 0 to 18446744073709551615"),
        ],
    )
    def test_wrong(self, typed, table, message):
        assert message in said("inbetween", typed=typed, **PAIR, **table)

    def test_none_is_not_given(self):
        assert read("inbetween", **PAIR, steps=None, poses=None) == read("inbetween", **PAIR)

    def test_everything_wrong_is_said_at_once(self):
        message = said("inbetween", **PAIR, steps=0, fps="x", stpes=1)
        assert all(word in message for word in ("steps is 0", "fps is 'x'", "no option 'stpes'"))

    def test_a_table_of_other_things(self):
        message = said("inbetween", **PAIR, **{f"column {number}": 1 for number in range(9999)})
        assert message.count("has no option") == 20 and message.endswith(" More may be wrong.")


class TestNames:
    @pytest.mark.parametrize(
        ("mode", "name", "message"),
        [
            ("preview", "steps", "preview has no option 'steps'; leave it out."),
            ("inbetween", "stpes", "inbetween has no option 'stpes'; perhaps steps."),
            ("inbetween", "fra", "inbetween has no option 'fra'; perhaps frames."),
            (
                "inbetween",
                "output",
                "'output' is no column: batch chooses the folder",
            ),
            ("inbetween", "--output_dir", "'--output_dir' is no column"),
            ("inbetween", "run", "'run' is no column: batch reads no run.json"),
            ("inbetween", "o", "inbetween has no option 'o'; perhaps overlap or offload."),
            ("inbetween", "help", "inbetween has no option 'help'; "),
            ("inbetween", "", "inbetween has no option ''; leave it out."),
            ("inbetween", "x" * 500, "inbetween has no option 'xxx"),
        ],
    )
    def test_wrong(self, mode, name, message):
        found = said(mode, **PAIR, **{name: "1"})
        assert found.startswith(message) and len(found) < 200

    @pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "C:\\x", "..\\x"])
    def test_output_that_leaves_the_batch(self, path):
        message = said("preview", **PAIR, output=path)
        assert message.endswith(f", and {path!r} leads out of OUT.")
        assert "leads" not in said("preview", **PAIR, output="x/y")

    def test_options_that_exclude_each_other(self):
        message = "--matches and --matcher are both given, but one would be ignored"
        assert message in said("preview", **PAIR, matches="m", matcher="classic")

    def test_two_names_of_one_option(self):
        message = said("preview", **PAIR, frames=9, max_frame_num=10)
        assert message == (
            "'frames' and 'max_frame_num' are the same option, but their values differ: give one "
            "of them."
        )
        assert read("preview", **PAIR, frames=9, max_frame_num=9)["frames"] == 9


class TestSettings:
    def test_fill_what_a_row_leaves_out(self):
        settings = {"frames": "9", "line-width": "2"}
        found = read("preview", **PAIR, frames=7, settings=settings)
        assert (found["frames"], found["line_width"]) == (7, 2)

    def test_what_the_command_has_not_is_ignored(self):
        assert read("preview", **PAIR, settings={"steps": "9"}) == read("preview", **PAIR)

    def test_a_row_replaces_what_excludes_it(self):
        found = read("preview", **PAIR, matcher="classic", settings={"matches": "m.json"})
        assert "matches" not in found and found["matcher"] == "classic"

    def test_presets(self):
        slow, fast = ({"fast": word, "steps": "9"} for word in ("false", "true"))
        assert read("inbetween", **PAIR, settings=slow).keys() == {*PAIR, "steps"}
        found = read("inbetween", **PAIR, settings=fast)
        assert found["steps"] == 9 and "schedule" in found
        assert read("inbetween", **PAIR, steps=7, settings=fast)["steps"] == 7

    def test_paths_begin_at_the_current_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        found = read("preview", **PAIR, settings={"matches": "m.json"})
        assert found["matches"] == tmp_path / "m.json" and found["first"] == Path("a.png")

    def test_unknown(self):
        assert unknown_settings("preview", {"steps": "9", "frames": "9"}) == ("steps",)
        assert unknown_settings("preview", {"keyframes": "a;b", "fps": "9"}) == ()
        with pytest.raises(UserError, match="frames: expected a whole number"):
            unknown_settings("preview", {"frames": "1"})


class TestModes:
    def test_are_the_commands_with_work(self):
        modes = batch_modes()
        assert {"preview", "inbetween"} <= modes.keys() and "doctor" not in modes
        for name, mode in modes.items():
            module = load_command(name)
            assert (mode.name, mode.module) == (name, module.__name__)
            assert mode.recipe == module.WORK.recipe

    def test_read_rows(self):
        mode = mode_of("preview")
        assert mode.read(PAIR, typed=True).first == Path("a.png")
        assert mode.unknown({"steps": "1"}) == ("steps",)


def test_a_row_needs_no_torch():
    """It is read by the driver, which should stay small, and thousands of rows are read."""
    code = (
        "import sys; from fcvg_core.standalone.cli.table import batch_modes, spec_of_table\n"
        "for mode in batch_modes():\n"
        "    if mode in ('preview', 'inbetween'):\n"
        "        spec = spec_of_table(mode, {'first': 'a', 'last': 'b'}, typed=True)\n"
        "        sys.modules[type(spec).__module__]\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
